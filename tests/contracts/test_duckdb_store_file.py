"""What the store in one DuckDB file makes of kills, full disks, foreign files and other processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from store_rows import bar, closes, frame, withdrawal, withdrawals

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.duckdb_store.names import columns_in_sql
from truetape.domain.errors import BadInput, FolderInUse, StoreUnavailable, WrongFolder

FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
import numpy as np
import polars as pl
from store_rows import bar, closes, frame
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import StoreUnavailable

path = Path(sys.argv[1])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
one = frame("bars", bar(1))
many = pl.concat([frame("bars", bar(day)) for day in range(2, 5)] * 7000).with_columns(
    instrument_id=pl.Series([f"ins_{number}" for number in range(21000)]), close=pl.Series(np.random.rand(21000)))

async def main():
    store = DuckdbStore(path)
    await store.commit({"bars": one})
    await store.close()
    store = DuckdbStore(path)
    store._connection.execute(f"SET GLOBAL checkpoint_threshold = '{sys.argv[2]}'")
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 200_000, hard))
    for _ in range(3):
        try:
            await store.commit({"bars": many})
        except StoreUnavailable as error:
            print("File too large" in error.reason, error.path == str(path), store.version())
        try:
            print(await closes(store))
        except StoreUnavailable:
            print(await closes(store))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        version = await store.commit({"bars": many})
    except StoreUnavailable:
        version = await store.commit({"bars": many})
    print(version, len(await closes(store)))
    await store.close()

asyncio.run(main())
"""


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
from store_rows import bar, frame
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
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n" + FULL_DISK
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "truetape.duckdb"), threshold],
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
        ("UPDATE truetape_meta SET format = 3", "the store has format 3 and this version of truetape reads format 2"),
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


async def _of_format_1(path: Path) -> None:
    """Make a store of two bars, one of them corrected, as the first format kept it: without numbers of commits."""
    store = DuckdbStore(path)
    await store.commit({"bars": frame("bars", bar(1, 10.0), bar(2, 20.0))})
    await store.commit({"bars": frame("bars", bar(1, 11.0, version=2, known=200))})
    await store.close()
    hidden = ("version_written", "version_since", "version_replaced", "version_until")
    forgotten = [
        f'ALTER TABLE "{name}" DROP COLUMN {column}'
        for name, columns in columns_in_sql().items()
        for column in hidden
        if column in columns and not name.endswith("_withdrawn")
    ]
    dropped = [f'DROP TABLE "{name}"' for name in columns_in_sql() if name.endswith("_withdrawn")]
    meta = ["UPDATE truetape_meta SET format = 1", "ALTER TABLE truetape_meta DROP COLUMN readable_from"]
    _database(path, *forgotten, *dropped, *meta, "DROP TABLE votes")


async def test_a_store_of_the_first_format_is_brought_to_the_present_one(tmp_path: Path) -> None:
    """Every row stays, everything counts as written by the last commit, and older states are refused, not invented."""
    path = tmp_path / "truetape.duckdb"
    await _of_format_1(path)
    for _ in range(2):
        store = DuckdbStore(path)
        assert store.version() == 2
        assert await closes(store) == await closes(store, at_version=2) == [(1, 11.0), (2, 20.0)]
        assert await closes(store, as_of=150) == await closes(store, at_version=2, as_of=150) == [(1, 10.0), (2, 20.0)]
        assert await closes(store, history=True, since_version=1) == [(1, 10.0), (1, 11.0), (2, 20.0)]
        assert await closes(store, history=True, since_version=2) == []
        with pytest.raises(BadInput, match=r"at_version was 1.*its versions 2 to 2"):
            await closes(store, at_version=1)
        await store.close()
    store = DuckdbStore(path)
    assert await store.commit({}, withdrawals=withdrawals(withdrawal(1, version=3, known=300))) == 3
    assert await closes(store) == [(2, 20.0)]
    assert await closes(store, at_version=2) == [(1, 11.0), (2, 20.0)]
    await store.close()


async def test_a_store_of_the_first_format_is_not_changed_by_readers(tmp_path: Path) -> None:
    """They say what brings it to the present format."""
    path = tmp_path / "truetape.duckdb"
    await _of_format_1(path)
    with pytest.raises(WrongFolder, match=r"format 1, not yet 2.*truetape up"):
        DuckdbStore(path, read_only=True)


async def test_a_change_of_format_that_fails_changes_nothing(tmp_path: Path) -> None:
    """A table that is in the way of the new format stops the change; without it, it goes through whole."""
    path = tmp_path / "truetape.duckdb"
    await _of_format_1(path)
    _database(path, "CREATE VIEW votes AS SELECT 1")
    with pytest.raises(StoreUnavailable, match="ALTER VIEW"):
        DuckdbStore(path)
    _database(path, "DROP VIEW votes")
    store = DuckdbStore(path)
    assert await closes(store) == [(1, 11.0), (2, 20.0)]
    await store.close()


SMALL_MEMORY = """
import asyncio, sys
from pathlib import Path
import polars as pl
from store_rows import bar, frame
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.schema import TABLES

async def main():
    path = Path(sys.argv[1])
    store = DuckdbStore(path)
    number = pl.int_range(200_000, dtype=pl.Int64)
    day = (number * 7_919 % 200_000).cast(TABLES["bars"].columns["ts_event"])
    rows = frame("bars", bar(1)).select(pl.all().gather([0] * 200_000)).with_columns(ts_event=day, close=number * 1.0)
    await store.commit({"bars": rows})
    store._connection.execute("CHECKPOINT; SET GLOBAL memory_limit = '20MB'; SET GLOBAL threads = 1")
    beside, seen = 0, []
    async for some in store.stream("bars"):
        beside += sum(file.stat().st_size for file in (path.parent / "truetape.duckdb.tmp").glob("*"))
        seen.append(some["ts_event"])
    seen = pl.concat(seen)
    print(len(seen), seen.is_sorted(), beside > 0)
    await store.close()
    print(sorted(file.name for file in path.parent.iterdir()))

asyncio.run(main())
"""


def test_a_stream_that_does_not_fit_into_memory_is_sorted_beside_the_file(tmp_path: Path) -> None:
    """With room for a fraction of the rows they still come in order, and nothing is left on the disk."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n" + SMALL_MEMORY
    command = [sys.executable, "-c", code, str(tmp_path / "truetape.duckdb")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout.splitlines(), done.stderr) == (["200000 True True", "['truetape.duckdb']"], "")


async def test_what_a_killed_process_sorted_is_removed(tmp_path: Path) -> None:
    """The next one that writes throws it away; one that reads leaves it, since somebody may be at work."""
    path = tmp_path / "truetape.duckdb"
    await DuckdbStore(path).close()
    left = tmp_path / "truetape.duckdb.tmp" / "half.tmp"
    left.parent.mkdir()
    left.write_bytes(b"sorted so far")
    await DuckdbStore(path, read_only=True).close()
    assert left.exists()
    await DuckdbStore(path).close()
    assert not left.parent.exists()


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


async def test_a_place_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """A store in a missing folder cannot be made, and says where."""
    with pytest.raises(StoreUnavailable, match=r"missing.*No such file"):
        DuckdbStore(tmp_path / "missing" / "truetape.duckdb")


async def test_a_table_that_a_later_version_brought_is_made(tmp_path: Path) -> None:
    """A store of an earlier version lacks it: a writer makes it and keeps all else, a reader says who can."""
    path = tmp_path / "truetape.duckdb"
    store = DuckdbStore(path)
    await store.commit({"bars": frame("bars", bar(1))})
    await store.close()
    with duckdb.connect(path) as connection:
        for name in ("session_breaks", "session_breaks_past", "session_breaks_withdrawn"):
            connection.execute(f"DROP TABLE {name}")
    with pytest.raises(WrongFolder, match=r"has no table session_breaks yet.*truetape up"):
        DuckdbStore(path, read_only=True)
    store = DuckdbStore(path)
    assert [(1, 1.0)] == await closes(store)
    assert (await store.read("session_breaks")).is_empty()
    await store.close()
