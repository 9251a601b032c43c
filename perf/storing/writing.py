"""Writing: commits of versioned bars beside raw inserts, and queries of many clients while bars come in."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from perf.measure import Figure, figure
from perf.storing.filling import opened
from perf.storing.market import BACKFILLED, Market, bars
from truetape.adapters.read_segments import SegmentedStore
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection

BATCHES = 40
AT_ONCE = 20  # instruments of one batch
CLIENTS = 16
QUERIES = 60  # of one client
PAUSE_S = 0.05  # of a client between two queries
P95_MS = 20.0


def versioned_write(folder: Path, market: Market, scratch: Path) -> Figure:
    """Commit batches of new instruments to the full store, beside inserting the same rows into a plain DuckDB table."""
    days = market.events[-2500:]
    names = [[f"new_{batch:04d}_{one:04d}" for one in range(AT_ONCE)] for batch in range(BATCHES)]
    batches = [bars(some, days, timeframe="1d", seed=number) for number, some in enumerate(names)]
    ours, theirs = asyncio.run(_write(folder, batches, scratch))
    rows = sum(map(len, batches))
    return figure(
        "versioned_write",
        unit="rows/s",
        ours=rows / ours,
        peer=rows / theirs,
        peer_name="raw DuckDB insert of the same frames",
        bar=0.3,
        better="higher",
    )


async def _write(folder: Path, batches: list[pl.DataFrame], scratch: Path) -> tuple[float, float]:
    store = opened(folder)
    raw = duckdb.connect(str(scratch))
    incoming = batches[0].to_arrow()
    raw.register("incoming", incoming)
    raw.execute("CREATE TABLE bars AS SELECT * FROM incoming LIMIT 0")
    ours = theirs = 0.0
    for batch in batches:
        start = time.perf_counter()
        await store.commit({"bars": batch})
        ours += time.perf_counter() - start
        start = time.perf_counter()
        raw.register("incoming", batch.to_arrow())
        raw.execute("INSERT INTO bars SELECT * FROM incoming")
        theirs += time.perf_counter() - start
    raw.close()
    await store.close()
    return ours, theirs


def mixed_load(folder: Path, market: Market) -> Figure:
    """Sixteen clients ask all kinds of questions, with a breath between, while the bars of new days are committed."""
    times = asyncio.run(_mixed(folder, market))
    p95 = statistics.quantiles(times, n=20)[-1] * 1e3
    return figure(
        "mixed_load_p95",
        unit="ms",
        ours=p95,
        peer=P95_MS,
        peer_name="the bar itself",
        bar=1.0,
        better="lower",
        beside={f"median {statistics.median(times) * 1e3:.2f} ms, most {max(times) * 1e3:.0f} ms": p95 / P95_MS},
    )


async def _mixed(folder: Path, market: Market) -> list[float]:
    store = opened(folder)
    await store.library.ready()
    writing = asyncio.create_task(_ingest(store, market))
    try:
        found = await asyncio.gather(*(_client(store, market, seed) for seed in range(CLIENTS)))
    finally:
        writing.cancel()
        await asyncio.wait([writing])
        await store.close()
    return [one for times in found for one in times]


async def _ingest(store: SegmentedStore, market: Market) -> None:
    """Commit day after day, 500 instruments at a time, as rounds are stored."""
    for day in range(1, 10_000):
        event = np.array([market.events[-1] // DAY_NS * DAY_NS + day * DAY_NS])
        for start in range(0, len(market.names), 500):
            some = market.names[start : start + 500]
            await store.commit({"bars": await asyncio.to_thread(bars, some, event, timeframe="1d", seed=day)})
            await asyncio.sleep(PAUSE_S)


async def _client(store: SegmentedStore, market: Market, seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    times = []
    await asyncio.sleep(PAUSE_S * random.random())
    for _ in range(QUERIES):
        start = time.perf_counter()
        await _query(store, market, random)
        times.append(time.perf_counter() - start)
        await asyncio.sleep(PAUSE_S * 2 * random.random())
    return times


async def _query(store: SegmentedStore, market: Market, random: np.random.Generator) -> pl.DataFrame:
    name = market.names[random.integers(len(market.names))]
    day = market.sessions[random.integers(len(market.sessions))]
    one = {"instrument_id": (name,), "timeframe": ("1d",)}
    kind = random.random()
    if kind < 0.5:
        return await store.read("bars", Selection(equal=one))
    if kind < 0.65:
        return await store.read("bars", Selection(equal=one, as_of=BACKFILLED + 100 * DAY_NS))
    if kind < 0.8:
        return await store.read("factors", Selection(equal={"instrument_id": (name,)}))
    if kind < 0.9:
        return await store.read("bars", Selection(equal={"timeframe": ("1d",)}, start=day, end=day))
    chosen = random.integers(len(market.names), size=min(100, len(market.names)))
    return await store.latest([market.names[place] for place in chosen], timeframe="1d")
