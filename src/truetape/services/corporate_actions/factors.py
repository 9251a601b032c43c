"""The factors of one instrument, as rows of the factors table."""

from __future__ import annotations

import polars as pl

from truetape.domain.adjust import factor_table
from truetape.domain.schema import TABLES


def factor_rows(
    actions: pl.DataFrame, bars: pl.DataFrame, current: pl.DataFrame, *, instrument_id: str, ts_known: int
) -> pl.DataFrame:
    """Return what the factors of an instrument now are.

    Args:
        actions: Golden actions: `ex_date`, `type`, `value`, `simulated`. A null value is no action.
        bars: Golden raw daily bars in ascending order: `ts_event`, `close`, `simulated`.
        current: The stored factors: at least `ex_date`.
        instrument_id: Whose factors they are.
        ts_known: When they became known, in UTC nanoseconds.

    Returns:
        Rows of the factors table by ascending ex-date. A stored factor whose action is gone is neutral: both of its
        numbers are 1.0.
    """
    closes = bars.select(pl.col("ts_event").dt.date().alias("date"), "close")
    valued = actions.filter(pl.col("value").is_not_null())
    present = factor_table(valued, closes)
    gone = current.select("ex_date").join(present, on="ex_date", how="anti")
    neutral = gone.with_columns(split=pl.lit(1.0), dividend=pl.lit(1.0))
    columns = TABLES["factors"].columns
    rows = pl.concat([present, neutral]).sort("ex_date")
    return rows.with_columns(
        pl.lit(instrument_id).alias("instrument_id"),
        pl.lit(ts_known).cast(columns["ts_known"]).alias("ts_known"),
        pl.lit(1, dtype=pl.UInt32).alias("version"),
        pl.lit(bool(actions["simulated"].any() or bars["simulated"].any())).alias("simulated"),
    ).select(list(columns))
