"""Commits a second of 64 callers who each write one bar of their own and wait until it is durable.

Ours commits what waits together. The peer is the same store with a transaction for each commit: a caller has the store
to itself. In turns on one file that grows; medians.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import polars as pl

from perf.measure import Sheet, figure, sheet
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.schema import TABLES
from truetape.domain.time import NANOSECONDS

CALLERS = 64
COMMITS = 16  # of each caller in a turn
TURNS = 5
MINUTE_NS = 60 * NANOSECONDS
RATE_BAR, WAIT_BAR = 4.0, 0.35


def measure() -> Iterator[Sheet]:
    """Yield commits a second and the wait of the slowest hundredth."""
    with tempfile.TemporaryDirectory() as folder:
        ours, peer = asyncio.run(_in_turns(Path(folder) / "truetape.duckdb"))
    rates, waits = ([statistics.median(one[which] for one in side) for side in (ours, peer)] for which in (0, 1))
    peer_name = "the same store, a transaction for each"
    yield sheet(
        "committing",
        [
            figure(
                "commits of 64 callers",
                unit="commits/s",
                ours=rates[0],
                peer=rates[1],
                peer_name=peer_name,
                bar=RATE_BAR,
                better="higher",
            ),
            figure(
                "wait of 99 in 100 of them",
                unit="ms",
                ours=waits[0],
                peer=waits[1],
                peer_name=peer_name,
                bar=WAIT_BAR,
                better="lower",
            ),
        ],
    )


async def _in_turns(path: Path) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    store = DuckdbStore(path)
    taken: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for turn in range(2 * (TURNS + 1)):
        door: AbstractAsyncContextManager[None] = asyncio.Lock() if turn % 2 else nullcontext()
        found = await _turn(store, turn, door)
        if turn > 1:
            taken[turn % 2].append(found)
    await store.close()
    return taken


async def _turn(store: DuckdbStore, turn: int, door: AbstractAsyncContextManager[None]) -> tuple[float, float]:
    """Return commits a second, and the milliseconds within which 99 of 100 were durable."""
    waits: list[float] = []

    async def call(caller: int) -> None:
        for number in range(COMMITS):
            bar = _bar(f"ins_{caller}", turn * COMMITS + number)
            begun = time.perf_counter()
            async with door:
                await store.commit({"bars": bar})
            waits.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(call(caller) for caller in range(CALLERS)))
    seconds = time.perf_counter() - begun
    return len(waits) / seconds, statistics.quantiles(waits, n=100)[-1] * 1000


def _bar(instrument: str, minute: int) -> pl.DataFrame:
    given = {
        "instrument_id": instrument,
        "timeframe": "1m",
        "ts_event": minute * MINUTE_NS,
        "version": 1,
        "ts_known": 1,
    }
    columns = TABLES["bars"].columns
    blanks = {pl.String(): "", pl.Float64(): 1.0, pl.Boolean(): True, pl.UInt32(): 0}
    return pl.DataFrame(
        {name: [given.get(name, blanks.get(dtype))] for name, dtype in columns.items()}, strict=False
    ).cast(dict(columns))  # type: ignore[arg-type]
