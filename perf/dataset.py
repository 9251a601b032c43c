"""Made-up daily bars for measurements: random walks over real session counts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from truetape.domain.schema import DECODED

SESSIONS = 2_520  # ten years


def sessions(count: int = SESSIONS, *, last: date = date(2019, 12, 31)) -> list[date]:
    """Return the `count` weekdays up to `last`, ascending."""
    found: list[date] = []
    day = last
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]


def bars(symbol: str, *, seed: int, basis: str = "raw", count: int = SESSIONS) -> pl.DataFrame:
    """Return `count` daily bars of `symbol` (schema DECODED["bars"]), prices in cents."""
    random = np.random.default_rng(seed)
    close = np.round(50 * np.exp(np.cumsum(random.normal(0, 0.01, count))), 2)
    start = np.round(close * (1 + random.normal(0, 0.003, count)), 2)
    high = np.round(np.maximum(start, close) * 1.005, 2)
    low = np.round(np.minimum(start, close) * 0.995, 2)
    frame = pl.DataFrame(
        {
            "symbol": [symbol] * count,
            "timeframe": ["1d"] * count,
            "ts_event": pl.Series(sessions(count)).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"),
            "open": start,
            "high": high,
            "low": low,
            "close": close,
            "volume": np.round(random.lognormal(14, 0.5, count)),
            "adj_close": close,
            "currency": ["USD"] * count,
            "basis": [basis] * count,
            "running": [False] * count,
        }
    )
    return frame.select(list(DECODED["bars"]))
