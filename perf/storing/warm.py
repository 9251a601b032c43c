"""The room that bars take in the warm tier, as it writes them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from perf.storing.market import Market
from truetape.adapters.tiered_store.layout import GROUP_ROWS, as_written, writer
from truetape.domain.schema import TABLES
from truetape.ports.tiering import STORED, WITHDRAWN

SAMPLE = 2_500_000  # bars that are enough to know


def warm_bytes(path: Path, market: Market) -> float:
    """Return the bytes of a bar in a file of the warm tier at `path`, which is removed again."""
    table, rows = TABLES["bars"], 0
    states = (pl.lit(1, pl.Int64).alias(STORED), pl.lit(value=False).alias(WITHDRAWN))
    with writer(path, table, "warm") as opened:
        for frame in market.by_instrument(rows=10 * GROUP_ROWS["warm"]):
            for part in frame.with_columns(states).iter_slices(GROUP_ROWS["warm"]):
                opened.write_table(as_written(part, table))
            rows += len(frame)
            if rows >= SAMPLE:
                break
    size = path.stat().st_size
    path.unlink()
    return size / rows
