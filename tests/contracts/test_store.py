"""What every store promises."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Final

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store_rows import bar, closes, frame
from stores import STORES, Open, opened

from truetape.domain.errors import BadInput, SchemaMismatch, StoreUnavailable, WrongFolder
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import DAY_NS, day_start_ns
from truetape.ports.store import Selection

build = pytest.fixture(params=list(STORES))(opened)

EXTREMES: Final[dict[pl.DataType, tuple[object, object]]] = {  # the least and the greatest of every type
    pl.String(): ("", "Ærø \u2028 'quoted' \x00"),
    pl.Float64(): (5e-324, 187.14999389648438),
    pl.Boolean(): (False, True),
    pl.UInt32(): (0, 2**32 - 1),
    pl.Date(): (date(1, 1, 1), date(9999, 12, 31)),
}
ANYTHING: Final = (
    Selection(),
    Selection(as_of=5),
    Selection(history=True),
    Selection(at_version=0),
    Selection(at_version=0, as_of=5),
    Selection(since_version=0),
    Selection(withdrawn=True),
    Selection(withdrawn=True, history=True),
)
INSTANTS: Final = (-(2**63) + 10_000_000_000, 1_700_000_000_123_456_789)


def extremes(name: str) -> pl.DataFrame:
    """Three rows of table `name`: least values, greatest, and nulls in all columns that may be null."""
    table = TABLES[name]
    low, high = (
        {column: EXTREMES.get(dtype, INSTANTS)[end] for column, dtype in table.columns.items()} for end in (0, 1)
    )
    texts = {column: f"b{column}" for column in table.key if table.columns[column] == pl.String()}
    nothing = dict.fromkeys(table.columns) | {column: high[column] for column in table.key} | texts
    nothing |= {"ts_known": INSTANTS[1]} | ({"version": 1} if table.versioned else {})
    return frame(name, low, high, nothing).sort(table.key, nulls_last=True)


async def test_every_table_keeps_every_column(build: Open) -> None:
    """Values of every type, their least and their greatest, come back as they were, nanoseconds and nulls included."""
    rows = {name: extremes(name) for name in TABLES}
    store = build()
    await store.commit(rows)
    for name, expected in rows.items():
        assert_frame_equal(await store.read(name), expected)
        assert_frame_equal(pl.concat([some async for some in store.stream(name, rows=2)]), expected)
    await store.close()
    reader = build(read_only=True)
    for name, expected in rows.items():
        assert_frame_equal(await reader.read(name), expected)


async def test_a_new_store_is_empty(build: Open) -> None:
    """Every table reads as no rows with its columns, whatever is asked of both times, versions and withdrawals."""
    store = build()
    for table, declared in TABLES.items():
        for selection in ANYTHING:
            assert_frame_equal(await store.read(table, selection), empty(declared.columns))
    assert store.version() == 0


async def test_rows_come_back_in_the_order_of_the_key(build: Open) -> None:
    """However they were written: by instrument, then timeframe, then time."""
    store = build()
    await store.commit({"bars": frame("bars", bar(3, who="ins_b"), bar(2), bar(9, who="ins_a"))})
    await store.commit({"bars": frame("bars", bar(1, who="ins_b"), bar(1, who="ins_a"))})
    rows = await store.read("bars")
    assert rows.select("instrument_id", pl.col("ts_event").cast(pl.Int64) // DAY_NS).rows() == [
        ("ins_a", 1),
        ("ins_a", 2),
        ("ins_a", 9),
        ("ins_b", 1),
        ("ins_b", 3),
    ]
    assert await closes(store, equal={"instrument_id": ("ins_b",)}) == [(1, 1.0), (3, 1.0)]


async def test_both_bounds_of_the_event_time_are_inclusive(build: Open) -> None:
    """A session date as the end includes instants up to the last nanosecond of its day."""
    store = build()
    last = {**bar(3), "ts_event": 4 * DAY_NS - 1, "timeframe": "1m"}
    await store.commit({"bars": frame("bars", *(bar(day) for day in range(1, 6)), last)})
    third = date(1970, 1, 4)
    assert len(await closes(store, start=third, end=third)) == 2
    assert [day for day, _ in await closes(store, start=third)] == [3, 4, 5, 3]
    assert [day for day, _ in await closes(store, end=date(1970, 1, 3))] == [1, 2]
    assert len(await closes(store, start=date.min, end=date.max)) == 6
    assert await closes(store, start=date(9999, 1, 1)) == []


async def test_bounds_of_tables_by_date(build: Open) -> None:
    """Actions are bounded by ex-date, sessions by session; a table without an event time refuses bounds."""
    store = build()
    days = [date(2005, 2, 25), date(2005, 2, 28), date(2005, 3, 1)]
    actions = [{"instrument_id": "ins_a", "ex_date": day, "type": "split", "version": 1, "ts_known": 1} for day in days]
    sessions = [{"mic": "XNAS", "session": day, "version": 1, "ts_known": 1} for day in days]
    await store.commit({"actions": frame("actions", *actions), "sessions": frame("sessions", *sessions)})
    both = Selection(start=days[1], end=days[1])
    assert (await store.read("actions", both))["ex_date"].to_list() == days[1:2]
    assert (await store.read("sessions", both))["session"].to_list() == days[1:2]
    with pytest.raises(BadInput, match=r"start was '2005-02-28'.*no event time"):
        await store.read("listings", both)


async def test_selection_by_values_columns_and_limit(build: Open) -> None:
    """One value, several, none; chosen columns in their order; the first rows by key."""
    store = build()
    await store.commit({"bars": frame("bars", *(bar(day, day, who=who) for who in ("c", "b", "a") for day in (2, 1)))})
    several = Selection(equal={"instrument_id": ("c", "a"), "timeframe": ("1d",)}, columns=("close", "instrument_id"))
    assert (await store.read("bars", several)).rows() == [(1.0, "a"), (2.0, "a"), (1.0, "c"), (2.0, "c")]
    first = Selection(columns=("instrument_id",), limit=3)
    assert (await store.read("bars", first)).rows() == [("a",), ("a",), ("b",)]
    one = Selection(equal={"instrument_id": ("b",), "timeframe": ("1d",)}, columns=("close",), limit=1)
    assert (await store.read("bars", one)).rows() == [(1.0,)]
    assert await closes(store, equal={"instrument_id": ()}) == []
    assert await closes(store, limit=0) == []
    assert await closes(store, equal={"instrument_id": ("' OR 1=1 --",)}) == []


@pytest.mark.parametrize(
    ("table", "selection", "words"),
    [
        ("prices", Selection(), "table was 'prices'"),
        ("bars", Selection(columns=("clothes",)), "columns was 'clothes'.*close"),
        ("bars", Selection(equal={'x" OR 1=1 --': ("1",)}), "columns was"),
        ("bars", Selection(limit=-1), "limit was -1"),
    ],
)
async def test_what_does_not_exist_is_named(build: Open, table: str, selection: Selection, words: str) -> None:
    """Unknown tables and columns and negative limits are told with what there is."""
    with pytest.raises(BadInput, match=words):
        await build().read(table, selection)


async def test_a_replaced_row_stays_readable_as_it_was_known(build: Open) -> None:
    """Version 1 known at 100, version 2 at 200: before, between, after; and all of it in history."""
    store = build()
    await store.commit({"bars": frame("bars", bar(1, 10.0, known=100), bar(2, 20.0, known=100))})
    await store.commit({"bars": frame("bars", bar(1, 11.0, version=2, known=200))})
    assert await closes(store) == [(1, 11.0), (2, 20.0)]
    table = {99: [], 100: [(1, 10.0), (2, 20.0)], 199: [(1, 10.0), (2, 20.0)], 200: [(1, 11.0), (2, 20.0)]}
    assert {at: await closes(store, as_of=at) for at in table} == table
    assert await closes(store, as_of=2**70) == await closes(store)
    assert await closes(store, as_of=-(2**70)) == []
    assert await closes(store, history=True) == [(1, 10.0), (1, 11.0), (2, 20.0)]
    assert await closes(store, history=True, as_of=199) == [(1, 10.0), (2, 20.0)]
    assert await closes(store, history=True, limit=2) == [(1, 10.0), (1, 11.0)]


async def test_versions_may_come_late_together_and_again(build: Open) -> None:
    """Versions 3 and 1 in one commit, then 2, then all again: the greatest is current, each is visible in its time."""
    store = build()
    versions = [bar(1, float(number), version=number, known=number * 10) for number in (3, 1, 2)]
    assert await store.commit({"bars": frame("bars", *versions[:2])}) == 1
    assert await store.commit({"bars": frame("bars", versions[2])}) == 2
    assert await store.commit({"bars": frame("bars", *versions, *versions)}) == 2
    assert await closes(store) == [(1, 3.0)]
    assert await closes(store, history=True) == [(1, 1.0), (1, 2.0), (1, 3.0)]
    assert [await closes(store, as_of=at) for at in (9, 10, 20, 29, 30)] == [
        [],
        [(1, 1.0)],
        [(1, 2.0)],
        [(1, 2.0)],
        [(1, 3.0)],
    ]


async def test_tables_without_versions_only_grow(build: Open) -> None:
    """The first row of a key stays; repeats change nothing, inside a commit too; as_of hides what came later."""
    store = build()
    first = {"payload": "p", "kind": "bars", "reason": "first", "ts_known": 10}
    other = {"payload": "q", "kind": "bars", "reason": "other", "ts_known": 20}
    rows = frame("rejected_payloads", first, {**first, "reason": "again"})
    assert await store.commit({"rejected_payloads": rows}) == 1
    assert await store.commit({"rejected_payloads": rows}) == 1
    assert await store.commit({"rejected_payloads": frame("rejected_payloads", {**first, "reason": "x"}, other)}) == 2
    assert (await store.read("rejected_payloads"))["reason"].to_list() == ["first", "other"]
    assert (await store.read("rejected_payloads", Selection(as_of=19)))["reason"].to_list() == ["first"]


async def test_a_key_with_a_null_is_a_key(build: Open) -> None:
    """A finding about no instant in particular is kept once."""
    store = build()
    finding = {"round_id": "r", "instrument_id": "i", "timeframe": "1d", "ts_event": None, "ts_known": 1}
    for _ in range(2):
        await store.commit({"findings": frame("findings", finding, {**finding, "ts_event": 5})})
    assert (await store.read("findings"))["ts_event"].cast(pl.Int64).to_list() == [5, None]


async def test_a_commit_is_whole_or_not_at_all(build: Open) -> None:
    """One frame with a wrong column keeps the others out; so does a table that does not exist."""
    store = build()
    good = frame("bars", bar(1))
    with pytest.raises(SchemaMismatch, match="actions"):
        await store.commit({"bars": good, "actions": good})
    with pytest.raises(BadInput, match="prices"):
        await store.commit({"bars": good, "prices": good})
    assert (await closes(store), store.version()) == ([], 0)


async def test_the_version_grows_with_changes_and_outlives_the_process(build: Open) -> None:
    """Empty and repeated commits leave it; a new process goes on from it."""
    store = build()
    rows = frame("bars", bar(1))
    versions = [await store.commit(writes) for writes in ({}, {"bars": rows.clear()}, {"bars": rows}, {"bars": rows})]
    assert versions == [0, 0, 1, 1]
    await store.close()
    again = build()
    assert again.version() == 1
    assert await again.commit({"bars": frame("bars", bar(2))}) == 2


async def test_a_reader_sees_all_of_a_commit_or_nothing(build: Open) -> None:
    """While twenty commits write fifty rows each, every read finds a multiple of fifty, and never less than before."""
    store = build()

    async def write() -> None:
        for day in range(1, 21):
            rows = frame("bars", *(bar(day, who=f"ins_{number}") for number in range(50)))
            await store.commit({"bars": rows})

    writing = asyncio.create_task(write())
    seen = []
    while not writing.done():
        seen.append(len(await store.read("bars", Selection(columns=("close",)))))
    await writing
    assert {count % 50 for count in seen} == {0}
    assert seen == sorted(seen)


async def test_reading_only(build: Open) -> None:
    """A missing store is named and not made; commits are refused."""
    with pytest.raises(WrongFolder, match="holds no store yet"):
        build(read_only=True)
    with pytest.raises(WrongFolder, match="holds no store yet"):
        build(read_only=True)  # the first try made nothing
    await build().close()
    with pytest.raises(StoreUnavailable, match="for reading only"):
        await build(read_only=True).commit({"bars": frame("bars", bar(1))})


async def test_a_closed_store_says_so(build: Open) -> None:
    """Reading and writing after close are refused; closing twice is fine; what was begun before is done."""
    store = build()
    begun = asyncio.create_task(store.commit({"bars": frame("bars", bar(1))}))
    await asyncio.sleep(0)
    await store.close()
    assert await begun == 1
    await store.close()
    with pytest.raises(StoreUnavailable, match="it was closed"):
        await store.read("bars")
    with pytest.raises(StoreUnavailable, match="it was closed"):
        await store.commit({})


async def test_the_event_loop_runs_while_the_store_works(build: Open) -> None:
    """During a large commit other tasks get their turns."""
    store, turns = build(), 0
    rows = pl.concat([frame("bars", bar(1))] * 50_000).with_columns(
        ts_event=pl.int_range(50_000, dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    )
    writing = asyncio.create_task(store.commit({"bars": rows}))
    while not writing.done():
        turns += 1
        await asyncio.sleep(0)
    assert await writing == 1
    assert turns > 10


def test_instants_are_counted_from_1970() -> None:
    """The days of these tests are days after 1970."""
    assert day_start_ns(date(1970, 1, 4)) == 3 * DAY_NS
