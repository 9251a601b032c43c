"""How tables and columns are called in SQL. Names come from the schema, never from a caller; values are parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from truetape.domain.schema import INSTANT, TABLES, Schema

SUPERSEDED: Final = "ts_superseded"  # the first instant at which a later version was known
WRITTEN: Final = "version_written"  # the commit that brought the row
SINCE: Final = "version_since"  # the commit from which on this record tells of it
REPLACED: Final = "version_replaced"  # the first commit after which it stood no longer
UNTIL: Final = "version_until"  # the commit from which on another record tells of it
NEVER: Final = 2**63 - 1  # a commit that does not come
INSTANT_IN_SQL: Final = "make_timestamp_ns(?)::TIMESTAMPTZ_NS"
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


def withdrawn(name: str) -> str:
    """Return the table that keeps the withdrawals of table `name`."""
    return f"{name}_withdrawn"


def columns_in_sql() -> dict[str, dict[str, str]]:
    """Return every table that the file holds, those of the past included, with the SQL type of each column."""
    layout = {}
    for name, table in TABLES.items():
        columns = _in_sql(table.columns)
        layout[name] = {**columns, WRITTEN: "BIGINT"}
        if table.versioned:
            record = {SUPERSEDED: _TYPES[INSTANT]} | dict.fromkeys((WRITTEN, SINCE, REPLACED, UNTIL), "BIGINT")
            layout[past(name)] = columns | record
            layout[withdrawn(name)] = _in_sql(table.withdrawal) | record
    return layout


def in_sql(dtype: pl.DataType) -> str:
    """Return the SQL type of a column of `dtype`."""
    return _TYPES[dtype]


def _in_sql(columns: Schema) -> dict[str, str]:
    return {column: _TYPES[dtype] for column, dtype in columns.items()}
