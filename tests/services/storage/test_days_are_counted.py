"""The storage room counts what each day brought, and tells what is wrong."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import NOW, BothTimes, Heard, SteppingClock
from room_doubles import rows
from truetape.domain.errors import StoreUnavailable, WrongFolder
from truetape.domain.messages import BatchGraded, FindingsMade, FindingsStored
from truetape.domain.schema import TABLES, empty
from truetape.domain.wire import pack, unpack
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

MONDAY = date(2024, 6, 3)
SAME: dict[str, Any] = {"instrument_id": "ins_a", "timeframe": "1d", "ts_event": [MONDAY], "ts_known": [MONDAY]}
GOLD = rows("bars", **SAME, close=[1.0], agreed=["alpha"], provider="alpha", payload="p")
LOST = rows("quarantine", **SAME, provider="bravo", reason="stale", explanation="it repeats", payload="q")
FOUND = rows("findings", **SAME, provider="alpha", check="late", severity="warning", explanation="late", round_id="f")


class Room:
    """A storage room over doubles."""

    def __init__(self, **tables: pl.DataFrame) -> None:
        self.bus, self.store = Heard(), BothTimes(**tables)
        self.service = StorageService(bus=self.bus, store=self.store, config=StorageConfig())
        self.service.subscribe()

    def days(self) -> list[tuple[Any, ...]]:
        columns = ["session", "provider", "check", "count", "judged", "agreed", "version"]
        return list(self.store.rows["quality_daily"].select(columns).iter_rows())


def graded(golden: pl.DataFrame, quarantined: pl.DataFrame) -> BatchGraded:
    return BatchGraded(
        kind="bars",
        round_id="rnd",
        instrument_id="ins_a",
        timeframe="1d",
        start=MONDAY,
        end=MONDAY,
        ts_known=NOW,
        providers=("alpha",),
        golden=pack(golden),
        quarantined=pack(quarantined),
        findings=pack(empty(TABLES["findings"].columns)),
    )


async def test_a_day_is_counted_once_for_many_batches() -> None:
    """And again, as a new version, only when something has changed."""
    room = Room()
    await room.service.on_batch_graded(graded(GOLD, LOST))
    await room.service.settle()
    await room.service.settle()
    await room.service.on_batch_graded(graded(GOLD, LOST))
    await room.service.settle()
    before = [
        (MONDAY, "alpha", "", 0, 1, 1, 1),
        (MONDAY, "bravo", "", 1, 1, 0, 1),
        (MONDAY, "bravo", "stale", 1, 0, 0, 1),
    ]
    assert before == room.days()

    corrected = GOLD.with_columns(pl.lit("alpha,charlie").alias("agreed"))
    await room.service.on_batch_graded(graded(corrected, LOST))
    await room.service.settle()

    assert [*before, (MONDAY, "charlie", "", 0, 1, 1, 1)] == room.days()


async def test_what_is_wrong_is_told() -> None:
    """Quarantined claims of a batch under their reason, and findings that come without one."""
    room = Room()
    await room.service.on_batch_graded(graded(GOLD, LOST))
    made = FindingsMade(source="freshness", ts_known=NOW, findings=pack(FOUND))
    await room.bus.handlers["storage hears FindingsMade"](made)
    await room.service.settle()

    told = pl.concat([unpack(one.troubles) for one in room.bus.of(FindingsStored)])
    assert [("bravo", "stale", "quarantine", "it repeats"), ("alpha", "late", "warning", "late")] == list(
        told.select("provider", "check", "severity", "explanation").iter_rows()
    )
    assert (MONDAY, "alpha", "late", 1, 0, 0, 1) in room.days()


async def test_findings_of_the_other_kind_are_refused() -> None:
    """Simulated findings do not go into a folder of live data."""
    room = Room()
    with pytest.raises(WrongFolder):
        await room.service.on_findings_made(
            FindingsMade(source="p", ts_known=NOW, findings=pack(FOUND), simulated=True)
        )


async def test_days_that_could_not_be_counted_are_counted_the_next_time() -> None:
    """A full disk loses no day."""
    room = Room()
    await room.service.on_batch_graded(graded(GOLD, LOST))
    room.store.full = True
    with pytest.raises(StoreUnavailable):
        await room.service.settle()
    room.store.full = False
    await room.service.settle()

    assert 3 == len(room.days())


@pytest.mark.parametrize(("counted", "expected"), [(None, 1), ([date(2024, 6, 4)], 0), ([MONDAY], 1)])
async def test_a_start_counts_what_a_crash_left(counted: list[date] | None, expected: int) -> None:
    """Rounds that are newer than the newest count, or nearly; others are counted already."""
    mark = rows(
        "rounds", **{name: SAME[name] for name in ("instrument_id", "timeframe", "ts_known")}, round_id="rnd",
        kind="bars", start=[MONDAY], end=[MONDAY], providers="alpha", golden=1, quarantined=0,
    )  # fmt: skip
    older = empty(TABLES["quality_daily"].columns)
    if counted is not None:
        same = {"instrument_id": "ins_z", "timeframe": "1d", "provider": "z", "check": "", "severity": ""}
        numbers = dict.fromkeys(("count", "judged", "agreed", "missing"), 0)
        older = rows("quality_daily", session=counted, ts_known=counted, **same, **numbers)
    room = Room(bars=GOLD, rounds=mark, quality_daily=older)
    await room.service.catch_up()
    await room.service.settle()

    assert expected == len([row for row in room.days() if row[1] == "alpha"])


async def test_days_are_counted_for_ever() -> None:
    """Once a minute."""
    room, clock = Room(), SteppingClock()
    working = asyncio.create_task(room.service.work(clock))
    while len(clock.slept) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    working.cancel()

    assert [60.0] * 3 == clock.slept[:3]
