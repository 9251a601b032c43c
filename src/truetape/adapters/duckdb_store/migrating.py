"""Bring a store of format 1, which did not note which commit wrote a row, to the present format."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import duckdb

from truetape.adapters.duckdb_store.names import NEVER, REPLACED, SINCE, UNTIL, WRITTEN, columns_in_sql, quoted

OLD: Final = 1
_HIDDEN: Final = (WRITTEN, SINCE, REPLACED, UNTIL)


def migrate(connection: duckdb.DuckDBPyConnection, *, meta: str, to: int, found: Container[str]) -> None:
    """Add what the format `to` has more, in one transaction: a crash leaves the old format or the new one.

    Everything counts as written by the last commit, so that older versions cannot be asked for.

    Args:
        connection: To the store, for writing.
        meta: The table that holds its format and version.
        to: The present format.
        found: The names of the tables that there are.
    """
    row = connection.execute(f"SELECT version FROM {meta}").fetchone()  # noqa: S608  a constant
    assert row is not None
    connection.begin()
    try:
        for name, columns in columns_in_sql().items():
            if name in found:
                for column in _HIDDEN:
                    if column in columns:
                        value = NEVER if column == UNTIL else row[0]
                        connection.execute(f"ALTER TABLE {quoted([name])} ADD COLUMN {column} BIGINT DEFAULT {value}")
                        connection.execute(f"ALTER TABLE {quoted([name])} ALTER COLUMN {column} DROP DEFAULT")
            else:
                create(connection, name, columns)
        connection.execute(f"ALTER TABLE {meta} ADD COLUMN readable_from UBIGINT DEFAULT {row[0]}")
        connection.execute(f"UPDATE {meta} SET format = ?", [to])  # noqa: S608  a constant
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def create(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str], *, within: str = "main") -> None:
    """Make the table `name` of `columns`, each with its SQL type, in the database or schema `within`."""
    declared = ", ".join(f"{quoted([column])} {dtype}" for column, dtype in columns.items())
    connection.execute(f"CREATE TABLE {within}.{quoted([name])} ({declared})")
