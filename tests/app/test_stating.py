"""What operators say of actions, on a whole platform: announcements, golden rows, factors, journal and replay."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import truetape as tt
from room_doubles import rows
from small_platform import ACTIONS, DAYS, acquired
from truetape.adapters.data_folder import ARCHIVE
from truetape.adapters.file_archive import FileArchive
from truetape.app.desk import settings_of
from truetape.app.run import Platform, replay
from truetape.app.stating import state, state_at, state_here
from truetape.domain.action_proposals import Proposal, proposals
from truetape.domain.announced import announcements
from truetape.domain.announced_messages import ActionStated
from truetape.domain.errors import BadInput, UnknownSymbol, UnknownTarget
from truetape.domain.time import day_start_ns
from truetape.ports.store import Selection
from truetape.services.api.announced import ActionCase
from truetape.services.api.statements import NewStatement, Stated

PAID = ACTIONS[0][1]  # AAA's dividend of 0.5
SPLIT = {"type": "split", "effective_date": str(DAYS[20]), "value": "2"}
Row = tuple[date, str, float, str]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(acquired(tmp_path_factory.mktemp("stated") / "data"))


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "data"))


def say(said: str, *, target: str = "", symbol: str = "", why: str = "a notice", **fields: str) -> NewStatement:
    return NewStatement(said=said, target=target, symbol=symbol, fields=fields, actor="ann", why=why)


def golden(data: Path, symbol: str) -> list[Row]:
    with tt.open(data) as session:
        found = session.corporate_actions(symbol)
    return found.select("ex_date", "type", "value", "agreed").rows()


def first_close(data: Path, symbol: str) -> float:
    with tt.open(data) as session:
        return round(float(session.bars(symbol, adjustment="all")["close"][0]), 6)


def announced(data: Path, symbol: str) -> list[tuple[str, str, str]]:
    with tt.open(data) as session:
        return session.announcements(symbol).select("type", "value", "status").rows()


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[Platform]:
    async with Platform(await asyncio.to_thread(settings_of, data), command="test") as platform:
        await platform.recover()
        yield platform
        await platform.settle()


async def tell(platform: Platform, wanted: NewStatement) -> Stated:
    taken = await state_here(platform, wanted)
    await platform.parts.bus.drain()
    return taken


async def stored(platform: Platform, instrument: str) -> list[Row]:
    one = Selection(equal={"instrument_id": (instrument,)}, columns=("ex_date", "type", "value", "agreed"))
    return (await platform.parts.store.read("actions", one)).rows()


async def named(platform: Platform, symbol: str) -> str:
    listed = await platform.parts.store.read("listings", Selection(equal={"symbol": (symbol,)}))
    return str(listed["instrument_id"][0])


async def test_an_action_that_nobody_tells_is_announced_amended_and_called_off(data: Path) -> None:
    """Its golden row and the adjusted prices follow each word: 20.00 is 10.00 after a split of two."""
    (taken,) = await state(data, [say("announced", symbol="BBB", **SPLIT), say("announced", symbol="BBB", **SPLIT)])
    assert ([(DAYS[20], "split", 2.0, "operator")], 10.0) == (golden(data, "BBB"), first_close(data, "BBB"))

    async with running(data) as platform:
        await tell(platform, say("amended", target=taken.announcement_id, value="4"))
        assert [(DAYS[20], "split", 4.0, "operator")] == await stored(platform, taken.instrument_id)
        factors = await platform.parts.store.read("factors", Selection(equal={"instrument_id": (taken.instrument_id,)}))
        assert [4.0] == factors["split"].to_list()
        await tell(platform, say("cancelled", target=taken.announcement_id))

    assert ([], 20.0) == (golden(data, "BBB"), first_close(data, "BBB"))
    assert [("split", "4", "cancelled")] == announced(data, "BBB")
    with tt.open(data) as session:
        case = session.action(taken.announcement_id)
        before = session.announcements("BBB", as_of=case.versions[0].known)
    assert ["announced", "amended", "cancelled"] == [one.said for one in case.statements]
    assert (True, [("2", "effective")]) == (case.taken_back, before.select("value", "status").rows())


async def test_what_providers_tell_is_amended_moved_and_withdrawn(data: Path) -> None:
    """The operator's word stands above theirs; once he withdraws the action they are not believed."""
    async with running(data) as platform:
        instrument = await named(platform, "AAA")
        rows = await platform.parts.store.read("announcements", Selection(equal={"type": ("dividend",)}))
        identity = rows["announcement_id"][0]

        await tell(platform, say("amended", target=identity, value="0.75"))
        assert (DAYS[10], "dividend", 0.75, "operator") == (await stored(platform, instrument))[0]

        await tell(platform, say("amended", target=identity, effective_date=str(DAYS[9]), type="special_dividend"))
        assert [(DAYS[9], "special_dividend"), (DAYS[30], "split")] == [
            one[:2] for one in await stored(platform, instrument)
        ]

        await tell(platform, say("withdrawn", target=identity, why="paid by another company"))
        assert [(DAYS[30], "split", 2.0, "alpha_vantage,yahoo")] == await stored(platform, instrument)

        await tell(platform, say("announced", target=identity, type="dividend", effective_date=PAID))
        assert (DAYS[10], "dividend", 0.5, "alpha_vantage,yahoo") == (await stored(platform, instrument))[0]


async def test_what_cannot_be_said_is_refused_with_the_reason(data: Path) -> None:
    """And nothing of it stands in the journal. An option is elected until the deadline."""
    options = '[{"label": "cash", "value": "0.5"}, {"label": "shares", "type": "stock_dividend", "value": "1/40"}]'
    terms = {"type": "dividend", "effective_date": "2999-01-01", "currency": "USD", "options": options}
    async with running(data) as platform:
        one = (await tell(platform, say("announced", symbol="BBB", **SPLIT))).announcement_id
        two = (await tell(platform, say("announced", symbol="BBB", **terms))).announcement_id
        chosen = await tell(platform, say("elected", target=two, option="shares"))
        await tell(platform, say("amended", target=two, deadline="2020-01-01"))
        refused: list[tuple[NewStatement, type[Exception], str]] = [
            (say("announced", symbol="BBB", **SPLIT), BadInput, "said before"),
            (say("announced", symbol="BBB", value="2"), BadInput, "type of action"),
            (say("announced", symbol="NOP", **SPLIT), UnknownSymbol, "NOP"),
            (say("amended", target="ann_x_1", value="2"), UnknownTarget, "ann_x_1"),
            (say("amended", target="gold", value="2"), UnknownTarget, "gold"),
            (say("amended", target=one, effective_date="2999-01-01"), BadInput, "cannot be moved to a later day"),
            (say("elected", target=one, option="gold"), BadInput, "Options are split"),
            (say("elected", target=one), BadInput, "Name the option"),
            (say("elected", target=two, option="cash"), BadInput, "last day to choose was 2020-01-01"),
            (say("accepted", target="pro_x_1"), UnknownTarget, "proposals"),
        ]
        for wanted, kind, words in refused:
            with pytest.raises(kind, match=words):
                await state_here(platform, wanted)

    assert {"account": "main", "option": "shares"} == chosen.fields
    told = [entry for entry in FileArchive(data / ARCHIVE, read_only=True).journal() if isinstance(entry, ActionStated)]
    assert ["announced", "announced", "elected", "amended"] == [entry.said for entry in told]


async def test_a_proposal_is_accepted_with_its_evidence_or_rejected(data: Path) -> None:
    """Accepted it is an announcement; what is decided is decided once."""
    with tt.open(data) as session:
        instrument = session.instruments("BBB")["instrument_id"][0]
    found = rows(
        "findings",
        instrument_id=instrument,
        timeframe="1d",
        ts_event=[DAYS[20], DAYS[40]],
        provider="",
        check=["undeclared_split", "unexplained_jump"],
        severity="warning",
        explanation="the price went from 20 to 10 at once",
        repair_value=[2.0, None],
        round_id="rnd_x",
        ts_known=DAYS[50],
    )

    async with running(data) as platform:
        await platform.parts.store.commit({"findings": found, "repairs": repair(instrument)})
        split, jump = [one.proposal_id for one in await proposed(platform, instrument)]
        with pytest.raises(BadInput, match="give its type"):
            await tell(platform, say("accepted", target=jump))
        await tell(platform, say("accepted", target=split, why="seen"))
        await tell(platform, say("rejected", target=jump, why="news"))
        assert [(DAYS[20], "split", 2.0, "operator")] == await stored(platform, instrument)
        with pytest.raises(BadInput, match="rejected by ann: news"):
            await tell(platform, say("accepted", target=jump))
        with pytest.raises(BadInput, match="taken as it is"):
            await tell(platform, say("accepted", target=repair_of(instrument), value="2"))
        await tell(platform, say("rejected", target=repair_of(instrument)))

    with tt.open(data) as session:
        states = session.action_proposals()["state"].to_list()
        (said,) = session.action(session.announcements("BBB")["announcement_id"][0]).statements
    assert ["accepted", "rejected", "rejected"] == states
    assert said.why == "seen (undeclared_split: the price went from 20 to 10 at once)"


def repair_of(instrument: str) -> str:
    return instrument.replace("ins_", "rep_") + "_jdknlqycqvrl"


def repair(instrument: str) -> pl.DataFrame:
    """Return a repair of a dividend, proposed for the last of the days."""
    day = DAYS[50]
    texts = dict.fromkeys(("explanation", "evidence", "decision_id", "decided_by"), "")
    return rows(
        "repairs",
        repair_id=[repair_of(instrument)],
        instrument_id=instrument,
        record="actions",
        timeframe="1d",
        provider="yahoo",
        start=day,
        end=day,
        columns="dividend",
        kind="dividend_unit",
        edits=f'[[{day_start_ns(day)},"dividend",50.0,0.5]]',
        confidence=0.9,
        state="proposed",
        ts_known=day,
        **texts,
    )


async def proposed(platform: Platform, instrument: str) -> list[Proposal]:
    one = Selection(equal={"instrument_id": (instrument,)})
    tables = ("findings", "action_claims", "action_details", "action_statements")
    findings, claims, details, stated = [await platform.parts.store.read(table, one) for table in tables]
    return proposals(findings, announcements(claims, details, stated), stated)


async def test_a_statement_that_a_crash_kept_from_the_store_is_told_again(data: Path) -> None:
    """It stands in the journal; the next start stores it."""
    async with running(data) as platform:
        taken = await tell(platform, say("announced", symbol="BBB", **SPLIT))
    (data / "truetape.duckdb").unlink()

    async with running(data) as platform:
        rows = await platform.parts.store.read("action_statements")

    assert [taken.statement_id] == rows["statement_id"].to_list()


async def test_a_platform_that_serves_is_asked(data: Path) -> None:
    """By its address, or by whoever names its folder; what it refuses is refused here."""
    async with running(data) as platform:
        address = await platform.serve()
        (first,) = await asyncio.to_thread(state_at, address, [say("announced", symbol="BBB", **SPLIT)])
        both = [say("announced", symbol="BBB", **SPLIT), say("amended", target=first.announcement_id, value="4")]
        (second,) = await state(data, both)
        with pytest.raises(UnknownTarget):
            await asyncio.to_thread(state_at, address, [say("amended", target="ann_x_1", value="4")])
        await platform.parts.bus.drain()
        case = await asyncio.to_thread(lambda: asked(address, second.announcement_id))

    assert ["2", "4"] == [one.fields["value"] for one in case.versions]


def asked(address: str, target: str) -> ActionCase:
    with tt.open(address) as session:
        return session.action(target)


async def test_a_replay_of_the_journal_gives_the_same_answers(data: Path) -> None:
    """Golden rows and factors, and each announcement with its versions and knowledge times."""
    with tt.open(data) as session:
        identity = session.announcements("AAA")["announcement_id"][0]
    await state(data, [say("amended", target=identity, value="0.75"), say("cancelled", target=identity)])
    fresh = data.parent / "fresh"

    await replay(data, fresh)

    answers, rows = [], []
    for folder in (data, fresh):
        with tt.open(folder) as session:
            answers.append((session.action(identity), session.announcements("AAA").rows()))
            rows.append((session.upcoming_actions(start=DAYS[0]).rows(), golden(folder, "AAA")))
    assert (answers[0], rows[0]) == (answers[1], rows[1])
    assert first_close(data, "AAA") == first_close(fresh, "AAA")
    assert [
        ("announced", "0.5"),
        ("confirmed", "0.5"),
        ("confirmed", "0.5"),
        ("effective", "0.75"),
        ("cancelled", "0.75"),
    ] == [(one.status, one.fields["value"]) for one in answers[0][0].versions]
