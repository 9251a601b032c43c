"""Bars that come after all that the segments hold are answered from memory, as long as it is sure what they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store_rows import bar, frame, withdrawal, withdrawals

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Builder, Load, SegmentedStore
from truetape.adapters.read_segments import fresh as limits
from truetape.adapters.read_segments.fresh import Lines, Run, packed
from truetape.adapters.read_segments.marks import Marks, Span
from truetape.domain.errors import StoreUnavailable
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection

WHO = ("ins_a", "ins_b", "ins_c")
ALL = Selection(equal={"timeframe": ("1d",)})


class Counted(DuckdbStore):
    """A store that counts the questions about bars, and refuses commits when told to."""

    asked = 0
    is_full = False

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        self.asked += table == "bars"
        return await super().read(table, selection)

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        if self.is_full:
            raise StoreUnavailable(path="here", reason="the disk is full")
        return await super().commit(writes, withdrawals=withdrawals)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[tuple[Counted, SegmentedStore]]:
    """A store with a bar of day 800 of each of three instruments, all in segments."""
    inner = Counted(tmp_path / "truetape.duckdb")
    store = SegmentedStore(inner, tmp_path / "segments", identity="one")
    await store.commit({"bars": frame("bars", *(bar(800, who=who) for who in WHO))})
    await Builder(inner, store.library, load=Load()).build()
    yield inner, store
    await store.close()


def one(who: str, **more: object) -> Selection:
    return Selection(equal={"timeframe": ("1d",), "instrument_id": (who,)}, **more)  # type: ignore[arg-type]


def closes(rows: pl.DataFrame) -> list[float]:
    return rows["close"].to_list()


async def test_new_days_are_not_asked_of_the_store(stores: tuple[Counted, SegmentedStore]) -> None:
    """Of one instrument and of all, in a range, as known earlier, the newest ones, and up to a version."""
    inner, store = stores
    versions = [
        await store.commit({"bars": frame("bars", *(bar(day, float(day), who=who, known=day) for who in WHO))})
        for day in (801, 802)
    ]
    inner.asked = 0
    on = date(1970, 1, 1) + timedelta(days=802)
    assert closes(await store.read("bars", one("ins_b"))) == [1.0, 801.0, 802.0]
    assert closes(await store.read("bars", one("ins_b", as_of=801))) == [1.0, 801.0]
    assert closes(await store.read("bars", one("ins_b", at_version=versions[1], limit=2))) == [1.0, 801.0]
    assert closes(await store.read("bars", Selection(equal=ALL.equal, start=on, end=on))) == [802.0] * 3
    assert closes(await store.read("bars", ALL)) == [1.0, 801.0, 802.0] * 3
    assert closes(await store.latest(WHO, timeframe="1d")) == [802.0] * 3
    assert inner.asked == 0
    assert closes(await store.read("bars", one("ins_b", at_version=versions[0]))) == [1.0, 801.0]
    assert inner.asked == 1


@pytest.mark.parametrize(
    "later",
    [
        frame("bars", bar(801, 7.0, version=2)),  # a correction
        frame("bars", bar(799, 7.0)),  # late
        frame("bars", bar(801, 7.0)),  # a repeat, which the store ignores
        frame("bars", bar(802, 7.0), bar(802, 8.0)),  # two of one instant, of which the first counts
        frame("bars", bar(802, 7.0), bar(1200, 8.0)),  # in two periods
    ],
)
async def test_what_may_not_be_the_last_word_is_asked_of_the_store(
    stores: tuple[Counted, SegmentedStore], later: pl.DataFrame
) -> None:
    """Only about the instrument that it is of; the others are still answered from memory."""
    inner, store = stores
    await store.commit({"bars": frame("bars", bar(801), bar(801, who="ins_b"))})
    await store.commit({"bars": later})
    inner.asked = 0
    await store.read("bars", one("ins_b"))
    assert inner.asked == 0
    for selection in (one("ins_a"), ALL, one("ins_a", as_of=100)):
        assert_frame_equal(await store.read("bars", selection), await inner.read("bars", selection))
    assert inner.asked == 6


async def test_a_bar_that_was_withdrawn_before_stays_away(stores: tuple[Counted, SegmentedStore]) -> None:
    """The store ignores its first version when it comes again, after new segments too."""
    inner, store = stores
    await store.commit({"bars": frame("bars", bar(801))})
    await store.commit({}, withdrawals=withdrawals(withdrawal(801, version=2)))
    for _ in range(2):
        await store.commit({"bars": frame("bars", bar(801))})
        assert closes(await store.read("bars", one("ins_a"))) == [1.0]
        await Builder(inner, store.library, load=Load()).build()


async def test_a_commit_that_failed_leaves_the_answer_to_the_store(stores: tuple[Counted, SegmentedStore]) -> None:
    """Nothing is believed of it."""
    inner, store = stores
    inner.is_full = True
    with pytest.raises(StoreUnavailable):
        await store.commit({"bars": frame("bars", bar(801))})
    inner.is_full, inner.asked = False, 0
    assert closes(await store.read("bars", one("ins_a"))) == [1.0]
    assert inner.asked == 1


async def test_commits_at_once_of_one_instrument(stores: tuple[Counted, SegmentedStore]) -> None:
    """Which of them came first only the store knows."""
    inner, store = stores
    days = range(801, 811)
    await asyncio.gather(*(store.commit({"bars": frame("bars", bar(day, float(day)))}) for day in days))
    assert_frame_equal(await store.read("bars", one("ins_a")), await inner.read("bars", one("ins_a")))


async def test_new_segments_take_over(stores: tuple[Counted, SegmentedStore]) -> None:
    """What they hold is in memory no more, and in no answer twice; what comes after is kept again."""
    inner, store = stores
    for day in range(801, 840):
        await store.commit({"bars": frame("bars", bar(day, float(day)))})
    await Builder(inner, store.library, load=Load()).build()
    await store.commit({"bars": frame("bars", bar(840, 840.0), bar(840, 9.0, who="ins_new"))})
    inner.asked = 0
    assert closes(await store.read("bars", one("ins_a"))) == [1.0, *map(float, range(801, 841))]
    assert closes(await store.read("bars", one("ins_new"))) == [9.0]
    assert inner.asked == 0


def test_memory_is_bounded() -> None:
    """Beyond so many rows in all, instruments are left to the store; room comes back with new segments."""
    rows = pl.DataFrame({"close": pl.repeat(1.0, limits.MOST_ROWS, eager=True)})
    marks = Marks()

    def write(who: str, count: int) -> int:
        span = Span("1d", who, 5 * DAY_NS, 6 * DAY_NS)
        begun = marks.begin([span], lines={span: Lines(rows, 0, count)}, ends={span: 0})
        marks.end(begun, version=7, is_written=True)
        touched = marks.touched("1d", instruments=[who], first=0, last=9 * DAY_NS)
        assert touched is not None
        return sum(run.lines.count for run in touched.runs)

    assert [write("a", limits.MOST_ROWS - 1), write("b", 2), write("c", 1)] == [limits.MOST_ROWS - 1, 0, 1]
    marks.forget("1d", "1970", version=7)
    assert write("b", 2) == 2


def test_many_runs_become_one() -> None:
    """Rows and their order stay, and the version from which on all of them stand."""
    rows = frame("bars", *(bar(day, float(day)) for day in range(limits.MOST_RUNS + 1)))
    runs = [Run("ins_a", Lines(rows, place, 1), place) for place in range(len(rows))]
    (run,) = packed(runs)
    assert_frame_equal(run.lines.frame, rows)
    assert (run.lines.start, run.lines.count, run.after) == (0, len(rows), limits.MOST_RUNS)
    assert packed(runs[1:]) == runs[1:]
