"""What every store promises."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import BadInput, FolderInUse, SchemaMismatch, StoreUnavailable, WrongFolder
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import DAY_NS, day_start_ns
from truetape.ports.store import Selection

Build = Callable[..., DuckdbStore]

BLANKS: dict[pl.DataType, object] = {pl.String(): "", pl.Float64(): None, pl.Boolean(): True, pl.UInt32(): 0}


def frame(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of `table`: what is not given is blank, instants are nanoseconds."""
    columns = TABLES[table].columns
    filled = [{name: row.get(name, BLANKS.get(dtype)) for name, dtype in columns.items()} for row in rows]
    return pl.DataFrame(
        {name: pl.Series([row[name] for row in filled], dtype=_plain(dtype)) for name, dtype in columns.items()}
    ).cast(dict(columns))  # type: ignore[arg-type]


def _plain(dtype: pl.DataType) -> pl.DataType:
    return pl.Int64() if isinstance(dtype, pl.Datetime) else dtype


def bar(
    day: int, close: float | None = 1.0, *, version: int = 1, known: int = 100, who: str = "ins_a"
) -> dict[str, Any]:
    """A daily bar of day `day` after 1970."""
    return {
        "instrument_id": who,
        "timeframe": "1d",
        "ts_event": day * DAY_NS,
        "close": close,
        "version": version,
        "ts_known": known,
    }


@pytest.fixture(params=[DuckdbStore])
async def build(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Build]:
    """Open the one store of this test, as often as wanted."""
    built: list[DuckdbStore] = []

    def make(**options: Any) -> DuckdbStore:
        built.append(request.param(tmp_path / "truetape.duckdb", **options))
        return built[-1]

    yield make
    for store in built:
        await store.close()


async def closes(store: DuckdbStore, **selection: Any) -> list[tuple[int, float]]:
    rows = await store.read("bars", Selection(**selection))
    return [(row["ts_event"].timestamp() // 86_400, row["close"]) for row in rows.iter_rows(named=True)]


@pytest.mark.parametrize("table", list(TABLES))
async def test_every_table_keeps_every_column(build: Build, table: str) -> None:
    """Values of every type, their least and their greatest, come back as they were, nanoseconds and nulls included."""
    extremes: dict[pl.DataType, tuple[object, object]] = {
        pl.String(): ("", "Ærø \u2028 'quoted' \x00"),
        pl.Float64(): (5e-324, 187.14999389648438),
        pl.Boolean(): (False, True),
        pl.UInt32(): (0, 2**32 - 1),
        pl.Date(): (date(1, 1, 1), date(9999, 12, 31)),
    }
    instants = (-(2**63) + 10_000_000_000, 1_700_000_000_123_456_789)
    columns = TABLES[table].columns
    low = {name: extremes.get(dtype, instants)[0] for name, dtype in columns.items()}
    high = {name: extremes.get(dtype, instants)[1] for name, dtype in columns.items()}
    nothing: dict[str, object] = {
        name: (f"b{name}" if name in TABLES[table].key and dtype == pl.String() else None)
        for name, dtype in columns.items()
    }
    nothing |= {name: high[name] for name in TABLES[table].key if name not in {k for k in nothing if nothing[k]}}
    nothing |= {"ts_known": instants[1]} | ({"version": 1} if TABLES[table].versioned else {})
    rows = frame(table, low, high, nothing)
    store = build()
    await store.commit({table: rows})
    expected = rows.sort(TABLES[table].key, nulls_last=True)
    assert_frame_equal(await store.read(table), expected)
    await store.close()
    assert_frame_equal(await build(read_only=True).read(table), expected)


async def test_a_new_store_is_empty(build: Build) -> None:
    """Every table reads as no rows with its columns, also as of some time and with history."""
    store = build()
    for table, declared in TABLES.items():
        for selection in (Selection(), Selection(as_of=5), Selection(history=True)):
            assert_frame_equal(await store.read(table, selection), empty(declared.columns))
    assert store.version() == 0


async def test_rows_come_back_in_the_order_of_the_key(build: Build) -> None:
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


async def test_both_bounds_of_the_event_time_are_inclusive(build: Build) -> None:
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


async def test_bounds_of_tables_by_date(build: Build) -> None:
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


async def test_selection_by_values_columns_and_limit(build: Build) -> None:
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
async def test_what_does_not_exist_is_named(build: Build, table: str, selection: Selection, words: str) -> None:
    """Unknown tables and columns and negative limits are told with what there is."""
    with pytest.raises(BadInput, match=words):
        await build().read(table, selection)


async def test_a_replaced_row_stays_readable_as_it_was_known(build: Build) -> None:
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


async def test_versions_may_come_late_together_and_again(build: Build) -> None:
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


async def test_tables_without_versions_only_grow(build: Build) -> None:
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


async def test_a_key_with_a_null_is_a_key(build: Build) -> None:
    """A finding about no instant in particular is kept once."""
    store = build()
    finding = {"round_id": "r", "instrument_id": "i", "timeframe": "1d", "ts_event": None, "ts_known": 1}
    for _ in range(2):
        await store.commit({"findings": frame("findings", finding, {**finding, "ts_event": 5})})
    assert (await store.read("findings"))["ts_event"].cast(pl.Int64).to_list() == [5, None]


async def test_a_commit_is_whole_or_not_at_all(build: Build) -> None:
    """One frame with a wrong column keeps the others out; so does a table that does not exist."""
    store = build()
    good = frame("bars", bar(1))
    with pytest.raises(SchemaMismatch, match="actions"):
        await store.commit({"bars": good, "actions": good})
    with pytest.raises(BadInput, match="prices"):
        await store.commit({"bars": good, "prices": good})
    assert (await closes(store), store.version()) == ([], 0)


async def test_the_version_grows_with_changes_and_outlives_the_process(build: Build) -> None:
    """Empty and repeated commits leave it; a new process goes on from it."""
    store = build()
    rows = frame("bars", bar(1))
    versions = [await store.commit(writes) for writes in ({}, {"bars": rows.clear()}, {"bars": rows}, {"bars": rows})]
    assert versions == [0, 0, 1, 1]
    await store.close()
    again = build()
    assert again.version() == 1
    assert await again.commit({"bars": frame("bars", bar(2))}) == 2


async def test_a_reader_sees_all_of_a_commit_or_nothing(build: Build) -> None:
    """While twenty commits write to two tables, every read finds as many rows in one as an earlier one in the other."""
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


def _killed_after(lines: int, code: str, path: Path) -> int:
    """Run `code` on `path`, kill it after it printed so many numbers, and return the last one."""
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        writer.kill()
        return int([*said, *writer.stdout.read().split()][-1])


async def test_a_commit_survives_kill_9(tmp_path: Path) -> None:
    """A process commits, says so, and is killed: everything that it said is there, and nothing half."""
    code = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from {Path(__file__).stem} import bar, frame
from truetape.adapters.duckdb_store import DuckdbStore

async def main():
    store = DuckdbStore(Path(sys.argv[1]))
    for day in range(1, 10**6):
        await store.commit({{"bars": frame("bars", bar(day), bar(day, who="ins_b"))}})
        print(day, flush=True)

asyncio.run(main())
"""
    path = tmp_path / "truetape.duckdb"
    said = _killed_after(10, code, path)
    store = DuckdbStore(path)
    rows = (await store.read("bars")).group_by("instrument_id").len().sort("instrument_id").rows()
    assert rows == [("ins_a", store.version()), ("ins_b", store.version())]
    assert store.version() >= said
    await store.close()


@pytest.mark.parametrize("threshold", ["16MB", "50KB"], ids=["log", "checkpoint"])
def test_a_full_disk_writes_nothing_and_is_overcome(tmp_path: Path, threshold: str) -> None:
    """Where the log or the file cannot grow, the commit fails whole; with room again, the same store takes it."""
    code = f"""
import asyncio, resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import numpy as np
import polars as pl
from {Path(__file__).stem} import bar, closes, frame
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import StoreUnavailable

path = Path(sys.argv[1])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
one = frame("bars", bar(1))
many = pl.concat([frame("bars", bar(day)) for day in range(2, 5)] * 7000).with_columns(
    instrument_id=pl.Series([f"ins_{{number}}" for number in range(21000)]), close=pl.Series(np.random.rand(21000)))

async def main():
    store = DuckdbStore(path)
    await store.commit({{"bars": one}})
    await store.close()
    store = DuckdbStore(path)
    store._connection.execute("SET GLOBAL checkpoint_threshold = '{threshold}'")
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 200_000, hard))
    for _ in range(3):
        try:
            await store.commit({{"bars": many}})
        except StoreUnavailable as error:
            print("File too large" in error.reason, error.path == str(path), store.version())
        try:
            print(await closes(store))
        except StoreUnavailable:
            print(await closes(store))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        version = await store.commit({{"bars": many}})
    except StoreUnavailable:
        version = await store.commit({{"bars": many}})
    print(version, len(await closes(store)))
    await store.close()

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "truetape.duckdb")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True True 1", "[(1.0, 1.0)]"] * 3 + ["2 21001"]


@pytest.mark.parametrize("room", [0, 5_000, 20_000, 100_000])
def test_a_disk_too_full_for_a_new_store_leaves_none(tmp_path: Path, room: int) -> None:
    """Making the store fails with the reason, nothing stays behind, and it is made when there is room."""
    code = """
import asyncio, resource, sys
from pathlib import Path
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import StoreUnavailable

path = Path(sys.argv[1])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
try:
    DuckdbStore(path)
except StoreUnavailable as error:
    print("File too large" in error.reason, sorted(path.parent.iterdir()))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
asyncio.run(DuckdbStore(path).close())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "truetape.duckdb"), str(room)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("True []\n", "")


async def test_a_store_left_half_made_is_made_anew(tmp_path: Path) -> None:
    """What a crash left of a store that was being made is in nobody's way."""
    (tmp_path / ".truetape.duckdb.new").write_bytes(b"half")
    await DuckdbStore(tmp_path / "truetape.duckdb").close()
    await DuckdbStore(tmp_path / "truetape.duckdb", read_only=True).close()


def _database(path: Path, *statements: str) -> None:
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    """Garbage, an empty file, a folder, and a database of another program are refused with the way out."""
    garbage, nothing, folder, other = (tmp_path / name for name in ("garbage", "nothing", "folder", "other"))
    garbage.write_bytes(b"symbol,close\n" * 1000)
    nothing.write_bytes(b"")
    folder.mkdir()
    _database(other, "CREATE TABLE prices (close DOUBLE)")
    for path in (garbage, nothing, folder):
        with pytest.raises(WrongFolder, match=f"{path}.*the file is no store that can be read"):
            DuckdbStore(path)
    with pytest.raises(WrongFolder, match="it is a DuckDB database of another program"):
        DuckdbStore(other)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE truetape_meta SET format = 2", "the store has format 2 and this version of truetape reads format 1"),
        ("ALTER TABLE bars DROP COLUMN close", "its table bars has other columns than expected.*truetape replay"),
        ("DROP TABLE bars_past", "its table bars_past has other columns"),
        ("DELETE FROM truetape_meta", "the store has format None"),
    ],
)
async def test_a_store_of_another_version_is_named(tmp_path: Path, statement: str, words: str) -> None:
    """Another format or other columns are told at once, with the way out."""
    path = tmp_path / "truetape.duckdb"
    await DuckdbStore(path).close()
    _database(path, statement)
    with pytest.raises(WrongFolder, match=words):
        DuckdbStore(path)


def test_a_store_that_another_process_writes_is_in_use(tmp_path: Path) -> None:
    """The other process is named; when it has ended the store opens."""
    path = tmp_path / "truetape.duckdb"
    code = (
        "import sys\nfrom pathlib import Path\nfrom truetape.adapters.duckdb_store import DuckdbStore\n"
        "store = DuckdbStore(Path(sys.argv[1]))\nprint('open', flush=True)\nsys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        for read_only in (False, True):
            with pytest.raises(FolderInUse, match=f"in use by process {other.pid}"):
                DuckdbStore(path, read_only=read_only)
        other.kill()
    asyncio.run(DuckdbStore(path).close())


async def test_reading_only(build: Build) -> None:
    """A missing store is named and not made; commits are refused."""
    with pytest.raises(WrongFolder, match="it holds no store yet"):
        build(read_only=True)
    with pytest.raises(WrongFolder, match="it holds no store yet"):
        build(read_only=True)  # the first try made nothing
    await build().close()
    with pytest.raises(StoreUnavailable, match="for reading only"):
        await build(read_only=True).commit({"bars": frame("bars", bar(1))})


async def test_a_place_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """A store in a missing folder cannot be made, and says where."""
    with pytest.raises(StoreUnavailable, match=r"missing.*No such file"):
        DuckdbStore(tmp_path / "missing" / "truetape.duckdb")


async def test_a_closed_store_says_so(build: Build) -> None:
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


async def test_the_event_loop_runs_while_the_store_works(build: Build) -> None:
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


# one step: (day, version, known) triples to commit together
STEPS = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9)), min_size=1, max_size=5),
    min_size=1,
    max_size=6,
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_any_history_of_commits_matches_a_model(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[tuple[int, int, int]]]
) -> None:
    """Against a dictionary by (day, version): at any time the greatest version known then is what is seen."""
    store = DuckdbStore(tmp_path_factory.mktemp("store") / "truetape.duckdb")
    model: dict[tuple[int, int], tuple[int, float]] = {}
    changes = number = 0
    for step in steps:
        rows = []
        before = len(model)
        for day, version, known in step:
            number += 1
            rows.append(bar(day, float(number), version=version, known=known))
            model.setdefault((day, version), (known, float(number)))
        changes += len(model) > before
        assert await store.commit({"bars": frame("bars", *rows)}) == changes
    for at in (None, *range(10)):
        seen = {}
        for (day, _), (known, close) in sorted(model.items()):
            if at is None or known <= at:
                seen[day] = close
        assert dict(await closes(store, as_of=at)) == seen
    everything = [(day, close) for (day, _), (_, close) in sorted(model.items())]
    assert await closes(store, history=True) == everything
    await store.close()


def test_instants_are_counted_from_1970() -> None:
    """The days of these tests are days after 1970."""
    assert day_start_ns(date(1970, 1, 4)) == 3 * DAY_NS
