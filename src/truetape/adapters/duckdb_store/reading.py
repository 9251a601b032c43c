"""Turn a selection into one query, and its rows into frames in the order of the key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import duckdb
import polars as pl

from truetape.adapters.duckdb_store.names import (
    INSTANT_IN_SQL,
    NEVER,
    REPLACED,
    SINCE,
    SUPERSEDED,
    UNTIL,
    WRITTEN,
    in_sql,
    past,
    quoted,
    withdrawn,
)
from truetape.domain.errors import BadInput
from truetape.domain.schema import Table
from truetape.domain.stored_rows import clamped, event_bounds, sorted_by, table_named
from truetape.ports.store import Selection

Condition = tuple[str, object]  # with at most one ?, and its value
_NONE: Final = ("false", None)


@dataclass(frozen=True)
class Query:
    """One SELECT with its values. `order` is what is left to sort by, `columns` what is wanted in the end."""

    sql: str
    values: list[object]
    order: tuple[str, ...]
    columns: tuple[str, ...]

    def run(self, cursor: duckdb.DuckDBPyConnection) -> pl.DataFrame:
        """Return the rows, sorted."""
        rows: pl.DataFrame = cursor.sql(self.sql, params=self.values).pl()
        if (
            len(rows) > 1
            and self.order
            and not (len(self.order) == 1 and rows[self.order[0]].is_sorted(nulls_last=True))
        ):
            rows = rows.sort(self.order, nulls_last=True)
        return rows.select(self.columns)

    def frames(self, cursor: duckdb.DuckDBPyConnection, *, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the rows, sorted, in frames of at most `rows`; DuckDB sorts, beside its memory if need be."""
        sql = f"{self.sql} ORDER BY {quoted(self.order)}" if self.order else self.sql
        for batch in cursor.sql(sql, params=self.values).to_arrow_reader(rows):
            frame = pl.DataFrame(batch).select(self.columns)
            yield from frame.iter_slices(rows)


def query(name: str, selection: Selection, *, readable: range) -> Query:
    """Return the query for `selection` of table `name`, of which the versions `readable` can be asked for.

    Raises:
        BadInput: The table or a column does not exist, the limit is negative, `at_version` is not readable, or the
            table has no event time and `start` or `end` was given.
    """
    table = table_named(name)
    wanted = selection.columns or tuple(table.columns)
    _check_columns(table, (*wanted, *selection.equal), parameter="columns")
    _check_version(selection.at_version, readable=readable)
    order = sorted_by(table, equal=selection.equal, history=selection.history)
    fetched = (*wanted, *(column for column in order if column not in wanted))
    sql, values = _select(name, table, selection, fetched)
    if selection.limit is not None:
        if selection.limit < 0:
            raise BadInput(parameter="limit", value=selection.limit, fix="Give 0 or more.")
        sql += f" ORDER BY {quoted(order)}" if order else ""
        sql, values, order = f"{sql} LIMIT ?", [*values, selection.limit], ()
    return Query(sql=sql, values=values, order=order, columns=wanted)


def _select(name: str, table: Table, selection: Selection, columns: tuple[str, ...]) -> tuple[str, list[object]]:
    wanted = _conditions(table, selection)
    selects, values = [], []
    for source, conditions in _sources(name, table, selection):
        together = [*wanted, *conditions]
        selects.append(f"SELECT {quoted(columns)} FROM {source}{_where(together)}")  # noqa: S608  names of the schema
        values += [value for condition, value in together if "?" in condition]
    return " UNION ALL ".join(selects), values


def _sources(name: str, table: Table, selection: Selection) -> list[tuple[str, list[Condition]]]:
    """Return where the rows stand that are wanted, with the conditions of each place."""
    at = selection.at_version
    if selection.withdrawn:
        return (
            [(withdrawals_of(name, table), _of_records(selection))] if table.versioned else [(quoted([name]), [_NONE])]
        )
    current: tuple[str, list[Condition]] = (quoted([name]), [] if at is None else [(f"{WRITTEN} <= ?", at)])
    if not table.versioned or (at is None and selection.as_of is None and not selection.history):
        return [current]
    if at is None and selection.as_of is not None and not selection.history:
        as_known = (f"{SUPERSEDED} > {INSTANT_IN_SQL}", clamped(selection.as_of))
        return [current, (quoted([past(name)]), [(f"{UNTIL} = ?", NEVER), as_known])]
    return [current, (quoted([past(name)]), _of_records(selection))]


def withdrawals_of(name: str, table: Table) -> str:
    """Return the withdrawals of table `name` with all columns of the table, as SQL."""
    hidden = (SUPERSEDED, WRITTEN, SINCE, REPLACED, UNTIL)
    blank = [
        f"NULL::{in_sql(kind)} AS {quoted([column])}"
        for column, kind in table.columns.items()
        if column not in table.withdrawal
    ]
    columns = ", ".join([quoted([*table.withdrawal, *hidden]), *blank])
    return f"(SELECT {columns} FROM {quoted([withdrawn(name)])})"  # noqa: S608  names of the schema


def _of_records(selection: Selection) -> list[Condition]:
    """Return which records of the past and of withdrawals count: those that tell of the version wanted.

    A record counts from `version_since` until `version_until`. What it tells of stood in the versions before
    `version_replaced`, and in later ones as it was known before `ts_superseded`.
    """
    at = NEVER - 1 if selection.at_version is None else selection.at_version
    conditions: list[Condition] = [(f"{SINCE} <= ?", at), (f"{UNTIL} > ?", at)]
    if selection.history:
        return conditions
    if selection.as_of is None:
        return [*conditions, (f"{REPLACED} > ?", at)]
    as_known = f"({REPLACED} > {at:d} OR {SUPERSEDED} > {INSTANT_IN_SQL})"
    return [*conditions, (as_known, clamped(selection.as_of))]


def _conditions(table: Table, selection: Selection) -> list[Condition]:
    conditions: list[Condition] = []
    for column, wanted in selection.equal.items():
        if len(wanted) == 1:
            conditions.append((f"{quoted([column])} = ?", wanted[0]))
        else:
            conditions.append((f"{quoted([column])} IN (SELECT unnest(?::VARCHAR[]))", list(wanted)))
    conditions += event_range(table, selection)
    if selection.as_of is not None:
        conditions.append((f"ts_known <= {INSTANT_IN_SQL}", clamped(selection.as_of)))
    if selection.since_version is not None:
        conditions.append((f"{WRITTEN} > ?", selection.since_version))
    return conditions


def event_range(table: Table, selection: Selection) -> list[Condition]:
    """Return the bounds of the event time: dates inclusive, instants up to the start of the day after."""
    bounds = event_bounds(table, start=selection.start, end=selection.end)
    return [
        (f"{one.column} {one.operator} {INSTANT_IN_SQL if isinstance(one.value, int) else '?'}", one.value)
        for one in bounds
    ]


def _check_columns(table: Table, columns: tuple[str, ...], *, parameter: str) -> None:
    for column in columns:
        if column not in table.columns:
            raise BadInput(parameter=parameter, value=column, fix=f"Columns are {', '.join(table.columns)}.")


def _check_version(at: int | None, *, readable: range) -> None:
    if at is not None and at not in readable:
        fix = f"The store can be read at its versions {readable[0]} to {readable[-1]}."
        raise BadInput(parameter="at_version", value=at, fix=fix)


def _where(conditions: list[Condition]) -> str:
    return f" WHERE {' AND '.join(condition for condition, _ in conditions)}" if conditions else ""
