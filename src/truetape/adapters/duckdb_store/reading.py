"""Turn a selection into one query, and its rows into a frame in the order of the key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import polars as pl

from truetape.adapters.duckdb_store.names import (
    EVENT_COLUMNS,
    INSTANT_IN_SQL,
    SUPERSEDED,
    clamped,
    past,
    quoted,
    table_named,
)
from truetape.domain.errors import BadInput
from truetape.domain.schema import INSTANT, Table
from truetape.domain.time import day_start_ns
from truetape.ports.store import Selection

Values = list[object]


@dataclass(frozen=True)
class Query:
    """One SELECT with its values. `order` is what is left to sort by, `columns` what is wanted in the end."""

    sql: str
    values: Values
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


def query(name: str, selection: Selection) -> Query:
    """Return the query for `selection` of table `name`.

    Raises:
        BadInput: The table or a column does not exist, the limit is negative, or the table has no event time and
            `start` or `end` was given.
    """
    table = table_named(name)
    wanted = selection.columns or tuple(table.columns)
    _check_columns(table, (*wanted, *selection.equal), parameter="columns")
    order = _order(table, selection)
    fetched = (*wanted, *(column for column in order if column not in wanted))
    sql, values = _select(name, table, selection, fetched)
    if selection.limit is not None:
        if selection.limit < 0:
            raise BadInput(parameter="limit", value=selection.limit, fix="Give 0 or more.")
        sql += f" ORDER BY {quoted(order)}" if order else ""
        sql, values, order = f"{sql} LIMIT ?", [*values, selection.limit], ()
    return Query(sql=sql, values=values, order=order, columns=wanted)


def _select(name: str, table: Table, selection: Selection, columns: tuple[str, ...]) -> tuple[str, Values]:
    conditions, values = _conditions(table, selection)
    current = f"SELECT {quoted(columns)} FROM {quoted([name])}{_where(conditions)}"  # noqa: S608  names of the schema
    if not table.versioned or not (selection.history or selection.as_of is not None):
        return current, values
    if not selection.history:
        conditions = [*conditions, f"{SUPERSEDED} > {INSTANT_IN_SQL}"]
    superseded = f"SELECT {quoted(columns)} FROM {quoted([past(name)])}{_where(conditions)}"  # noqa: S608
    again = values if selection.history else [*values, clamped(selection.as_of or 0)]
    return f"{current} UNION ALL {superseded}", [*values, *again]


def _conditions(table: Table, selection: Selection) -> tuple[list[str], Values]:
    conditions: list[str] = []
    values: Values = []
    for column, wanted in selection.equal.items():
        if len(wanted) == 1:
            conditions.append(f"{quoted([column])} = ?")
            values.append(wanted[0])
        else:
            conditions.append(f"{quoted([column])} IN (SELECT unnest(?::VARCHAR[]))")
            values.append(list(wanted))
    for condition, value in _range(table, selection):
        conditions.append(condition)
        values.append(value)
    if selection.as_of is not None:
        conditions.append(f"ts_known <= {INSTANT_IN_SQL}")
        values.append(clamped(selection.as_of))
    return conditions, values


def _range(table: Table, selection: Selection) -> list[tuple[str, object]]:
    """Return the bounds of the event time: dates inclusive, instants up to the start of the day after."""
    given = {name: day for name, day in (("start", selection.start), ("end", selection.end)) if day is not None}
    if not given:
        return []
    event = next((column for column in EVENT_COLUMNS if column in table.columns), None)
    if event is None:
        name, day = next(iter(given.items()))
        raise BadInput(parameter=name, value=str(day), fix="Leave it out: this table has no event time.")
    if table.columns[event] != INSTANT:
        return [(f"{event} {'>=' if name == 'start' else '<='} ?", day) for name, day in given.items()]
    bounds: list[tuple[str, object]] = []
    if "start" in given:
        bounds.append((f"{event} >= {INSTANT_IN_SQL}", clamped(day_start_ns(given["start"]))))
    if "end" in given and given["end"] < date.max:
        bounds.append((f"{event} < {INSTANT_IN_SQL}", clamped(day_start_ns(given["end"] + timedelta(days=1)))))
    return bounds


def _order(table: Table, selection: Selection) -> tuple[str, ...]:
    """Return the columns to sort by; those that have only one value in the answer need no sorting."""
    fixed = {column for column, wanted in selection.equal.items() if len(wanted) == 1}
    version = ("version",) if table.versioned and selection.history else ()
    return tuple(column for column in (*table.key, *version) if column not in fixed)


def _check_columns(table: Table, columns: tuple[str, ...], *, parameter: str) -> None:
    for column in columns:
        if column not in table.columns:
            raise BadInput(parameter=parameter, value=column, fix=f"Columns are {', '.join(table.columns)}.")


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
