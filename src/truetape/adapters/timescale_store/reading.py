"""Turn a selection into one SELECT, and what it brings into a frame in the order of the key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from truetape.adapters.timescale_store.names import (
    NEVER,
    REPLACED,
    SUPERSEDED,
    WITHDRAWN,
    WRITTEN,
    escaped,
    past,
    quoted,
    relation,
)
from truetape.domain.errors import BadInput
from truetape.domain.schema import Table
from truetape.domain.stored_rows import clamped, event_bounds, sorted_by, table_named
from truetape.ports.store import Selection

Values = list[object]


@dataclass(frozen=True)
class Query:
    """One SELECT with its values. `order` is what is left to sort by, `columns` what is wanted in the end."""

    sql: str
    values: Values
    fetched: dict[str, pl.DataType]
    order: tuple[str, ...]
    columns: tuple[str, ...]

    def arranged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return `rows` sorted, with the wanted columns."""
        is_sorted = len(self.order) == 1 and rows[self.order[0]].is_sorted(nulls_last=True)
        if len(rows) > 1 and self.order and not is_sorted:
            rows = rows.sort(self.order, nulls_last=True)
        return rows.select(self.columns)


@dataclass(frozen=True)
class _Where:
    """Conditions with their values, and which columns they look at."""

    conditions: tuple[str, ...] = ()
    values: tuple[object, ...] = ()

    def and_(self, condition: str, *values: object) -> _Where:
        return _Where((*self.conditions, condition), (*self.values, *values))

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def query(schema: str, name: str, selection: Selection, *, ordered: bool = False) -> Query:
    """Return the query for `selection` of table `name` in the database schema `schema`.

    Args:
        schema: Where the tables are.
        name: Of the table.
        selection: What is wanted.
        ordered: Whether the server sorts, so that rows can be taken as they come.

    Raises:
        BadInput: The table or a column does not exist, a number is negative, or the table does not have what is asked.
    """
    table = table_named(name)
    wanted = selection.columns or tuple(table.columns)
    _check(table, selection, (*wanted, *selection.equal))
    order = sorted_by(table, equal=selection.equal, history=selection.history)
    fetched = {column: table.columns[column] for column in dict.fromkeys((*wanted, *order))}
    sql, values = _select(schema, name, table, selection, tuple(fetched))
    if ordered or selection.limit is not None:
        sql += f" ORDER BY {quoted(order)}" if order else ""
        order = ()
    if selection.limit is not None:
        sql, values = f"{sql} LIMIT %s", [*values, selection.limit]
    return Query(sql=sql, values=values, fetched=fetched, order=order, columns=wanted)


def _select(schema: str, name: str, table: Table, selection: Selection, columns: tuple[str, ...]) -> tuple[str, Values]:
    where = _conditions(table, selection)
    current, superseded = relation(schema, name), relation(schema, past(name))
    if not table.versioned:
        where = where.and_("false") if selection.withdrawn else where
        return f"SELECT {quoted(columns)} FROM {current}{where}", [*where.values]  # noqa: S608  names of the schema
    if selection.as_of is not None and selection.at_version is not None and not selection.history:
        return _newest_of(current, superseded, table, selection, columns)
    parts: list[str] = []
    values: Values = []
    if not selection.withdrawn:
        parts.append(f"SELECT {quoted(columns)} FROM {current}{where}")  # noqa: S608  names of the schema
        values += where.values
    if selection.withdrawn or selection.history or selection.as_of is not None or selection.at_version is not None:
        older = _standing(where.and_(f"{WITHDRAWN} = %s", selection.withdrawn), selection)
        parts.append(f"SELECT {quoted(columns)} FROM {superseded}{older}")  # noqa: S608  names of the schema
        values += older.values
    return " UNION ALL ".join(parts), values


def _standing(where: _Where, selection: Selection) -> _Where:
    """Return `where`, for rows of the past that stood at the time that is asked about."""
    if selection.history:
        return where
    if selection.as_of is not None:
        return where.and_(f"{SUPERSEDED} > %s", clamped(selection.as_of))
    if selection.at_version is not None:
        return where.and_(f"{REPLACED} > %s", clamped(selection.at_version))
    return where.and_(f"{REPLACED} = %s", NEVER)


def _newest_of(
    current: str, superseded: str, table: Table, selection: Selection, columns: tuple[str, ...]
) -> tuple[str, Values]:
    """Return the query for what the store held after one commit as known at one time.

    Which version is the greatest then depends on both together, so that all of them are looked at.
    """
    inner = _conditions(table, selection, of_key_only=True)
    outer = _conditions(table, selection).and_(f"{WITHDRAWN} = %s", selection.withdrawn)
    names = quoted([*table.columns, WRITTEN])
    versions = (
        f"SELECT {names}, false AS {WITHDRAWN} FROM {current}{inner} "  # noqa: S608  names of the schema
        f"UNION ALL SELECT {names}, {WITHDRAWN} FROM {superseded}{inner}"
    )
    newest = f"SELECT DISTINCT ON ({quoted(table.key)}) * FROM ({versions}) versions ORDER BY {quoted(table.key)}"  # noqa: S608
    sql = f"SELECT {quoted(columns)} FROM ({newest}, version DESC) newest{outer}"  # noqa: S608  names of the schema
    return sql, [*inner.values, *inner.values, *outer.values]


def _conditions(table: Table, selection: Selection, *, of_key_only: bool = False) -> _Where:
    where = _Where()
    for column, wanted in selection.equal.items():
        if of_key_only and column not in table.key:
            continue
        texts = [escaped(text) for text in wanted]
        one = f"{quoted([column])} = %s"
        where = where.and_(one, texts[0]) if len(texts) == 1 else where.and_(f"{quoted([column])} = ANY(%s)", texts)
    for bound in event_bounds(table, start=selection.start, end=selection.end):
        where = where.and_(f"{bound.column} {bound.operator} %s", bound.value)
    if selection.as_of is not None:
        where = where.and_("ts_known <= %s", clamped(selection.as_of))
    if selection.at_version is not None:
        where = where.and_(f"{WRITTEN} <= %s", clamped(selection.at_version))
    if selection.since_version is not None and not of_key_only:
        where = where.and_(f"{WRITTEN} > %s", clamped(selection.since_version))
    return where


def _check(table: Table, selection: Selection, columns: Iterable[str]) -> None:
    for column in columns:
        if column not in table.columns:
            raise BadInput(parameter="columns", value=column, fix=f"Columns are {', '.join(table.columns)}.")
    for name in ("limit", "at_version", "since_version"):
        number = getattr(selection, name)
        if number is not None and number < 0:
            raise BadInput(parameter=name, value=number, fix="Give 0 or more.")
