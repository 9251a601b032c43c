"""The embedded store's file written anew: in order, with every answer as before, and never half."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest
from store_model import Model
from store_rows import bar, closes, frame
from store_steps import Ask, Keep, Restart, draw

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.duckdb_store.compacting import compact
from truetape.domain.errors import FolderInUse, StoreUnavailable, WrongFolder


def names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def held(path: Path, *, read_only: bool = False) -> tuple[int, int]:
    """Return how many bars there are, and the store's version."""
    store = DuckdbStore(path, read_only=read_only)
    found = len(await closes(store)), store.version()
    await store.close()
    return found


async def filled(path: Path, *, days: int = 10, instruments: int = 100) -> None:
    """Write days one by one, as they come live: the bars of one instrument lie far from each other."""
    store = DuckdbStore(path)
    one = frame("bars", bar(1)).select(pl.all().gather([0] * instruments))
    who = pl.Series([f"ins_{number:04d}" for number in range(instruments)])
    for day in range(1, days + 1):
        when = pl.lit(day * 86_400_000_000_000).cast(one.schema["ts_event"])
        await store.commit({"bars": one.with_columns(instrument_id=who, ts_event=when)})
    await store.close()


async def test_rows_lie_in_the_order_of_the_key(tmp_path: Path) -> None:
    """However they came; progress ends with all rows, and nothing stays beside the file."""
    path = tmp_path / "it's.duckdb"
    await filled(path)
    told: list[tuple[int, int]] = []
    done = compact(path, on_progress=lambda *counts: told.append(counts))
    assert (1000, 1000, (1000, 1000)) == (done.rows, max(told)[0], told[-1])
    assert (done.after, True) == (path.stat().st_size, done.before > 0)
    with duckdb.connect(path, read_only=True) as connection:
        rows = connection.execute("SELECT instrument_id, epoch_ns(ts_event) FROM bars").fetchall()
    assert rows == sorted(rows)
    assert ["it's.duckdb"] == names(tmp_path)


async def test_no_answer_changes(tmp_path: Path) -> None:
    """After a random past, compacted three times in its course: now, as of a time, and of every state."""
    path, model, random = tmp_path / "truetape.duckdb", Model(), Random(1)
    store = DuckdbStore(path)
    for number in range(90):
        step = draw(random)
        if number % 30 == 29:
            await store.close()
            compact(path, on_progress=lambda done, total: None)
            store = DuckdbStore(path)
        elif not isinstance(step, Restart | Keep):
            await step.do(store, model)
    asked = [step for step in (draw(random) for _ in range(120)) if isinstance(step, Ask)]
    for step in asked:
        await step.do(store, model)
    assert len(asked) > 40
    await store.close()


def test_a_store_in_use_is_left_alone(tmp_path: Path) -> None:
    """By another process, or made by another program."""
    path = tmp_path / "truetape.duckdb"
    asyncio.run(filled(path, days=1))
    code = "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(FolderInUse):
            compact(path, on_progress=lambda done, total: None)
        other.kill()
    garbage = tmp_path / "garbage.duckdb"
    garbage.write_bytes(b"garbage" * 1000)
    with pytest.raises(WrongFolder):
        compact(garbage, on_progress=lambda done, total: None)


FULL = """
import resource, signal, sys
from pathlib import Path
from truetape.adapters.duckdb_store.compacting import compact
from truetape.domain.errors import StoreUnavailable

hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
try:
    compact(Path(sys.argv[1]), on_progress=lambda done, total: None)
except StoreUnavailable as error:
    print("File too large" in error.reason)
"""


def test_a_disk_too_full_for_the_new_file_changes_nothing(tmp_path: Path) -> None:
    """The reason is told, the draft is gone, and every row is there."""
    path = tmp_path / "truetape.duckdb"
    asyncio.run(filled(path))
    command = [sys.executable, "-c", FULL, str(path), "200000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ("True\n", "") == (done.stdout, done.stderr)
    assert ["truetape.duckdb"] == names(tmp_path)
    assert (1000, 10) == asyncio.run(held(path))


KILLED = """
import os, sys
from pathlib import Path
from truetape.adapters.duckdb_store.compacting import compact

def die(done, total):
    if done >= total * int(sys.argv[2]) / 100:
        os.kill(os.getpid(), 9)

compact(Path(sys.argv[1]), on_progress=die)
"""


@pytest.mark.parametrize("percent", [0, 100])
def test_a_process_killed_while_it_writes_leaves_the_old_file(tmp_path: Path, percent: int) -> None:
    """The next process that writes removes the draft; one that reads does not mind it."""
    path = tmp_path / "truetape.duckdb"
    asyncio.run(filled(path))
    command = [sys.executable, "-c", KILLED, str(path), str(percent)]
    assert -9 == subprocess.run(command, check=False, timeout=60).returncode
    assert (tmp_path / ".truetape.duckdb.compact").exists()
    for read_only in (True, False):
        assert (1000, 10) == asyncio.run(held(path, read_only=read_only))
    assert ["truetape.duckdb"] == names(tmp_path)


async def test_a_log_that_stays_keeps_the_old_file(tmp_path: Path) -> None:
    """A log of the old file beside the new one would be read into it."""
    path = tmp_path / "truetape.duckdb"
    await filled(path, days=1)
    before = path.read_bytes()

    def reappear(done: int, total: int) -> None:
        (tmp_path / "truetape.duckdb.wal").mkdir(exist_ok=True)

    with pytest.raises(StoreUnavailable):
        compact(path, on_progress=reappear)
    (tmp_path / "truetape.duckdb.wal").rmdir()
    assert before[:12] == path.read_bytes()[:12]
    assert (100, 1) == await held(path)
