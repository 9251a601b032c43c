"""Rules that a single provider's claims must keep, whatever the others say.

A check is a pure expression over one provider's bars in the order of time: true where the bar breaks the rule.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES

_TINY: Final = 1e-9


def ohlc_order() -> pl.Expr:
    """The high is the greatest and the low the least of the four prices; missing prices are not judged."""
    highest, lowest = pl.max_horizontal(PRICES), pl.min_horizontal(PRICES)
    slack = pl.col("close").abs() * _TINY
    return (highest > pl.col("high") + slack) | (lowest < pl.col("low") - slack)


def not_positive() -> pl.Expr:
    """A price is zero, negative or no finite number, or the volume is negative."""
    bad = [(pl.col(name) <= 0) | ~pl.col(name).is_finite() for name in PRICES]
    return pl.any_horizontal([*bad, pl.col("volume") < 0])


def no_close() -> pl.Expr:
    """The close is missing."""
    return pl.col("close").is_null()


def stale(sessions: int) -> pl.Expr:
    """The bar repeats the one before it to the last digit, volume included, in a run of `sessions` bars or more.

    The first bar of such a run is the honest one. Bars of no volume may repeat: nothing was traded.
    """
    same = pl.all_horizontal([pl.col(name).eq_missing(pl.col(name).shift(1)) for name in (*PRICES, "volume")])
    repeats = same.fill_null(value=False) & (pl.col("volume") > 0)
    return repeats & (repeats.sum().over(repeats.rle_id()) >= sessions - 1)


EXPLANATIONS: Final = {
    "ohlc_order": "the high is not the greatest or the low not the least of the bar's prices",
    "not_positive": "a price is not a positive number, or the volume is negative",
    "no_close": "the close is missing",
    "stale": "the bar repeats earlier bars to the last digit, volume included",
}


def broken_rules(claims: pl.DataFrame, *, stale_sessions: int) -> pl.Series:
    """Return, for each row of `claims`, the name of the first rule it breaks, or null.

    Args:
        claims: schema bar_claims, ordered by (provider, ts_event).
        stale_sessions: The number of equal bars in a row that makes a series stale.
    """
    rules = {
        "no_close": no_close(),
        "not_positive": not_positive(),
        "ohlc_order": ohlc_order(),
        "stale": stale(stale_sessions),
    }
    named = [pl.when(rule.over("provider").fill_null(value=False)).then(pl.lit(name)) for name, rule in rules.items()]
    return claims.select(pl.coalesce(named).alias("rule"))["rule"]
