"""Which splits an answer is adjusted for, and by how many shares its prices stand for one as traded.

A provider that adjusts has done so for every split until it sent its answer. In the days around a split that is not
certain: some adjust the evening before, some days later. There the bars decide, by the first evidence that is clear:

1. the provider's own: from the last close before the ex-date to the first price from it on, adjusted bars go on, and
   unadjusted ones jump by the ratio;
2. as-traded bars of others: they are what adjusted bars are after the adjustment is undone.

Everything is for many instruments at once.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES, snap

EARLY_DAYS: Final = 1  # before the ex-date, from which on a provider may have adjusted
LATE_DAYS: Final = 4  # after it, until which one may not have
CLEAR: Final = 0.3  # of a ratio's logarithm: as far as evidence may lie from one of the two answers
WHOLE: Final = 0.01  # units by which a volume may miss a whole number that roundings pushed it off
_RECENT: Final = 5  # bars before the ex-date that are looked at
_ANSWER: Final = ["instrument_id", "provider", "ts_known"]


def shares_of(claims: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return `claims` with `shares`: how many shares of the answer's count stand for one of the bar's own day.

    Args:
        claims: Rows of bar_claims, of which those of basis split are adjusted; others have 1.0.
        splits: `instrument_id`, `ex_date` (unique within an instrument), `value`.
    """
    day = pl.col("ts_event").dt.date().alias("day")
    first = pl.lit(claims["ts_event"].dt.date().min(), pl.Date)
    later = splits.filter(pl.col("ex_date") > first)
    adjusted = claims.filter(pl.col("basis") == "split").join(later, on="instrument_id", how="semi")
    if adjusted.is_empty():
        return claims.with_columns(shares=pl.lit(1.0))
    answers = adjusted.select(_ANSWER).unique().join(later, on="instrument_id")
    known = pl.col("ts_known").dt.date()
    since = (known - pl.col("ex_date")).dt.total_days()
    near = answers.filter(since.is_between(-EARLY_DAYS, LATE_DAYS))
    applied = pl.concat([answers.filter(since > LATE_DAYS), _applied(claims, adjusted, near, since >= 0)])
    factors = (
        adjusted.select(*_ANSWER, day).unique().join(applied, on=_ANSWER).filter(pl.col("day") < pl.col("ex_date"))
    )
    product = factors.group_by(*_ANSWER, "day").agg(pl.col("value").sort_by("ex_date").product().alias("shares"))
    joined = claims.with_columns(day).join(product, on=[*_ANSWER, "day"], how="left", maintain_order="left")
    adjusts = (pl.col("basis") == "split") & pl.col("shares").is_not_null()
    return joined.with_columns(pl.when(adjusts).then("shares").otherwise(1.0).alias("shares")).drop("day")


def _applied(claims: pl.DataFrame, adjusted: pl.DataFrame, near: pl.DataFrame, usual: pl.Expr) -> pl.DataFrame:
    """Return those of `near` (an answer and a split of its days) that the answer is adjusted for."""
    if near.is_empty():
        return near
    pairs = adjusted.join(near, on=_ANSWER).sort("ts_event")
    before = pl.col("ts_event").dt.date() < pl.col("ex_date")
    key = [*_ANSWER, "ex_date"]
    own = pairs.group_by(key).agg(
        (pl.col("close").filter(before).drop_nulls().last() / _first(~before)).alias("own"),
    )
    traded = claims.filter(pl.col("basis") == "raw").select("instrument_id", "timeframe", "ts_event", told="close")
    beside = pairs.filter(before).join(traded, on=["instrument_id", "timeframe", "ts_event"])
    others = beside.group_by(key).agg((pl.col("close") / pl.col("told")).tail(_RECENT).median().alias("others"))
    rows = near.join(own, on=key, how="left").join(others, on=key, how="left")
    whole = pl.col("value").log()
    is_own = _nearer(pl.col("own").log(), adjusted=pl.lit(0.0), not_adjusted=whole, whole=whole)
    is_others = _nearer(pl.col("others").log(), adjusted=-whole, not_adjusted=pl.lit(0.0), whole=whole)
    return rows.filter(pl.coalesce(is_own, is_others, usual)).select(near.columns)


def _first(after: pl.Expr) -> pl.Expr:
    first = [pl.col(name).filter(after).drop_nulls().first() for name in ("open", "close")]
    return pl.coalesce(first)


def _nearer(found: pl.Expr, *, adjusted: pl.Expr, not_adjusted: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return true if `found` is clearly as of adjusted bars, false if clearly as of others, null if it is neither."""
    limit = whole.abs() * CLEAR
    is_adjusted, is_not = (found - adjusted).abs() <= limit, (found - not_adjusted).abs() <= limit
    return pl.when(is_adjusted).then(pl.lit(value=True)).when(is_not).then(pl.lit(value=False))


def undone(claims: pl.DataFrame) -> pl.DataFrame:
    """Return `claims` with `shares` as traded: prices times them, volumes divided by them, and without that column.

    Prices go back to cents, or to hundredths of a cent, and volumes to whole units, where what 32 bits and roundings
    leave of them allows it.
    """
    touched = pl.col("shares") != 1.0
    if not claims.select(touched.any()).item():
        return claims.drop("shares")
    prices = [
        pl.when(touched).then(snap(pl.col(name) * pl.col("shares"))).otherwise(pl.col(name)).alias(name)
        for name in PRICES
    ]
    divided = pl.col("volume") / pl.col("shares")
    whole = pl.when((divided - divided.round()).abs() < WHOLE).then(divided.round()).otherwise(divided)
    volume = pl.when(touched).then(whole).otherwise("volume").alias("volume")
    return claims.with_columns(*prices, volume).drop("shares")
