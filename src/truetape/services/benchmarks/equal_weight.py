"""The equal-weight total-return index, rebalanced at every close.

    level(t) = level(t - 1) x mean over the members that count of R(i, t)
    R(i, t)  = close(i, t) / close(i, s) x product of split(k) / dividend(k) over ex-dates k with s < k <= t

where s is the date of the member's bar before t, and split and dividend are the factors of domain.adjust: R is the
ratio of adjusted closes. A member without a bar on t, or with its first one, does not count on t; a bar that is
missing delays a member's return and loses none of it. Where no member counts, the level stays.

The return of a date is made of nothing later than the date, so that a new dividend changes no earlier level. A level is
known once all that went into it was known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from truetape.domain.schema import TABLES


def equal_weight(bars: pl.DataFrame, factors: pl.DataFrame, *, index_id: str, base: float = 100.0) -> pl.DataFrame:
    """Return the levels of the index over `bars`, whatever the order of their rows.

    Args:
        bars: Raw daily bars of the members: `instrument_id`, `ts_event`, `close`, `ts_known`, `simulated`. A bar
            without a positive close is none.
        factors: Their factors: `instrument_id`, `ex_date`, `split`, `dividend`, `ts_known`. One that
            is not positive is none.
        index_id: The name of the index.
        base: The level on the first date.

    Returns:
        Rows of the index_levels table by ascending date. `members` is how many members' returns made the level; on the
        first date, how many have a bar.
    """
    rows = _returns(bars.filter(pl.col("close") > 0), factors)
    if rows.is_empty():
        return pl.DataFrame(schema=TABLES["index_levels"].columns)
    dates = rows.group_by("ts_event").agg(pl.col("ts_known").max(), pl.col("simulated").any()).sort("ts_event")
    place = dates["ts_event"].search_sorted(rows["ts_event"]).to_numpy()
    counts = rows["return"].is_not_null().to_numpy()
    members = np.bincount(place[counts], minlength=len(dates))
    total = np.bincount(place[counts], weights=rows["return"].drop_nulls().to_numpy(), minlength=len(dates))
    mean = np.where(members > 0, total / np.maximum(members, 1), 1.0)
    members[0] = np.count_nonzero(place == 0)
    return _levels(dates, base * np.cumprod(mean), members, index_id=index_id)


def _returns(bars: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Return `bars` by date and instrument, with each one's return since the bar before; null for the first."""
    ordered = bars.sort("instrument_id", "ts_event")
    carried = ordered.join(
        _carried(ordered, factors), on=["instrument_id", "ts_event"], how="left", maintain_order="left"
    )
    ratio = pl.col("close") / pl.col("close").shift(1).over("instrument_id") * pl.col("growth").fill_null(1.0)
    return carried.select(
        "instrument_id",
        "ts_event",
        ratio.alias("return"),
        pl.max_horizontal("ts_known", "growth_known").alias("ts_known"),
        "simulated",
    ).sort("ts_event", "instrument_id")


def _carried(ordered: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Return the `growth` that factors give to a share, at the first bar on or after their ex-date."""
    days = ordered.select("instrument_id", "ts_event", pl.col("ts_event").dt.date().alias("ex_date"))
    sound = factors.filter((pl.col("split") > 0) & (pl.col("dividend") > 0))
    placed = sound.select("instrument_id", "ex_date", "split", "dividend", "ts_known").sort("ex_date")
    return (
        placed.join_asof(
            days.sort("ex_date"), on="ex_date", by="instrument_id", strategy="forward", check_sortedness=False
        )
        .drop_nulls("ts_event")
        .group_by("instrument_id", "ts_event")
        .agg(
            (pl.col("split") / pl.col("dividend")).product().alias("growth"),
            pl.col("ts_known").max().alias("growth_known"),
        )
    )


def _levels(dates: pl.DataFrame, level: Any, members: Any, *, index_id: str) -> pl.DataFrame:
    return dates.select(
        pl.lit(index_id).alias("index_id"),
        "ts_event",
        pl.Series("level", level, dtype=pl.Float64),
        pl.Series("members", members, dtype=pl.UInt32),
        pl.col("ts_known").cum_max(),
        pl.lit(1, dtype=pl.UInt32).alias("version"),
        pl.col("simulated").cast(pl.UInt8).cum_max().cast(pl.Boolean),
    )
