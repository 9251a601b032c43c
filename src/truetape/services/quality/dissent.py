"""Say in words why a claim lost: which kind of mistake its distance from the truth looks like."""

from __future__ import annotations

from typing import Final

import polars as pl

REASONS: Final = {
    "hundredfold": "the price is 100 times off: a unit or decimal error",
    "split_ratio": "the price is off by a split ratio: a split was missed or applied twice",
    "stale": "the bar repeats earlier bars to the last digit, volume included",
    "disagrees": "the providers that agree weigh more",
    "ohlc_order": "the high is not the greatest or the low not the least of the bar's prices",
    "not_positive": "a price is not a positive number, or the volume is negative",
    "no_close": "the close is missing",
}
_SPLIT_RATIOS: Final = (1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0)
_NEAR: Final = 0.005  # share of the ratio by which a mistake of its kind may miss it


def explain_dissent(losers: pl.DataFrame) -> pl.DataFrame:
    """Return `losers` with `reason` (a key of REASONS) and `explanation` (a sentence with both values).

    Args:
        losers: Claims with `provider`, `close`, `rule` (a broken rule or null), and the verdict's `won_close` (null
            where no claim was left to win) and `agreed`.
    """
    ratio = pl.max_horizontal(pl.col("close") / pl.col("won_close"), pl.col("won_close") / pl.col("close"))
    near = [(ratio / target - 1).abs() < _NEAR for target in _SPLIT_RATIOS]
    reason = (
        pl.when((ratio / 100 - 1).abs() < _NEAR)
        .then(pl.lit("hundredfold"))
        .when(pl.col("rule").is_not_null())
        .then(pl.col("rule"))
        .when(pl.any_horizontal(near))
        .then(pl.lit("split_ratio"))
        .otherwise(pl.lit("disagrees"))
    )
    sentence = pl.format(
        "{} said {} where {} said {}: {}",
        pl.col("provider"),
        pl.col("close").cast(pl.String).fill_null("nothing"),
        pl.col("agreed").str.replace_all(",", ", ").fill_null("nobody"),
        pl.col("won_close").cast(pl.String).fill_null("nothing"),
        pl.col("reason").replace_strict(REASONS, return_dtype=pl.String),
    )
    return losers.with_columns(reason.alias("reason")).with_columns(sentence.alias("explanation"))
