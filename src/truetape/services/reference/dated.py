"""Facts that hold from a day on: what a source says now, beside what was told before."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def continued(current: pl.DataFrame, told: pl.DataFrame, *, about: Sequence[str], facts: Sequence[str]) -> pl.DataFrame:
    """Return the rows that are to be written: of what nobody told before, and of what its source tells otherwise now.

    The first source of a fact keeps telling it. What it tells otherwise holds from `day` on, and the row before it ends
    there; a value that is not told stays as it was.

    Args:
        current: `about`, `valid_from`, `valid_to`, `facts`, `source` and what else a row has: all that is known.
        told: The same columns and `day`, one row for each of `about`; `valid_from` is where nothing was told before.
        about: Columns that say what a row is about.
        facts: Columns that it tells.

    Returns:
        The columns of `current`.
    """
    columns = current.columns
    before = current.sort("valid_from", nulls_last=False).unique(list(about), keep="last", maintain_order=True)
    was = [f"{name}_was" for name in (*facts, "source", "valid_from", "valid_to")]
    renamed = before.select(
        *about, *(pl.col(name.removesuffix("_was")).alias(name) for name in was), pl.lit(value=True).alias("known")
    )
    pairs = told.join(renamed, on=list(about), how="left", nulls_equal=True)
    new = pairs.filter(pl.col("known").is_null())
    differs = pl.any_horizontal(
        [pl.col(one).is_not_null() & pl.col(one).ne_missing(pl.col(f"{one}_was")) for one in facts]
    )
    other = pairs.filter("known", pl.col("source") == pl.col("source_was"), differs).with_columns(
        *(pl.coalesce(one, f"{one}_was").alias(one) for one in facts)
    )
    later = (pl.col("valid_from_was") < pl.col("day")).fill_null(value=True)
    after = other.filter(later).with_columns(valid_from=pl.col("day"))
    instead = other.filter(~later).with_columns(valid_from=pl.col("valid_from_was"), valid_to=pl.col("valid_to_was"))
    ended = other.filter(later).with_columns(
        *(pl.col(f"{one}_was").alias(one) for one in facts),
        valid_from=pl.col("valid_from_was"),
        valid_to=pl.col("day"),
    )
    return pl.concat([one.select(columns) for one in (new, ended, after, instead)])
