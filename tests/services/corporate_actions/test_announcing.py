"""Announcements as the room keeps and tells them, on a real store."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from announced_market import claim, claims, detail, details
from lengths import usually
from room_doubles import ListBus, rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.announced import announcements
from truetape.domain.announced_messages import ActionStated, AnnouncementsChanged
from truetape.domain.messages import BatchStored
from truetape.domain.time import DAY_NS, day_start_ns
from truetape.ports.store import Selection
from truetape.services.corporate_actions.announcing import Announcing
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.service import CorporateActionsService

EX_DATE = "2024-06-10"
SPLIT = {"type": "split", "effective_date": EX_DATE, "value": "7"}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    opened = DuckdbStore(tmp_path / "store.duckdb")
    yield opened
    await opened.close()


def stated(said: str, day: int, fields: dict[str, str] | None = None, *, announcement: str = "ann_x") -> ActionStated:
    return ActionStated(
        statement_id=f"sta_{announcement}_{said}_{day}",
        announcement_id=announcement,
        instrument_id="ins_a",
        said=said,
        fields=fields or {},
        actor="ann",
        why="the issuer's notice",
        ts_known=day_start_ns(date(2024, 5, day)),
    )


def told(bus: ListBus) -> list[tuple[str, str, str]]:
    """Return what was told: the change, the status and the value of each announcement."""
    return [
        (one.change, one.status, one.fields.get("value", ""))
        for message in bus.told
        if isinstance(message, AnnouncementsChanged)
        for one in message.announcements
    ]


async def kept(store: DuckdbStore, **selection: Any) -> list[tuple[str, str, int]]:
    rows = await store.read("announcements", Selection(**selection))
    return rows.select("status", "value", "version").rows()


async def test_a_statement_becomes_an_announcement_with_all_of_its_versions(store: DuckdbStore) -> None:
    """What changes nothing is not told, and what is heard twice counts once."""
    bus = ListBus()
    room = Announcing(bus=bus, store=store)

    for one in (stated("announced", 1, SPLIT), stated("amended", 2, {"value": "10"}), stated("cancelled", 3)):
        await room.take(one)
        await room.take(one)

    assert [("cancelled", "10", 3)] == await kept(store)
    assert [("announced", "7", 1), ("announced", "10", 2), ("cancelled", "10", 3)] == await kept(store, history=True)
    assert [("announced", "7", 1)] == await kept(store, as_of=day_start_ns(date(2024, 5, 1)))
    assert [("new", "announced", "7"), ("changed", "announced", "10"), ("changed", "cancelled", "10")] == told(bus)
    (fields,) = (await store.read("announcements", Selection(columns=("made_of",))))["made_of"]
    assert ["status", "type", "effective_date", "value"] == [one["name"] for one in msgspec.json.decode(fields)]


async def test_claims_of_providers_become_announcements(store: DuckdbStore) -> None:
    """A second provider confirms; nothing is written while nothing more is claimed."""
    bus = ListBus()
    room = Announcing(bus=bus, store=store)
    first, second = claim("a", "dividend", EX_DATE, 0.5), claim("b", "dividend", EX_DATE, 0.5, known="2024-05-03")
    await store.commit(
        {"action_claims": claims(first), "action_details": details(detail(first, pay_date="2024-07-01"))}
    )
    await room.settle("ins_a", ts_known=first["ts_known"])
    await store.commit({"action_claims": claims(second)})
    await room.settle("ins_a", ts_known=second["ts_known"])
    version = store.version()

    await room.settle("ins_a", ts_known=second["ts_known"] + DAY_NS)

    assert version == store.version()
    rows = await store.read("announcements")
    assert [("confirmed", "0.5", date(2024, 7, 1), "a,b", "", 2)] == rows.select(
        "status", "value", "pay_date", "sources", "dissented", "version"
    ).rows()
    assert [("new", "announced", "0.5"), ("changed", "confirmed", "0.5")] == told(bus)


async def test_what_turns_out_to_be_part_of_another_action_is_gone(store: DuckdbStore) -> None:
    """Two dividends ten days apart are one, once both providers tell the same amount; history keeps both."""
    bus = ListBus()
    room = Announcing(bus=bus, store=store)
    await store.commit(
        {"action_claims": claims(claim("a", "dividend", EX_DATE, 0.5), claim("b", "dividend", "2024-06-20", 0.7))}
    )
    await room.settle("ins_a", ts_known=day_start_ns(date(2024, 5, 1)))
    await store.commit({"action_claims": claims(claim("b", "dividend", "2024-06-20", 0.5, known="2024-05-03"))})
    await room.settle("ins_a", ts_known=day_start_ns(date(2024, 5, 3)))
    await store.commit({"action_claims": claims(claim("b", "dividend", "2024-06-20", 0.7, known="2024-05-05"))})
    await room.settle("ins_a", ts_known=day_start_ns(date(2024, 5, 5)))

    assert {("announced", "0.5", 3), ("announced", "0.7", 3)} == {*await kept(store)}
    assert [("new", "0.5"), ("new", "0.7"), ("changed", "0.5"), ("gone", "")] == [
        (change, value) for change, _, value in told(bus)
    ][:4]
    assert "new" == told(bus)[-1][0]


@pytest.mark.parametrize("seed", range(usually(1, long=20)))
async def test_the_order_of_arrival_ends_in_the_same_state(tmp_path: Path, seed: int) -> None:
    """Now and as of any day before: statements, amendments and cancellations of two actions in any order."""
    messages = [
        stated("announced", 1, SPLIT),
        stated("amended", 3, {"value": "10"}),
        stated("confirmed", 5),
        stated("cancelled", 7),
        stated("announced", 2, {**SPLIT, "effective_date": "2024-08-01"}, announcement="ann_y"),
        stated("withdrawn", 4, announcement="ann_y"),
    ]
    answers = []
    for number, order in enumerate(([*messages], random.Random(seed).sample(messages, len(messages)))):
        store = DuckdbStore(tmp_path / f"{number}.duckdb")
        room = Announcing(bus=ListBus(), store=store)
        for one in order:
            await room.take(one)
        answers.append([await state_on(store, day) for day in (1, 3, 4, 8)] + [await current(store)])
        await store.close()

    first, second = answers
    assert first == second
    assert [("cancelled", "10"), ("withdrawn", "7")] == [(one[1], one[2]) for one in first[-1]]


async def state_on(store: DuckdbStore, day: int) -> list[tuple[str, str, str]]:
    """Return the announcements as they were known at the start of a day of May 2024."""
    then = Selection(as_of=day_start_ns(date(2024, 5, day)))
    known = [await store.read(table, then) for table in ("action_claims", "action_details", "action_statements")]
    return sorted((one.announcement_id, one.status, one.fields["value"]) for one in announcements(*known))


async def current(store: DuckdbStore) -> list[tuple[Any, ...]]:
    rows = await store.read("announcements", Selection(columns=("announcement_id", "status", "value", "made_of")))
    return rows.rows()


async def test_a_round_that_is_told_again_after_a_crash_brings_its_announcements(store: DuckdbStore) -> None:
    """Only its bars are told again; while bars are new, nothing is looked for."""
    room = CorporateActionsService(bus=ListBus(), store=store, config=CorporateActionsConfig())
    await store.commit({"action_claims": claims(claim("a", "dividend", EX_DATE, 0.5))})

    await room.on_batch_stored(stored_bars(new=1))
    assert [] == await kept(store)

    await room.on_batch_stored(stored_bars(new=0))
    assert [("announced", "0.5", 1)] == await kept(store)


async def test_what_an_operator_states_of_a_price_moves_the_factor(store: DuckdbStore) -> None:
    """A right to one new share for one at 10.00, before at 30.00: what stays is (30 + 10) / 2 / 30."""
    bus = ListBus()
    room = CorporateActionsService(bus=bus, store=store, config=CorporateActionsConfig())
    bars = rows(
        "bars",
        instrument_id="ins_a",
        timeframe="1d",
        ts_event=[date(2024, 6, 7), date(2024, 6, 10)],
        close=[30.0, 20.0],
        currency="USD",
        ts_known=1,
    )
    golden = rows(
        "actions",
        instrument_id=["ins_a"],
        ex_date=[date(2024, 6, 10)],
        type="rights",
        value=1.0,
        currency="USD",
        agreed="a",
        ts_known=1,
    )
    await store.commit({"bars": bars, "actions": golden})
    terms = {"type": "rights", "effective_date": EX_DATE, "value": "1", "price": "10", "currency": "USD"}

    await room.on_action_stated(stated("confirmed", 3, terms))

    (factor,) = (await store.read("factors"))["dividend"]
    assert round(factor, 9) == round(20 / 30, 9)
    assert ["AnnouncementsChanged", "FactorsChanged"] == [type(one).__name__ for one in bus.told]


def stored_bars(*, new: int) -> BatchStored:
    return BatchStored(
        kind="bars",
        round_id="rnd_a",
        instrument_id="ins_a",
        timeframe="1d",
        start=date(2024, 5, 1),
        end=date(2024, 5, 2),
        ts_known=day_start_ns(date(2024, 5, 2)),
        new=new,
        corrected=0,
        repeated=2,
        quarantined=0,
        store_version=1,
    )
