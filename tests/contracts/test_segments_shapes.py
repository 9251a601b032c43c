"""Minutes and days, many instruments and few, what is known when: rows come out of segments as they went in."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store_rows import bar, frame

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Builder, Load, Progress, SegmentedStore
from truetape.adapters.read_segments.decode import Piece, decode
from truetape.adapters.read_segments.encode import encode
from truetape.adapters.read_segments.files import write_segment
from truetape.adapters.read_segments.latest import MANY, Board
from truetape.adapters.read_segments.layout import COLUMNS, NUMBERS, periods, periods_between
from truetape.adapters.read_segments.lists import Lists
from truetape.adapters.read_segments.marks import ALL, Marks, Span, Touched
from truetape.adapters.read_segments.segment import Segment
from truetape.domain.time import DAY_NS, TIMEFRAMES
from truetape.ports.store import Selection

MINUTE_NS = 60 * 10**9
FIRST = (date(2020, 1, 31) - date(1970, 1, 1)).days


def minute(day: int, number: int, who: str, known: int = 100) -> dict[str, object]:
    told = bar(day, float(number), who=who, known=known) | {name: number + 0.5 for name in NUMBERS if name != "close"}
    return {**told, "timeframe": "1m", "ts_event": day * DAY_NS + number * MINUTE_NS, "payload": f"{day}-{number % 2}"}


def segment_of(folder: Path, *rows: dict[str, object]) -> tuple[Segment, pl.DataFrame]:
    bars = frame("bars", *rows).sort("instrument_id", "ts_event")
    part = write_segment(folder, "1m/2020-01/000", encode(bars))
    return Segment(folder / part.folder, rows=part.rows), bars


@pytest.mark.parametrize("most", [0, 100])
def test_rows_by_their_numbers(tmp_path: Path, most: int) -> None:
    """Slices and single rows of any segment, whether its lists are put together or looked up one by one."""
    rows = [minute(FIRST + day, number, who) for who in "ab" for day in (0, 1) for number in (3, 4, 5)]
    segment, bars = segment_of(tmp_path, *rows)
    lists = Lists([segment], most=most)
    pieces = [
        Piece(segment, slice(0, 6), "a"),
        Piece(segment, segment.on_days((FIRST + 1) * DAY_NS, (FIRST + 2) * DAY_NS)),
    ]
    wanted = pl.concat([bars.head(6), bars.filter(pl.col("ts_event").cast(pl.Int64) >= (FIRST + 1) * DAY_NS)])
    assert_frame_equal(decode(pieces, tuple(COLUMNS), timeframe="1m", lists=lists), wanted)
    for columns in (("close",), ("payload", "instrument_id"), ("timeframe", "score")):
        assert_frame_equal(decode(pieces, columns, timeframe="1m", lists=lists), wanted.select(columns))
    assert decode([], ("close",), timeframe="1m", lists=lists).shape == (0, 1)


def test_rows_known_by_an_instant(tmp_path: Path) -> None:
    """The first ones, others than the first, all of them, none."""
    segment, bars = segment_of(
        tmp_path, *(minute(FIRST, number, "a", known) for number, known in enumerate((1, 3, 2, 9)))
    )
    lists = Lists([segment])
    for rows in (slice(0, 4), segment.on_days(FIRST * DAY_NS, (FIRST + 1) * DAY_NS)):
        for at in (0, 1, 2, 3, 9):
            found = decode([Piece(segment, rows, "a").known_by(at)], tuple(COLUMNS), timeframe="1m", lists=lists)
            assert_frame_equal(found, bars.filter(pl.col("ts_known").cast(pl.Int64) <= at))


async def test_minutes_of_two_months(tmp_path: Path) -> None:
    """One instrument, one day of all, the last day of a month and the first of the next: as the store has them."""
    inner = DuckdbStore(tmp_path / "truetape.duckdb")
    store = SegmentedStore(inner, tmp_path / "segments", identity="one")
    rows = [minute(FIRST + day, number, who) for who in "cab" for day in (0, 1, 2) for number in range(5)]
    await store.commit({"bars": frame("bars", *rows)})
    seen: list[Progress] = []
    load = Load()
    with load.one():
        building = asyncio.create_task(Builder(inner, store.library, load=load).build(seen=seen.append))
        await asyncio.sleep(0.1)
    assert await building == 2
    assert [(one.period.label, one.rows, one.left) for one in seen] == [("2020-02", 30, 1), ("2020-01", 15, 0)]
    for day in (None, *(date(2020, 1, 31) + timedelta(days=more) for more in range(4))):
        for names in ({}, {"instrument_id": ("b",)}, {"instrument_id": ("c", "a")}):
            asked = Selection(equal={"timeframe": ("1m",), **names}, start=day, end=day)
            assert_frame_equal(await store.read("bars", asked), await inner.read("bars", asked))
    assert (await store.latest(["a", "b"], timeframe="1m"))["close"].to_list() == [4.0, 4.0]
    await store.close()


async def test_what_was_written_after_a_crash_is_found_out(tmp_path: Path) -> None:
    """Bars that were committed without the segments' knowing are in the answers, at once and afterwards."""
    inner = DuckdbStore(tmp_path / "truetape.duckdb")
    store = SegmentedStore(inner, tmp_path / "segments", identity="one")
    await store.commit({"bars": frame("bars", bar(1), bar(2))})
    await Builder(inner, store.library, load=Load()).build()
    await inner.commit({"bars": frame("bars", bar(2, 7.0, version=2), bar(900))})
    await inner.close()
    inner = DuckdbStore(tmp_path / "truetape.duckdb")
    store = SegmentedStore(inner, tmp_path / "segments", identity="one")
    asked = Selection(equal={"timeframe": ("1d",), "instrument_id": ("ins_a",)}, columns=("close",))
    for _ in range(2):
        assert (await store.read("bars", asked))["close"].to_list() == [1.0, 7.0, 1.0]
        await store.library.ready()
    assert store.library.marks.labels() == {
        ("1d", label): 1 for label in ("1970", "1971", "1972")
    }  # from first to last
    await store.close()


def test_periods_cover_all_instants_once() -> None:
    """Each ends where the next begins; a timeframe that there is none of has none."""
    for timeframe in TIMEFRAMES:
        found = periods(timeframe)
        assert [one.end for one in found[:-1]] == [one.first for one in found[1:]]
        assert (found[0].first, found[-1].end) == (-(2**63), 2**63 - 1)
    assert [one.label for one in periods_between("1d", -1, 0)] == ["before", "1970"]
    assert (periods("2d"), periods_between("2d", 0, 1)) == ((), ())


def test_many_marks_become_one() -> None:
    """Of a period in which too many instruments were written to, everything is asked of the store."""
    marks = Marks(most=2)
    marks.add([Span("1d", "a", 10, 20)], version=1)
    assert marks.touched("1d", instruments=["b"], first=0, last=99) is None
    begun = marks.begin([Span("1d", "b", 30, 40), Span("1d", "c", 50, 60), Span("1d", "d", 70, 80)])
    assert marks.touched("1d", instruments=["x"], first=0, last=99) == Touched(frozenset({ALL}), 10, 80)
    assert marks.touched("1d", instruments=None, first=90, last=99) is None
    marks.forget("1d", "1970", version=1)
    assert marks.touched("1d", instruments=None, first=0, last=25) == Touched(frozenset({ALL}), 10, 25)
    marks.end(begun, version=2, is_written=True)
    marks.forget("1d", "1970", version=2)
    marks.forget("1d", "1971", version=2)
    assert (marks.labels(), marks.spans()) == ({}, [])


def test_the_rows_of_some_of_very_many_instruments() -> None:
    """They are found by their names, known and unknown ones, first, last and between."""
    names = [f"ins_{number:06d}" for number in range(2 * MANY)]
    board = Board(pl.DataFrame({"instrument_id": names, "row": range(len(names))}))
    asked = sorted([names[0], names[777], names[-1], "ins_000777x", "a", "z"])
    assert [0, 777, len(names) - 1] == board.of(pl.Series(asked))["row"].to_list()
    assert [5] == board.of(pl.Series(names[5:6]))["row"].to_list()
    assert board.of(pl.Series([], dtype=pl.String)).is_empty()
    few = Board(board.rows.head(10))
    assert [3] == few.of(pl.Series(["a", names[3], "z"]))["row"].to_list()
    assert Board(board.rows.clear()).of(pl.Series(["a"])).is_empty()
