"""Write frames into tables: new rows in, repeats ignored, replaced rows moved to the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import duckdb
import polars as pl
import pyarrow as pa

from truetape.adapters.duckdb_store.names import EVENT_COLUMNS, INSTANT_IN_SQL, SUPERSEDED, clamped, past, quoted
from truetape.domain.schema import INSTANT, TABLES, Table

FEW: Final = 16
_INCOMING: Final = "incoming"  # a view of the frame at hand; it goes with its cursor


@dataclass(frozen=True)
class Batch:
    """A frame made ready for its table, away from the thread that writes, where all writers wait for each other."""

    name: str
    table: Table
    rows: pl.DataFrame  # one for each key, and version where there are versions
    about: dict[str, list[str]]  # the values of those text columns of the key that have a few only
    span: tuple[str, int, int] | None  # the column of instants of the key, with its first and last, UTC nanoseconds
    is_one_each: bool  # no key comes twice, whatever the version
    ready: pa.Table  # the same rows as DuckDB reads them

    @classmethod
    def of(cls, name: str, frame: pl.DataFrame) -> Self:
        """Return `frame` ready for table `name`."""
        table = TABLES[name]
        rows = _first_of_each(frame, (*table.key, "version") if table.versioned else table.key)
        return cls(
            name=name,
            table=table,
            rows=rows,
            about=_few_values(rows, table.key),
            span=_span(rows, table.key),
            is_one_each=not table.versioned or not _repeats(rows, table.key),
            ready=rows.to_arrow(compat_level=pl.CompatLevel.oldest()),
        )


def write(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
    """Write `batch` into its table inside the cursor's transaction, and return whether anything changed."""
    if batch.rows.is_empty():
        return False
    table = batch.table
    if batch.is_one_each and not _may_hold(cursor, batch):
        return _insert(cursor, batch.name, batch.ready)
    if table.versioned:
        return _write_versions(cursor, batch)
    known = _matching(cursor, batch.name, batch, columns=table.key)
    return _insert(cursor, batch.name, _without(batch.rows, known, table.key))


def _may_hold(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
    """Return whether the table has rows about the same as the batch; mostly it has none, and asking costs little."""
    if not batch.about:
        return True
    where, values = _filters(batch)
    question = f"SELECT 1 FROM {quoted([batch.name])} WHERE {where} LIMIT 1"  # noqa: S608  names of the schema
    return bool(cursor.execute(question, values).fetchall())


def _write_versions(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
    name, table, rows = batch.name, batch.table, batch.rows
    identity = (*table.key, "version")
    current = _matching(cursor, name, batch, columns=tuple(table.columns))
    superseded = _matching(cursor, past(name), batch, columns=tuple(table.columns))
    held = pl.concat([current, superseded])
    fresh = _without(rows, held, identity)
    if fresh.is_empty():
        return False
    touched = pl.concat([held, fresh]).join(fresh.unique(table.key), on=table.key, how="semi", nulls_equal=True)
    newest, older = _split(touched, table.key)
    known = current.select(table.key)
    _delete(cursor, past(name), table.key, fresh)
    _insert(cursor, past(name), older)
    _update(
        cursor, name, table, _without(newest, current, identity).join(known, on=table.key, how="semi", nulls_equal=True)
    )
    _insert(cursor, name, _without(newest, known, table.key))
    return True


def _split(rows: pl.DataFrame, key: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the greatest version of each key, and the others with the first instant at which a later one was known."""
    ordered = rows.sort(*key, "version")
    later = pl.col("ts_known").reverse().cum_min().reverse().shift(-1).over(key)
    is_newest = pl.col("version") == pl.col("version").max().over(key)
    newest = ordered.filter(is_newest)
    older = ordered.with_columns(later.alias(SUPERSEDED)).filter(~is_newest)
    return newest, older


def _matching(cursor: duckdb.DuckDBPyConnection, name: str, batch: Batch, *, columns: Sequence[str]) -> pl.DataFrame:
    """Return `columns` of those rows of table `name` whose key is in the batch.

    A batch is mostly about one instrument: what it is about narrows the table by filters, which skip whole blocks of
    it, and only what is left is joined.
    """
    key, keys = batch.table.key, batch.rows.select(batch.table.key)
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


def _span(rows: pl.DataFrame, key: Sequence[str]) -> tuple[str, int, int] | None:
    """Return the first and last instant of `rows`: tables grow in time, so that they narrow them to a few blocks."""
    column = next((name for name in EVENT_COLUMNS if name in key and rows.schema[name] == INSTANT), None)
    if column is None or rows.is_empty() or rows[column].null_count():
        return None
    instants = rows[column].to_physical()
    first, last = instants.min(), instants.max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    return column, clamped(first), clamped(last)


def _few_values(rows: pl.DataFrame, key: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of those text columns of `key` that have a few only, and no null."""
    few = {}
    for column in key:
        if rows.schema[column] == pl.String() and rows[column].null_count() == 0:
            values = rows[column].unique()
            if len(values) <= FEW:
                few[column] = values.to_list()
    return few


def _insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame | pa.Table) -> bool:
    if not len(rows):
        return False
    cursor.register(_INCOMING, rows)
    cursor.execute(f"INSERT INTO {quoted([name])} BY NAME SELECT * FROM incoming")  # noqa: S608  names of the schema
    return True


def _update(cursor: duckdb.DuckDBPyConnection, name: str, table: Table, rows: pl.DataFrame) -> None:
    """Replace rows where they stand, so that the rows of one instrument stay together."""
    if rows.is_empty():
        return
    values = ", ".join(f'"{column}" = incoming."{column}"' for column in table.columns if column not in table.key)
    cursor.register(_INCOMING, rows)
    cursor.execute(f"UPDATE {quoted([name])} held SET {values} FROM incoming WHERE {_same(table.key, rows)}")  # noqa: S608


def _delete(cursor: duckdb.DuckDBPyConnection, name: str, key: Sequence[str], rows: pl.DataFrame) -> None:
    keys = rows.select(key)
    cursor.register(_INCOMING, keys)
    cursor.execute(f"DELETE FROM {quoted([name])} held USING incoming WHERE {_same(key, keys)}")  # noqa: S608


def _same(key: Sequence[str], rows: pl.DataFrame) -> str:
    """Return the condition that keys are equal; null equals null, at a price that only columns with nulls pay."""
    operators = {column: "IS NOT DISTINCT FROM" if rows[column].null_count() else "=" for column in key}
    return " AND ".join(f'held."{column}" {operator} incoming."{column}"' for column, operator in operators.items())


def _repeats(rows: pl.DataFrame, key: Sequence[str]) -> bool:
    """Return whether two rows have one key; where one column tells all rows apart, the others are not looked at."""
    event = next((name for name in EVENT_COLUMNS if name in key), None)
    if event is not None and rows[event].n_unique() == len(rows):
        return False
    if rows.select(key).hash_rows().n_unique() == len(rows):
        return False  # keys of different hashes differ; only equal hashes must be looked at
    return rows.select(key).n_unique() < len(rows)


def _first_of_each(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return rows.unique(key, keep="first", maintain_order=True) if _repeats(rows, key) else rows


def _without(rows: pl.DataFrame, known: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return `rows` whose key is not among `known`, in their order."""
    if known.is_empty():
        return rows
    return rows.join(known, on=key, how="anti", nulls_equal=True, maintain_order="left")
