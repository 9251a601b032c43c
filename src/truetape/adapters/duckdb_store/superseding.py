"""What a commit changes of the versions of some keys: which row is current now, and what is told of the others.

Each version of a row, and each withdrawal, has an open record, and closed ones if what is told of it has changed:

- the commits that it is told of by this record: from `version_since` up to, not including, `version_until`;
- `version_replaced`, the first commit after which it was not the greatest version of its key;
- `ts_superseded`, the first instant at which a greater version was known, of the commits that the record tells of.

Greater versions mostly come later, and a record is written once. A version that comes late, after a greater one, may
be known before that one: then the records of smaller versions are closed, and others go on from this commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.adapters.duckdb_store.names import NEVER, REPLACED, SINCE, SUPERSEDED, UNTIL, WRITTEN
from truetape.domain.schema import INSTANT, Table

FRESH: Final = "fresh"  # it comes with this commit
WITHDRAWAL: Final = "withdrawal"
_LATER: Final = "later"
_STANDS: Final = pl.col(REPLACED) == NEVER


@dataclass(frozen=True)
class Changes:
    """What to do to the three tables of one schema table; every frame has the table's columns and the hidden ones."""

    current: pl.DataFrame  # rows that are current from now on
    removed: pl.DataFrame  # withdrawals that are current from now on: the current rows of their keys go
    ended: pl.DataFrame  # open records to remove, because `records` tell it anew
    records: pl.DataFrame  # records of rows and of withdrawals to add


def current(rows: pl.DataFrame, *, fresh: bool, withdrawal: bool) -> pl.DataFrame:
    """Return `rows`, which have been written at WRITTEN and not been replaced, with what a record has."""
    return rows.with_columns(
        pl.col(WRITTEN).alias(SINCE),
        pl.lit(NEVER, dtype=pl.Int64).alias(REPLACED),
        pl.lit(NEVER, dtype=pl.Int64).alias(UNTIL),
        pl.lit(None, dtype=INSTANT).alias(SUPERSEDED),
        pl.lit(fresh).alias(FRESH),
        pl.lit(withdrawal).alias(WITHDRAWAL),
    )


def supersede(versions: pl.DataFrame, table: Table, *, commit: int) -> Changes:
    """Return what changes by the fresh ones among `versions`, which are all versions of their keys.

    Args:
        versions: Open records, with FRESH and WITHDRAWAL; fresh ones as if they were the greatest of their keys.
        table: Their table.
        commit: The number of the commit that brings the fresh ones.
    """
    ordered = versions.sort(*table.key, "version")
    later = pl.col("ts_known").reverse().cum_min().reverse().shift(-1).over(table.key)
    is_newest = pl.col("version") == pl.col("version").max().over(table.key)
    ordered = ordered.with_columns(later.alias(_LATER))
    older, newest = ordered.filter(~is_newest), ordered.filter(is_newest & pl.col(FRESH))
    now, told_anew = pl.lit(commit, dtype=pl.Int64), pl.col(_LATER).alias(SUPERSEDED)
    replaced = older.filter(_STANDS).with_columns(now.alias(REPLACED), told_anew)
    outdated = older.filter(~_STANDS & (pl.col(SUPERSEDED) != pl.col(_LATER)))
    closed = outdated.with_columns(now.alias(UNTIL))
    opened = outdated.with_columns(now.alias(SINCE), now.alias(REPLACED), told_anew)
    withdrawals = newest.filter(WITHDRAWAL)
    return Changes(
        current=newest.filter(~pl.col(WITHDRAWAL)),
        removed=withdrawals,
        ended=pl.concat([outdated, replaced.filter(~pl.col(FRESH))]),
        records=pl.concat([replaced, closed, opened, withdrawals]).drop(_LATER),
    )
