"""Reservations a second of the ledgers, shared by two processes, beside writers of the same durability that only count.

Ours reads a book of two windows, decides, and has the grant on the disk before it returns. The peer of SQLite's ledger
adds one row in a transaction, in a loop of its own in each process; that of Redis's adds one to a number, with as many
waiting. One request after the other shows what a grant costs; sixty-four at once show what is shared. Of several runs
in turns the best counts, on either side: two processes on a machine that has other work show mostly that.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec

from perf.measure import Result, result
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.adapters.system_clock import SystemClock
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Grant, Ledger

PROCESSES = 2
WAITING = (1, 64)
SECONDS = 1.5
ROUNDS = 5
BARS = {1: 0.25, 64: 3.0}  # by how many wait; a batch shares one transaction, and the peer's rows do not
REDIS_BARS = {1: 0.35, 64: 0.3}
START_WITHIN_S = 5.0
PLENTY = 1e12
WINDOWS = (Window(limit=PLENTY, period="minute", rolling=True), Window(limit=PLENTY, period="day"))
SPENDING = Spending(provider="finnhub", account="k")

Step = Callable[[], Awaitable[None]]


def measure() -> Iterator[Result]:
    """Yield the reservations of each ledger, with one and with many waiting in each process."""
    for waiting in WAITING:
        with tempfile.TemporaryDirectory() as folder:
            place = str(Path(folder) / "ledger")
            _connected(f"{place}.rows").close()  # two processes at once cannot make it
            ours, peer = _in_turns(("sqlite", place, waiting), ("rows", f"{place}.rows", waiting))
        yield _result(f"ledger_sqlite_{waiting}", ours, peer, "bare sqlite3, a row each transaction", BARS[waiting])
    if shutil.which("redis-server") is None:
        sys.stderr.write("redis-server is not on the PATH: the ledger in Redis was not measured\n")
        return
    for waiting in WAITING:
        with _redis() as url:
            ours, peer = _in_turns(("redis", url, waiting), ("numbers", url, waiting))
        yield _result(f"ledger_redis_{waiting}", ours, peer, "bare INCR of the same server", REDIS_BARS[waiting])


def _result(name: str, ours: float, peer: float, peer_name: str, bar: float) -> Result:
    return result(name, unit="grants/s", ours=ours, peer=peer, peer_name=peer_name, bar=bar, better="higher")


def _in_turns(ours: tuple[str, str, int], peer: tuple[str, str, int]) -> tuple[float, float]:
    taken = [(_together(*ours), _together(*peer)) for _ in range(ROUNDS)]
    return max(one for one, _ in taken), max(other for _, other in taken)


def _together(what: str, place: str, waiting: int) -> float:
    """Return how often a second all processes together did `what` at `place`."""
    command = [sys.executable, "-m", "perf.ledger", what, place, str(waiting)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(PROCESSES)]
    with contextlib.ExitStack() as stack:
        for one in started:
            stack.enter_context(one)
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == b"ready\n"
        for one in started:
            assert one.stdin is not None
            one.stdin.close()
        return sum(msgspec.json.decode(one.stdout.read(), type=float) for one in started if one.stdout is not None)


async def _rate(what: str, place: str, waiting: int) -> float:
    """Return how often a second this process does `what`, once all are ready."""
    step, close = await DOING[what](place)
    await step()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    done = 0
    started = time.perf_counter()

    async def again() -> None:
        nonlocal done
        while time.perf_counter() - started < SECONDS:
            await step()
            done += 1

    await asyncio.gather(*(again() for _ in range(waiting)))
    seconds = time.perf_counter() - started
    await close()
    return done / seconds


async def _sqlite(place: str) -> tuple[Step, Step]:
    ledger = SqliteLedger(Path(place), clock=SystemClock())
    return _reserving(ledger), ledger.close


async def _redis_ledger(place: str) -> tuple[Step, Step]:
    from truetape.adapters.redis_ledger import RedisLedger

    ledger = RedisLedger(place)
    return _reserving(ledger), ledger.close


def _reserving(ledger: Ledger) -> Step:
    async def step() -> None:
        assert isinstance(await ledger.reserve(SPENDING, WINDOWS), Grant)

    return step


def _connected(place: str) -> sqlite3.Connection:
    connection = sqlite3.connect(place, timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS grants (at_ns INTEGER, provider TEXT, account TEXT)")
    return connection


async def _rows(place: str) -> tuple[Step, Step]:
    connection = _connected(place)

    async def step() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO grants VALUES (?, ?, ?)", (time.time_ns(), "finnhub", "k"))
        connection.execute("COMMIT")

    async def close() -> None:
        connection.close()

    return step, close


async def _numbers(place: str) -> tuple[Step, Step]:
    from redis.asyncio import Redis

    client = Redis.from_url(place, protocol=2)

    async def step() -> None:
        await client.incr("grants")

    return step, client.aclose


DOING = {"sqlite": _sqlite, "redis": _redis_ledger, "rows": _rows, "numbers": _numbers}


@contextlib.contextmanager
def _redis() -> Iterator[str]:
    """Give the address of a new Redis that has every write on the disk before it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        durable = ["--appendonly", "yes", "--appendfsync", "always"]
        with subprocess.Popen([*command, *durable], stdout=subprocess.DEVNULL) as process:
            try:
                _wait_for(port, process)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    started = time.perf_counter()
    while time.perf_counter() - started < START_WITHIN_S and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"redis-server did not listen on port {port}")


if __name__ == "__main__":
    asked, where, many = sys.argv[1:]
    sys.stdout.write(str(asyncio.run(_rate(asked, where, int(many)))))
