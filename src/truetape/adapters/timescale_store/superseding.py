"""Which version of a row stands, which were superseded and when: worked out for the keys that a commit touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from truetape.adapters.timescale_store.names import NEVER, REPLACED, SUPERSEDED, WITHDRAWN, WRITTEN
from truetape.domain.schema import INSTANT, Table
from truetape.domain.stored_rows import without


@dataclass(frozen=True)
class Change:
    """What a commit makes of one versioned table."""

    touched: pl.DataFrame  # the keys that it touches
    is_past_known: bool  # versions of these keys stand in the past: `past` replaces them
    gone: pl.DataFrame  # keys whose current row is another one now, or none
    current: pl.DataFrame  # the rows that become current
    past: pl.DataFrame  # every version of the touched keys that is not current


def supersede(held: pl.DataFrame, fresh: pl.DataFrame, table: Table) -> Change:
    """Return the change that `fresh` versions make.

    Args:
        held: Every version of the keys of `fresh`, at least, that the store has: the table's columns, `withdrawn`,
            `version_written`, and `is_current` for those that stand now.
        fresh: New versions, unique by key and version and not in `held`; the same columns but for `is_current`.
        table: The table that both are of.
    """
    key = list(table.key)
    about = held.join(fresh.select(key).unique(), on=key, how="semi", nulls_equal=True)
    every = pl.concat([about, fresh.with_columns(is_current=pl.lit(value=False))]).sort(*key, "version")
    every = _timed(every, key)
    newest = pl.col("version") == pl.col("version").max().over(key)
    stands = every.filter(newest & ~pl.col(WITHDRAWN))
    past = every.filter(~newest | pl.col(WITHDRAWN))
    current = about.filter("is_current")
    return Change(
        touched=fresh.select(key).unique(),
        is_past_known=len(current) < len(about),
        gone=without(current, stands, [*key, "version"]).select(key),
        current=stands.filter(~pl.col("is_current")).select(*table.columns, WRITTEN),
        past=past.select(*table.columns, WITHDRAWN, WRITTEN, REPLACED, SUPERSEDED),
    )


def _timed(ordered: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Say of each version when a later one was known first, and which commit brought a later one first."""
    later = {SUPERSEDED: pl.col("ts_known").to_physical(), REPLACED: pl.col(WRITTEN)}
    told = [
        column.reverse().cum_min().reverse().shift(-1).over(key).fill_null(NEVER).alias(name)
        for name, column in later.items()
    ]
    return ordered.with_columns(told).with_columns(pl.col(SUPERSEDED).cast(INSTANT))
