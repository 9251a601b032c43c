"""New, corrected or repeated: what to write of rows that come again.

A versioned table keeps every version of a row. A row is written when its key is new (version 1) or when any of its
values differs from the current version (version + 1). `ts_known`, `version` and `payload` are no values: hearing the
same thing again, in other bytes, changes nothing. A withdrawal is a version too: a row that comes after it is new, and
numbered on beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.schema import Table

FIRST_VERSION: Final = 1
WITHDRAWN: Final = "withdrawn"  # the check of a finding that says why a row was withdrawn
NO_VALUES: Final = ("ts_known", "version", "payload")
_AT: Final = "__at__"


@dataclass(frozen=True)
class Decision:
    """What became of the incoming rows: how many of each kind, and the versions to write."""

    write: pl.DataFrame  # the new and the corrected rows, in the table's columns and the order of arrival
    new: int
    corrected: int
    repeated: int


def decide(
    current: pl.DataFrame, incoming: pl.DataFrame, table: Table, *, withdrawn: pl.DataFrame | None = None
) -> Decision:
    """Compare `incoming` rows with the `current` ones.

    Values are compared exactly, floats without tolerance; null equals null.

    Args:
        current: The table's columns; the current version of each key, one row per key. Rows of other keys are ignored.
        incoming: The table's columns; `version` is ignored and may be missing. Of rows with one key the last counts,
            the others are repeats.
        table: The table that both are meant for.
        withdrawn: At least the key and the version of current withdrawals, one row per key. Of a table that nothing is
            ever withdrawn from it may be left out.
    """
    keys = _varying(table.key, current, incoming)
    rows = _last_of_each(incoming, keys)
    if current.is_empty():
        write = rows.with_columns(_version(pl.lit(FIRST_VERSION)))
        return _decision(_beyond(write, withdrawn, table), table, new=len(write), of=len(incoming))
    before = _counterparts(current, rows, keys)
    known = before["version"].is_not_null()
    values = [name for name in table.columns if name not in NO_VALUES and name not in table.key]
    differs = pl.select(pl.any_horizontal([rows[name].ne_missing(before[name]) for name in values])).to_series()
    chosen = rows.with_columns(_version(before["version"].fill_null(0) + FIRST_VERSION)).filter(~known | differs)
    new = len(rows) - int(known.sum())
    return _decision(_beyond(chosen, withdrawn, table), table, new=new, of=len(incoming))


def withdraw(current: pl.DataFrame, table: Table, *, ts_known: int) -> pl.DataFrame:
    """Return the withdrawals of `current` rows: `table.withdrawal`, each the next version of its row.

    Args:
        current: The table's columns; the current versions of the rows that no longer stand.
        table: Their table.
        ts_known: When it was known that they do not, UTC nanoseconds.
    """
    known = pl.lit(ts_known).cast(table.columns["ts_known"]).alias("ts_known")
    return current.with_columns(known, _version(pl.col("version") + 1)).select(list(table.withdrawal))


def _beyond(write: pl.DataFrame, withdrawn: pl.DataFrame | None, table: Table) -> pl.DataFrame:
    """Return rows to write with versions beyond those of the withdrawals of their keys."""
    if withdrawn is None or withdrawn.is_empty():
        return write
    last = withdrawn.select(*table.key, pl.col("version").alias(_AT))
    found = write.join(last, on=table.key, how="left", nulls_equal=True, maintain_order="left")
    return found.with_columns(_version(pl.max_horizontal("version", pl.col(_AT) + 1)))


def _decision(write: pl.DataFrame, table: Table, *, new: int, of: int) -> Decision:
    write = write.select(list(table.columns))
    return Decision(write=write, new=new, corrected=len(write) - new, repeated=of - len(write))


def _version(expression: pl.Expr | pl.Series) -> pl.Expr:
    version = pl.lit(expression) if isinstance(expression, pl.Series) else expression
    return version.cast(pl.UInt32).alias("version")


def _varying(key: tuple[str, ...], current: pl.DataFrame, incoming: pl.DataFrame) -> list[str]:
    """Return the columns of `key` that tell rows apart; a batch is mostly of one instrument and timeframe."""
    if incoming.is_empty():
        return list(key)
    first = {name: incoming[name].head(1) for name in key}
    varying = [
        name for name in key if not all(frame[name].eq_missing(first[name]).all() for frame in (incoming, current))
    ]
    return varying or [key[-1]]


def _last_of_each(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    if rows.select(keys).n_unique() == len(rows):
        return rows
    return rows.unique(keys, keep="last", maintain_order=True)


def _counterparts(current: pl.DataFrame, rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return, for each of `rows`, the current row of its key; all null where there is none."""
    if current.select(keys).equals(rows.select(keys)):
        return current
    places = current.select(keys).with_row_index(_AT)
    found = rows.select(keys).join(places, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return current.select(pl.all().gather(found[_AT]))
