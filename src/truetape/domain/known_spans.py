"""When each version of a row was the last word: from the versions of a table to spans of knowledge time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

FOREVER: Final = 2**63 - 1  # where a span does not end
_GONE: Final = "__gone__"


def known_spans(versions: pl.DataFrame, withdrawals: pl.DataFrame, *, key: Sequence[str]) -> pl.DataFrame:
    """Return the versions that were the last word at some time, with the span in which they were.

    At a knowledge time the greatest of the versions that were known by then counts, as a store answers `as_of`: a
    version that was known no earlier than a greater one never counted. Where the last word is a withdrawal, no row
    stood.

    Args:
        versions: `key`, `version`, `ts_known` and any values: every version of every row.
        withdrawals: At least `key`, `version` and `ts_known`: every withdrawal.
        key: The columns that identify a row.

    Returns:
        The columns of `versions`, and `since` (inclusive) and `until` (exclusive; FOREVER where it stands still), both
        Int64, UTC nanoseconds; ascending by `key` and `since`.
    """
    since = pl.col("ts_known").cast(pl.Int64)
    if withdrawals.is_empty() and not versions.select(key).is_duplicated().any():
        return versions.with_columns(since.alias("since"), pl.lit(FOREVER).alias("until")).sort(key)
    gone = withdrawals.select(*key, "version", "ts_known").with_columns(pl.lit(value=True).alias(_GONE))
    both = pl.concat([versions.with_columns(pl.lit(value=False).alias(_GONE)), gone], how="diagonal")
    ordered = both.with_columns(since.alias("since")).sort(*key, "version")
    until = pl.col("since").reverse().cum_min().reverse().shift(-1, fill_value=FOREVER).over(key)
    spans = ordered.with_columns(until.alias("until"))
    stood = spans.filter(pl.col("since") < pl.col("until"), ~pl.col(_GONE))
    return stood.select(*versions.columns, "since", "until").sort(*key, "since")
