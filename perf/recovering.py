"""Seconds until a store of ten million bars answers again after its process was killed in the midst of writing.

The log is as long as it gets before a checkpoint. Ours opens the store and reads one instrument; the peer is the bound
that is kept, five seconds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from perf.measure import Result, result
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.schema import TABLES
from truetape.domain.time import NANOSECONDS
from truetape.ports.store import Selection

MILLION: Final = 1_000_000
MILLIONS: Final = 10
INSTRUMENTS: Final = 1000
SMALL: Final = 1000  # rows of a commit while the log fills
LOG_BYTES: Final = 60_000_000  # of the 64 MB at which a checkpoint begins
BOUND_S: Final = 5.0
OPENINGS: Final = 3
MINUTE_NS: Final = 60 * NANOSECONDS


def measure() -> Iterator[Result]:
    """Yield the seconds from the start of opening to the first answer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "truetape.duckdb"
        _write_and_die(path)
        seconds = statistics.median(
            asyncio.run(_opened(path, read_only=number < OPENINGS - 1)) for number in range(OPENINGS)
        )
    yield result(
        "recovering",
        unit="s for ten million rows",
        ours=seconds,
        peer=BOUND_S,
        peer_name="the bound",
        bar=1.0,
        better="lower",
    )


def _write_and_die(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_write, args=(path, theirs))
    process.start()
    assert ours.recv() == "full"
    time.sleep(0.05)
    process.kill()
    process.join()


def _write(path: Path, pipe: Connection) -> None:
    asyncio.run(_fill(path, pipe))


async def _fill(path: Path, pipe: Connection) -> None:
    store, log = DuckdbStore(path), path.with_name(f"{path.name}.wal")
    for number in range(MILLIONS):
        await store.commit({"bars": _bars(number * MILLION, MILLION)})
    row = MILLIONS * MILLION
    is_full = False
    while True:
        await store.commit({"bars": _bars(row, SMALL)})
        row += SMALL
        if not is_full and log.exists() and log.stat().st_size > LOG_BYTES:
            pipe.send("full")
            is_full = True


async def _opened(path: Path, *, read_only: bool) -> float:
    begun = time.perf_counter()
    store = DuckdbStore(path, read_only=read_only)
    found = await store.read("bars", Selection(equal={"instrument_id": ("ins_7",), "timeframe": ("1m",)}))
    seconds = time.perf_counter() - begun
    assert len(found) >= MILLIONS * MILLION // INSTRUMENTS
    await store.close()
    return seconds


def _bars(first: int, number: int) -> pl.DataFrame:
    """Bars of all instruments, minute after minute, from row `first` on."""
    rows = np.arange(first, first + number)
    given = {
        "instrument_id": pl.Series([f"ins_{one}" for one in range(INSTRUMENTS)]).gather(rows % INSTRUMENTS),
        "timeframe": pl.lit("1m"),
        "ts_event": pl.Series(rows // INSTRUMENTS * MINUTE_NS),
        "version": pl.lit(1),
        "ts_known": pl.Series(rows // INSTRUMENTS * MINUTE_NS),
        **{name: pl.Series(np.round(50 + rows % 997 / 100, 2)) for name in ("open", "high", "low", "close", "volume")},
    }
    columns = TABLES["bars"].columns
    blanks = {pl.String(): "", pl.Boolean(): True, pl.UInt32(): 0}
    every = {name: given.get(name, pl.lit(blanks.get(dtype))) for name, dtype in columns.items()}
    return pl.DataFrame({"row": rows}).select(**every).cast(dict(columns))  # type: ignore[arg-type]
