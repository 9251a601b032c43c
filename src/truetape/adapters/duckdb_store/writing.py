"""Write frames into tables: new rows in, repeats ignored, replaced rows moved to the past."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final, Self

import duckdb
import polars as pl
import pyarrow as pa

from truetape.adapters.duckdb_store.names import (
    INSTANT_IN_SQL,
    NEVER,
    REPLACED,
    SINCE,
    SUPERSEDED,
    UNTIL,
    WRITTEN,
    past,
    quoted,
    withdrawn,
)
from truetape.adapters.duckdb_store.superseding import FRESH, WITHDRAWAL, Changes, current, supersede
from truetape.domain.schema import TABLES, Table
from truetape.domain.stored_rows import has_repeats, instant_span, without

FEW: Final = 1_024  # values by which a table is narrowed; of more, all rows of the span are fetched
_INCOMING: Final = "incoming"  # a view of the frame at hand; it goes with its cursor


@dataclass(frozen=True)
class Batch:
    """A frame made ready for its table, away from the thread that writes, where all writers wait for each other."""

    name: str
    table: Table
    rows: pl.DataFrame  # one for each key, and version where there are versions
    withdrawals: pl.DataFrame  # one for each key and version, none that comes as a row too
    keys: pl.DataFrame  # of both
    about: dict[str, list[str]]  # the values of those text columns of the key that have a few only
    span: tuple[str, int, int] | None  # the column of instants of the key, with its first and last, UTC nanoseconds
    is_one_each: bool  # no key comes twice, whatever the version
    ready: pa.Table  # the same rows as DuckDB reads them

    @classmethod
    def of(cls, name: str, frame: pl.DataFrame, withdrawals: pl.DataFrame | None = None) -> Self:
        """Return `frame` ready for table `name`, with what is withdrawn from it."""
        table = TABLES[name]
        identity = (*table.key, "version") if table.versioned else table.key
        rows = _first_of_each(frame, identity)
        keys = rows.select(table.key)
        gone = keys.clear() if withdrawals is None else withdrawals
        if not gone.is_empty():
            gone = without(_first_of_each(gone, identity), rows.select(identity), identity)
            keys = pl.concat([keys, gone.select(table.key)])
        return cls(
            name=name,
            table=table,
            rows=rows,
            withdrawals=gone,
            keys=keys,
            about=_few_values(keys, table.key),
            span=instant_span(keys, table.key),
            is_one_each=not table.versioned or (gone.is_empty() and not has_repeats(rows, table.key)),
            ready=rows.to_arrow(compat_level=pl.CompatLevel.oldest()),
        )


def write(cursor: duckdb.DuckDBPyConnection, batch: Batch, *, commit: int, withdrawn_from: Container[str]) -> bool:
    """Write `batch` into its table inside the cursor's transaction, and return whether anything changed.

    Args:
        cursor: Of the one connection that writes.
        batch: What to write.
        commit: The number that the store's version becomes if anything changes.
        withdrawn_from: Tables that have withdrawals.
    """
    if batch.keys.is_empty():
        return False
    name, table = batch.name, batch.table
    has_withdrawals = name in withdrawn_from
    if (
        batch.is_one_each
        and not _may_hold(cursor, name, batch)
        and not (has_withdrawals and _may_hold(cursor, withdrawn(name), batch))
    ):
        return _insert(cursor, name, batch.ready, commit=commit)
    if table.versioned:
        return _write_versions(cursor, batch, commit=commit, has_withdrawals=has_withdrawals)
    known = _matching(cursor, name, batch, columns=table.key)
    return _insert(cursor, name, without(batch.rows, known, table.key), commit=commit)


def _may_hold(cursor: duckdb.DuckDBPyConnection, name: str, batch: Batch) -> bool:
    """Return whether table `name` has rows about the same as the batch; mostly it has none, and asking costs little."""
    if not batch.about:
        return True
    where, values = _filters(batch)
    question = f"SELECT 1 FROM {quoted([name])} WHERE {where} LIMIT 1"  # noqa: S608  names of the schema
    return bool(cursor.execute(question, values).fetchall())


def _write_versions(cursor: duckdb.DuckDBPyConnection, batch: Batch, *, commit: int, has_withdrawals: bool) -> bool:
    name, table = batch.name, batch.table
    identity = (*table.key, "version")
    standing = _matching(cursor, name, batch, columns=(*table.columns, WRITTEN))
    held = _held(cursor, batch, standing, has_withdrawals=has_withdrawals)
    brought = [(batch.rows, False)] + ([] if batch.withdrawals.is_empty() else [(batch.withdrawals, True)])
    number = pl.lit(commit, dtype=pl.Int64).alias(WRITTEN)
    fresh = pl.concat(
        [
            current(without(frame, held, identity).with_columns(number), fresh=True, withdrawal=withdrawal)
            for frame, withdrawal in brought
        ],
        how="diagonal",
    )
    if fresh.is_empty():
        return False
    touched = pl.concat([held, fresh], how="diagonal")
    touched = touched.join(fresh.select(table.key).unique(), on=table.key, how="semi", nulls_equal=True)
    _apply(cursor, name, table, supersede(touched, table, commit=commit), known=standing.select(table.key))
    return True


def _held(
    cursor: duckdb.DuckDBPyConnection, batch: Batch, standing: pl.DataFrame, *, has_withdrawals: bool
) -> pl.DataFrame:
    """Return the open records of all versions of the batch's keys; `standing` are the current rows."""
    record = (SUPERSEDED, WRITTEN, SINCE, REPLACED, UNTIL)
    name, table = batch.name, batch.table
    places = [(past(name), (*table.columns, *record), False)]
    places += [(withdrawn(name), (*table.withdrawal, *record), True)] if has_withdrawals else []
    held = [current(standing, fresh=False, withdrawal=False)]
    for place, columns, withdrawal in places:
        found = _matching(cursor, place, batch, columns=columns).filter(pl.col(UNTIL) == NEVER)
        held.append(found.with_columns(pl.lit(value=False).alias(FRESH), pl.lit(withdrawal).alias(WITHDRAWAL)))
    return pl.concat(held, how="diagonal")


def _apply(
    cursor: duckdb.DuckDBPyConnection, name: str, table: Table, changes: Changes, *, known: pl.DataFrame
) -> None:
    """Do `changes` to the tables of `name`; `known` are the keys that have a current row."""
    current_columns = (*table.columns, WRITTEN)
    record = (SUPERSEDED, WRITTEN, SINCE, REPLACED, UNTIL)
    for place, columns, here in (
        (past(name), table.columns, ~pl.col(WITHDRAWAL)),
        (withdrawn(name), table.withdrawal, pl.col(WITHDRAWAL)),
    ):
        _delete(cursor, place, (*table.key, "version", UNTIL), changes.ended.filter(here))
        _insert(cursor, place, changes.records.filter(here).select(*columns, *record))
    _delete(cursor, name, table.key, changes.removed)
    rows = changes.current.select(current_columns)
    _update(cursor, name, table, rows.join(known, on=table.key, how="semi", nulls_equal=True))
    _insert(cursor, name, without(rows, known, table.key))


def _matching(cursor: duckdb.DuckDBPyConnection, name: str, batch: Batch, *, columns: Sequence[str]) -> pl.DataFrame:
    """Return `columns` of those rows of table `name` whose key is in the batch.

    A batch is mostly about one instrument: what it is about narrows the table by filters, which skip whole blocks of
    it, and only what is left is joined.
    """
    key, keys = batch.table.key, batch.keys
    if not batch.about:
        cursor.register(_INCOMING, keys)
        sql = f"SELECT {quoted(columns)} FROM {quoted([name])} held SEMI JOIN incoming ON {_same(key, keys)}"  # noqa: S608
        joined: pl.DataFrame = cursor.sql(sql).pl()
        return joined
    where, values = _filters(batch)
    fetched = tuple(dict.fromkeys((*columns, *key)))
    sql = f"SELECT {quoted(fetched)} FROM {quoted([name])} WHERE {where}"  # noqa: S608  names of the schema
    found: pl.DataFrame = cursor.sql(sql, params=values).pl()
    return found.join(keys, on=key, how="semi", nulls_equal=True).select(columns)


def _filters(batch: Batch) -> tuple[str, list[object]]:
    where = " AND ".join(f"{quoted([column])} IN ({', '.join('?' * len(few))})" for column, few in batch.about.items())
    values: list[object] = [value for few in batch.about.values() for value in few]
    if batch.span is None:
        return where, values
    column, first, last = batch.span
    return f"{where} AND {quoted([column])} BETWEEN {INSTANT_IN_SQL} AND {INSTANT_IN_SQL}", [*values, first, last]


def _few_values(rows: pl.DataFrame, key: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of those text columns of `key` that have a few only, and no null."""
    few = {}
    for column in key:
        if rows.schema[column] == pl.String() and rows[column].null_count() == 0:
            values = rows[column].unique()
            if len(values) <= FEW:
                few[column] = values.to_list()
    return few


def _insert(
    cursor: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame | pa.Table, *, commit: int | None = None
) -> bool:
    """Insert `rows`, as written by `commit` if they do not say it themselves, and return whether there were any."""
    if not len(rows):
        return False
    written = "" if commit is None else f", {commit:d} AS {WRITTEN}"
    cursor.register(_INCOMING, rows)
    cursor.execute(f"INSERT INTO {quoted([name])} BY NAME SELECT *{written} FROM incoming")  # noqa: S608  of the schema
    return True


def _update(cursor: duckdb.DuckDBPyConnection, name: str, table: Table, rows: pl.DataFrame) -> None:
    """Replace rows where they stand, so that the rows of one instrument stay together."""
    if rows.is_empty():
        return
    values = ", ".join(f'"{column}" = incoming."{column}"' for column in rows.columns if column not in table.key)
    cursor.register(_INCOMING, rows)
    cursor.execute(f"UPDATE {quoted([name])} held SET {values} FROM incoming WHERE {_same(table.key, rows)}")  # noqa: S608


def _delete(cursor: duckdb.DuckDBPyConnection, name: str, key: Sequence[str], rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    keys = rows.select(key)
    cursor.register(_INCOMING, keys)
    cursor.execute(f"DELETE FROM {quoted([name])} held USING incoming WHERE {_same(key, keys)}")  # noqa: S608


def _same(key: Sequence[str], rows: pl.DataFrame) -> str:
    """Return the condition that keys are equal; null equals null, at a price that only columns with nulls pay."""
    operators = {column: "IS NOT DISTINCT FROM" if rows[column].null_count() else "=" for column in key}
    return " AND ".join(f'held."{column}" {operator} incoming."{column}"' for column, operator in operators.items())


def _first_of_each(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return rows.unique(key, keep="first", maintain_order=True) if has_repeats(rows, key) else rows
