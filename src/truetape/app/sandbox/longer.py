"""Weeks and months of daily bars, as providers send them."""

from __future__ import annotations

import polars as pl

from truetape.domain.schema import DECODED


def longer(bars: pl.DataFrame, timeframe: str) -> tuple[pl.DataFrame, pl.Series]:
    """Return daily bars by weeks ("1w") or months ("1mo"), and the last session date of each.

    Args:
        bars: Schema DECODED["bars"], daily, ascending.
        timeframe: "1w", "1mo", or "1d" for the bars as they are.

    Returns:
        Schema DECODED["bars"], each labelled with its Monday or its first of the month; `adj_close` is the last one.
    """
    days = bars["ts_event"].dt.date()
    if timeframe == "1d":
        return bars, days
    begins = pl.col("ts_event").dt.truncate(timeframe)
    made = (
        bars.with_columns(begins.alias("begins"))
        .group_by("begins", maintain_order=True)
        .agg(
            pl.col("symbol", "currency", "basis", "running", "close", "adj_close").last(),
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("volume").sum(),
            pl.col("ts_event").last().dt.date().alias("last"),
        )
        .with_columns(pl.lit(timeframe).alias("timeframe"), pl.col("begins").alias("ts_event"))
    )
    return made.select(list(DECODED["bars"])), made["last"]
