"""Rules whose breach takes a claim's vote away, whatever the others say.

A check is a pure expression over one provider's bars in the order of time: true where the bar breaks the rule.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES

_TINY: Final = 1e-9
_BAR: Final = ("instrument_id", "timeframe", "ts_event")


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


def repeats() -> pl.Expr:
    """The bar repeats the provider's bar before it to the last digit, volume included.

    Bars of no volume may repeat: nothing was traded.
    """
    columns = ("instrument_id", "timeframe", "provider", *PRICES, "volume")
    same = pl.all_horizontal([pl.col(name).eq_missing(pl.col(name).shift(1)) for name in columns])
    return same.fill_null(value=False) & (pl.col("volume") > 0).fill_null(value=False)


def stale(claims: pl.DataFrame, *, sessions: int) -> pl.Series:
    """Return true for each bar that repeats the one before, in a run of `sessions` equal bars or more.

    The first bar of such a run is the honest one.
    """
    marked = claims.select(repeats().alias("repeat")).with_columns(pl.col("repeat").rle_id().alias("run"))
    return marked.select(pl.col("repeat") & (pl.len().over("run") >= sessions - 1))["repeat"]


def quiet(ruled: pl.DataFrame) -> pl.Series:
    """Return true for each stale bar that another provider's says too while none has a fresh one.

    That is a quiet market, not a feed that stands still.

    Args:
        ruled: schema bar_claims with `rule` as `broken_rules` returns it.
    """
    is_stale = pl.col("rule") == "stale"
    fresh = pl.col("rule").is_null().any().over(*_BAR)
    alike = is_stale.fill_null(value=False).sum().over(*_BAR, *PRICES)
    return ruled.select((is_stale & ~fresh & (alike > 1)).fill_null(value=False).alias("quiet"))["quiet"]


def broken_rules(claims: pl.DataFrame, *, stale_sessions: int) -> pl.Series:
    """Return, for each row of `claims`, the name of the first rule it breaks, or null.

    Args:
        claims: schema bar_claims, ordered by (instrument_id, timeframe, provider, ts_event).
        stale_sessions: The number of equal bars in a row that makes a series stale.
    """
    rules: dict[str, pl.Expr | pl.Series] = {
        "no_close": no_close(),
        "not_positive": not_positive(),
        "ohlc_order": ohlc_order(),
        "stale": stale(claims, sessions=stale_sessions),
    }
    return claims.select(pl.coalesce([pl.when(rule).then(pl.lit(name)) for name, rule in rules.items()]).alias("rule"))[
        "rule"
    ]
