"""Rows are carried between tiers by a process that is killed, fails, or has no room: none is lost or doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from carried_store import tiered
from store_rows import bar, frame

from truetape.adapters.tiered_store import ColdTiers
from truetape.domain.errors import StoreUnavailable
from truetape.ports.store import Selection
from truetape.ports.tiering import Move, Span

YEAR = (date(1970, 1, 1), date(1970, 12, 31))
DAYS = 120
CARRY = """
import asyncio, os, signal, sys
from datetime import date
from pathlib import Path
sys.path.insert(0, {here!r})
from carried_store import tiered
from truetape.ports.tiering import Move, Span

left = int(sys.argv[2])


def dying(call):
    async def called(*given, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await call(*given, **named)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return called


async def carry():
    store, tiers = tiered(Path(sys.argv[1]))
    hot = store._hot
    hot.remove = dying(hot.remove)
    for place in tiers._places.values():
        place.put, place.delete = dying(place.put), dying(place.delete)
    for month, tier in ((1, "warm"), (2, "warm"), (12, "warm"), (12, "archive")):
        span = Span("bars", date(1970, 1, 1), date(1970, month, 28))
        await tiers.move(Move(span, tier, "test", "crash"), ts_known=1, simulated=False)
    await tiers.sweep(older_than_ns=2**62)
    await store.close()
    print("done", left)

asyncio.run(carry())
"""
FULL = """
import asyncio, resource, sys
from datetime import date
from pathlib import Path
sys.path.insert(0, {here!r})
from carried_store import tiered
from truetape.domain.errors import StoreUnavailable
from truetape.ports.tiering import Move, Span

async def carry():
    store, tiers = tiered(Path(sys.argv[1]))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        await tiers.move(Move(Span("bars", date.min, date.max), "warm", "test", "full"), ts_known=1, simulated=False)
    except StoreUnavailable as error:
        print(error.reason, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await store.close()

asyncio.run(carry())
"""


Call = Callable[..., Awaitable[object]]


class Proxy:
    """What another one is, with its calls that write made to fail."""

    def __init__(self, other: object, failing: Callable[[Call], Call]) -> None:
        self._other = other
        self._failing = failing

    def __getattr__(self, name: str) -> object:
        found = getattr(self._other, name)
        return self._failing(found) if name in {"put", "delete", "remove"} else found


async def fill(folder: Path) -> pl.DataFrame:
    """Write 120 days of two instruments, some of them corrected, and return all versions."""
    store, _ = tiered(folder)
    await store.commit({"bars": frame("bars", *(bar(day, float(day), who=who) for who in "ab" for day in range(DAYS)))})
    late = (bar(day, -1.0, version=2, known=200, who="a") for day in range(0, DAYS, 10))
    await store.commit({"bars": frame("bars", *late)})
    rows = await store.read("bars", Selection(history=True))
    await store.close()
    return rows


def carried(folder: Path, script: str, *given: str) -> subprocess.CompletedProcess[str]:
    """Carry rows in a process of its own."""
    code = script.format(here=str(Path(__file__).parent))
    command = [sys.executable, "-c", code, str(folder), *given]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
async def test_a_kill_at_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Before and after files are put, rows removed and old files deleted: every version is read once, and it goes on.

    The same folder is carried on by the next process, which dies one step later.
    """
    expected = await fill(tmp_path)
    deaths = 0
    for step in (2, 4, 7):
        done = carried(tmp_path, CARRY, str(step))
        deaths += done.returncode == -signal.SIGKILL
        store, _ = tiered(tmp_path)
        assert expected.equals(await store.read("bars", Selection(history=True)))
        await store.close()
    assert deaths == 3
    done = carried(tmp_path, CARRY, "1000")
    assert done.stdout.startswith("done"), done.stderr
    store, tiers = tiered(tmp_path)
    assert [file.tier for file in await store.files()] == ["archive"]
    assert len(list((tmp_path / "warm").rglob("*.parquet"))) == 0
    assert [damage async for _, damage in tiers.scrub()] == [None]
    await store.close()


async def test_a_failure_at_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Whatever call fails, of a place or of the hot tier, before or after its work: every version is read once."""
    expected = await fill(tmp_path)
    store, tiers = tiered(tmp_path)
    steps = iter(range(1, 100))
    done = False
    while not done:
        left = next(steps)

        def failing(call: Call) -> Call:
            async def called(*given: object, **named: object) -> object:
                nonlocal left
                answer = None
                for step in range(2):
                    left -= 1
                    if left == 0:
                        raise StoreUnavailable(path="place", reason="it is away")
                    answer = await call(*given, **named) if step == 0 else answer
                return answer

            return called

        hot, places = Proxy(store._hot, failing), {tier: Proxy(one, failing) for tier, one in tiers._places.items()}
        shaky = ColdTiers(store, hot=hot, places=places, scratch=tmp_path / "scratch")  # type: ignore[arg-type]
        try:
            for tier in ("warm", "archive"):
                await shaky.move(Move(Span("bars", *YEAR), tier, "test", "shaky"), ts_known=1, simulated=False)
            await shaky.sweep(older_than_ns=2**62)
            done = True
        except StoreUnavailable:
            assert expected.equals(await store.read("bars", Selection(history=True)))
    assert [file.tier for file in await store.files()] == ["archive"]
    assert expected.equals(await store.read("bars", Selection(history=True)))
    await store.close()


@pytest.mark.slow
async def test_a_full_disk_leaves_every_row_where_it_was(tmp_path: Path) -> None:
    """A move that finds no room is refused in words, and is done when there is some."""
    expected = await fill(tmp_path)
    done = carried(tmp_path, FULL)
    assert (done.stdout, done.stderr) == ("file too large\n", "")
    store, tiers = tiered(tmp_path)
    assert expected.equals(await store.read("bars", Selection(history=True)))
    assert await store.files() == ()
    moved = await tiers.move(Move(Span("bars", *YEAR), "warm", "test", "room"), ts_known=1, simulated=False)
    assert moved.rows == len(expected)
    await store.close()
