"""Minute bars that walk by cents, for tests of stores that keep many of them."""

from __future__ import annotations

import numpy as np
import polars as pl
from store_rows import bar, frame

from truetape.domain.kinds import INSTANT
from truetape.domain.time import NANOSECONDS

MINUTE_NS = 60 * NANOSECONDS


def minutes(count: int, *, who: str, start: int, seed: int = 1) -> pl.DataFrame:
    """Return `count` minute bars of instrument `who` from the instant `start` on, whole volumes and prices in cents."""
    steps = np.random.default_rng(seed)
    closes = 100.0 + np.cumsum(steps.integers(-5, 6, count)) / 100
    opens = np.concatenate([[100.0], closes[:-1]])
    stamps = start + MINUTE_NS * np.arange(count)
    one = frame("bars", {**bar(1, who=who), "timeframe": "1m", "currency": "USD", "basis": "raw", "provider": "tiingo"})
    return one.select(pl.all().gather(np.zeros(count, dtype=np.int64))).with_columns(
        payload=pl.lit("5e" * 32),
        ts_event=pl.Series(stamps).cast(INSTANT),
        ts_known=pl.Series(stamps + MINUTE_NS).cast(INSTANT),
        open=pl.Series(opens.round(2)),
        high=pl.Series((np.maximum(opens, closes) + 0.01).round(2)),
        low=pl.Series((np.minimum(opens, closes) - 0.01).round(2)),
        close=pl.Series(closes.round(2)),
        volume=pl.Series(steps.integers(1, 1000, count).astype(float)),
    )
