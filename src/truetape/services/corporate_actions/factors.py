"""The factors of one instrument, as rows of the factors table."""

from __future__ import annotations

import polars as pl

from truetape.domain.adjust import factor_table
from truetape.domain.distributions import CASH, SHARES
from truetape.domain.schema import TABLES


def factor_rows(
    actions: pl.DataFrame, bars: pl.DataFrame, current: pl.DataFrame, *, instrument_id: str, ts_known: int
) -> pl.DataFrame:
    """Return what the factors of an instrument now are.

    Args:
        actions: Golden actions: `ex_date`, `type`, `value`, `agreed`, `simulated`. A null value is no action.
        bars: Golden raw daily bars in ascending order: `ts_event`, `close`, `simulated`.
        current: The stored factors: at least `ex_date`.
        instrument_id: Whose factors they are.
        ts_known: When they became known, in UTC nanoseconds.

    Returns:
        Rows of the factors table by ascending ex-date. A stored factor whose action is gone is neutral: both of its
        numbers are 1.0.
    """
    closes = bars.select(pl.col("ts_event").dt.date().alias("date"), "close")
    present = factor_table(told_apart(actions.filter(pl.col("value").is_not_null())), closes)
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


def told_apart(actions: pl.DataFrame) -> pl.DataFrame:
    """Return `actions` less those that are another's name for the same event.

    What one provider calls a special dividend another may report as a dividend, and a stock dividend as a split. Beside
    a dividend or split of the day, other cash or shares count only if one provider speaks of both.

    Args:
        actions: `ex_date`, `type` and `agreed`, the providers behind each, comma separated.
    """
    plain = pl.when(pl.col("type").is_in(CASH)).then(pl.lit(CASH[0]))
    named = actions.with_columns(plain.when(pl.col("type").is_in(SHARES)).then(pl.lit(SHARES[0])).alias("usual"))
    usual = (
        named.filter(pl.col("type") == pl.col("usual"))
        .select("ex_date", "usual", behind="agreed")
        .unique(["ex_date", "usual"], keep="first")
    )
    joined = named.join(usual, on=["ex_date", "usual"], how="left", maintain_order="left")
    both = pl.col("agreed").str.split(",").list.set_intersection(pl.col("behind").str.split(",")).list.len() > 0
    alone = pl.col("behind").is_null() | (pl.col("type") == pl.col("usual"))
    return joined.filter(alone | both.fill_null(value=False)).drop("usual", "behind")
