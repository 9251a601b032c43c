"""Keys and times of stored rows: the rules that all stores have in common, whatever they keep rows in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.schema import INSTANT, TABLES, Table
from truetape.domain.time import day_start_ns

EVENT_COLUMNS: Final = ("ts_event", "ex_date", "session")  # when it happened: a table has one of them at most
FARTHEST: Final = 2**63 - 2  # of instants in nanoseconds, and of versions: the next number stands for never


@dataclass(frozen=True)
class Bound:
    """A bound of the event time of rows: a date, or an instant in UTC nanoseconds."""

    column: str
    operator: Literal[">=", "<=", "<"]
    value: date | int


def table_named(name: str) -> Table:
    """Return the table called `name`.

    Raises:
        BadInput: There is none.
    """
    if name not in TABLES:
        raise BadInput(parameter="table", value=name, fix=f"Tables are {', '.join(TABLES)}.")
    return TABLES[name]


def clamped(number: int) -> int:
    """Return an instant in nanoseconds, or a version, or the farthest that is not infinite."""
    return max(-FARTHEST, min(FARTHEST, number))


def event_column(table: Table) -> str | None:
    """Return the column that says when something happened; None where the table has none."""
    return next((name for name in EVENT_COLUMNS if name in table.columns), None)


def event_bounds(table: Table, *, start: date | None, end: date | None) -> list[Bound]:
    """Return the bounds of the event time: dates inclusive, instants up to the start of the day after `end`.

    Raises:
        BadInput: A bound is given, and the table has no event time.
    """
    given = {name: day for name, day in (("start", start), ("end", end)) if day is not None}
    column = event_column(table)
    if column is None:
        for name, day in given.items():
            raise BadInput(parameter=name, value=str(day), fix="Leave it out: this table has no event time.")
        return []
    bounds = []
    is_dated = table.columns[column] != INSTANT
    if start is not None:
        bounds.append(Bound(column, ">=", start if is_dated else clamped(day_start_ns(start))))
    if end is not None and is_dated:
        bounds.append(Bound(column, "<=", end))
    elif end is not None and end < date.max:
        bounds.append(Bound(column, "<", clamped(day_start_ns(end + timedelta(days=1)))))
    return bounds


def sorted_by(table: Table, *, equal: Mapping[str, Sequence[str]], history: bool) -> tuple[str, ...]:
    """Return the columns to sort an answer by; those that have only one value in it need no sorting."""
    fixed = {column for column, wanted in equal.items() if len(wanted) == 1}
    version = ("version",) if table.versioned and history else ()
    return tuple(column for column in (*table.key, *version) if column not in fixed)


def instant_span(rows: pl.DataFrame, key: Sequence[str]) -> tuple[str, int, int] | None:
    """Return the column of instants in `key` with its first and last, UTC nanoseconds; None if they bound nothing.

    Tables grow in time, so that they narrow a table to a small part of it.
    """
    column = next((name for name in EVENT_COLUMNS if name in key and rows.schema[name] == INSTANT), None)
    if column is None or rows.is_empty() or rows[column].null_count():
        return None
    first, last = rows[column].to_physical().min(), rows[column].to_physical().max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    return column, clamped(first), clamped(last)


def has_repeats(rows: pl.DataFrame, key: Sequence[str]) -> bool:
    """Return whether two rows have one key; where one column tells all rows apart, the others are not looked at."""
    event = next((name for name in EVENT_COLUMNS if name in key), None)
    if event is not None and rows[event].n_unique() == len(rows):
        return False
    if rows.select(key).hash_rows().n_unique() == len(rows):
        return False  # keys of different hashes differ; only equal hashes must be looked at
    return rows.select(key).n_unique() < len(rows)


def without(rows: pl.DataFrame, known: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return `rows` whose key is not among `known`, in their order; null equals null."""
    if known.is_empty():
        return rows
    return rows.join(known, on=list(key), how="anti", nulls_equal=True, maintain_order="left")
