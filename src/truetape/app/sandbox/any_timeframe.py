"""Bars of any timeframe for desks: below a day as the market's hours have them, above it by weeks and months."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from truetape.app.sandbox.intraday import MINUTES, Hours, around_the_clock, regular_hours
from truetape.app.sandbox.truth import View
from truetape.domain.schema import DECODED

_OHLC: Final = ("open", "high", "low", "close")


def hours(symbol: str) -> Hours:
    """Return when the market of our `symbol` is open: of a pair always, of all else as New York's venues are."""
    return around_the_clock if "/" in symbol else regular_hours


def bars(truth: View, *, timeframe: str, first: date, last: date, symbol: str) -> pl.DataFrame:
    """Return raw bars of the sessions from `first` to `last`, both inclusive: schema DECODED["bars"], ascending.

    A day without open, high, low or close has none. Weeks begin on Monday, and have what of them is inside.
    """
    inside = truth.between(first, last)
    if timeframe in MINUTES:
        return inside.minutes(timeframe, hours=hours(symbol))
    days = inside.raw.filter(~pl.any_horizontal(pl.col(*_OHLC).is_null()))
    return days if timeframe == "1d" else longer(days, timeframe)


def longer(days: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    """Return daily bars as bars of `timeframe`, 1w or 1mo."""
    last = pl.col("close", "symbol", "adj_close", "currency", "basis", "running").last()
    sums = (pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("volume").sum())
    grouped = days.group_by(pl.col("ts_event").dt.truncate(timeframe), maintain_order=True).agg(*sums, last)
    return grouped.with_columns(pl.lit(timeframe).alias("timeframe")).select(list(DECODED["bars"]))
