"""How tables and columns are called in SQL. Names come from the schema, never from a caller; values are parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.schema import INSTANT, TABLES, Table

SUPERSEDED: Final = "ts_superseded"
INSTANT_IN_SQL: Final = "make_timestamp_ns(?)::TIMESTAMPTZ_NS"
EVENT_COLUMNS: Final = ("ts_event", "ex_date", "session")  # when it happened: a table has one of them at most
_FARTHEST_NS: Final = 2**63 - 2
_TYPES: Final[dict[pl.DataType, str]] = {
    pl.String(): "VARCHAR",
    pl.Float64(): "DOUBLE",
    pl.Boolean(): "BOOLEAN",
    pl.UInt32(): "UINTEGER",
    pl.Date(): "DATE",
    INSTANT: "TIMESTAMPTZ_NS",
}


def quoted(names: Iterable[str]) -> str:
    """Return `names` quoted and separated by commas."""
    return ", ".join(f'"{name}"' for name in names)


def past(name: str) -> str:
    """Return the table that keeps the superseded rows of table `name`."""
    return f"{name}_past"


def clamped(instant_ns: int) -> int:
    """Return `instant_ns`, or the farthest instant that is not infinite."""
    return max(-_FARTHEST_NS, min(_FARTHEST_NS, instant_ns))


def table_named(name: str) -> Table:
    """Return the table called `name`.

    Raises:
        BadInput: There is none.
    """
    if name not in TABLES:
        raise BadInput(parameter="table", value=name, fix=f"Tables are {', '.join(TABLES)}.")
    return TABLES[name]


def columns_in_sql() -> dict[str, dict[str, str]]:
    """Return every table that the file holds, superseded rows included, with the SQL type of each column."""
    layout = {}
    for name, table in TABLES.items():
        columns = {column: _TYPES[dtype] for column, dtype in table.columns.items()}
        layout[name] = columns
        if table.versioned:
            layout[past(name)] = {**columns, SUPERSEDED: _TYPES[INSTANT]}
    return layout
