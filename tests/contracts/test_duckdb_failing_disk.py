"""What the store makes of a disk that is slow or fails to flush: strace changes the calls of a real process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt install strace")

WRITER = """
import asyncio, json, sys
from pathlib import Path
from store_rows import bar, closes, frame
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import StoreUnavailable

async def main():
    store = DuckdbStore(Path(sys.argv[1]))
    for day in range(1, 7):
        committing = asyncio.create_task(store.commit({"bars": frame("bars", bar(day))}))
        while not committing.done() and not (trouble := store.commits.trouble(slow_s=0.5)):
            await asyncio.sleep(0.05)
        try:
            told = await committing
        except StoreUnavailable as error:
            told = error.reason
        days = [int(day) for day, _ in await closes(store)]
        print(json.dumps([told, trouble, days]), flush=True)
    await store.close()

asyncio.run(main())
"""

TOGETHER = """
import asyncio, os, sys
from pathlib import Path
from store_rows import bar, frame
from truetape.adapters.duckdb_store import DuckdbStore

async def main():
    path = Path(sys.argv[1])
    store = DuckdbStore(path)
    told = os.open(f"{path}.told", os.O_CREAT | os.O_WRONLY)
    for day in range(1, 6):
        await asyncio.gather(*(store.commit({"bars": frame("bars", bar(day, who=f"ins_{n}"))}) for n in range(8)))
        os.write(told, b"all are durable")
    os.close(told)
    os._exit(0)

asyncio.run(main())
"""


def _written(path: Path, injected: str) -> list[list[Any]]:
    """Return what a process says of four commits, the flushes of whose log to the disk are `injected`."""
    flushes = ["-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:{injected}"]
    return [json.loads(line) for line in _traced(WRITER, path, "-P", f"{path}.wal", *flushes).splitlines()]


def _traced(code: str, path: Path, *options: str) -> str:
    """Return what `code` prints, run on `path` under strace."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n" + code
    command = ["strace", "-f", "-qq", *options, sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "ptrace" in done.stderr:
        pytest.skip("this user may not trace processes")
    assert done.stderr == ""
    return done.stdout


def test_many_are_told_after_few_flushes(tmp_path: Path) -> None:
    """Forty commits of eight callers: when they are told, nothing of the log is unflushed, and flushes are shared."""
    path, trace = tmp_path / "truetape.duckdb", tmp_path / "trace"
    calls = "trace=write,pwrite64,fsync,fdatasync"
    _traced(TOGETHER, path, "-y", "-o", str(trace), "-P", f"{path}.wal", "-P", f"{path}.told", "-e", calls)
    log, unflushed, flushes, told, flushing = f"{path}.wal>", False, 0, [], ""
    for line in trace.read_text(encoding="utf-8").splitlines():
        thread = line.split()[0]
        if "sync(" in line and log in line and "<unfinished" in line:
            flushing = thread
        elif ("sync(" in line and log in line) or ("sync resumed" in line and thread == flushing):
            unflushed, flushes = False, flushes + 1
        elif "write" in line and log in line:
            unflushed = True
        elif f"{path}.told>" in line:
            told.append((unflushed, flushes))

    assert [False] * 5 == [unflushed for unflushed, _ in told]
    assert 5 <= told[-1][1] <= 20


def test_a_commit_that_was_not_flushed_is_not_there(tmp_path: Path) -> None:
    """Its caller is told, the rows are gone, and the same store goes on: every second flush fails."""
    told = _written(tmp_path / "truetape.duckdb", "error=EIO:when=2+2")
    versions = [version for version, _, _ in told if version != "fsync failed"]
    there: list[int] = []
    for day, (version, _, days) in enumerate(told, start=1):
        there += [day] if version != "fsync failed" else []
        assert there == days

    assert 0 < len(versions) < len(told)
    assert [*range(1, len(versions) + 1)] == versions


def test_a_slow_disk_is_trouble_while_it_is_slow(tmp_path: Path) -> None:
    """A flush that takes a second is told while it lasts, and no longer than until a quick one."""
    told = _written(tmp_path / "truetape.duckdb", "delay_enter=1000000:when=2")

    assert [*range(1, 7)] == [version for version, _, _ in told]
    slow = next(number for number, (_, trouble, _) in enumerate(told) if trouble)
    assert told[slow][1].startswith("A commit waits for ")
    assert told[slow + 1][1].startswith("The last commit took ")
