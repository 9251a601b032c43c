"""Take a store back to an earlier version of its own: what was written since is as if it had never been."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from truetape.adapters.duckdb_store.names import (
    INSTANT_IN_SQL,
    NEVER,
    REPLACED,
    SINCE,
    SUPERSEDED,
    UNTIL,
    WRITTEN,
    columns_in_sql,
    past,
    quoted,
    withdrawn,
)
from truetape.adapters.duckdb_store.opening import META, connect, readable
from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES
from truetape.domain.time import iso

_AT: Final = f"{SINCE} <= $at AND {UNTIL} > $at"  # records that tell of this version


def rewind(path: Path, *, until: int) -> int:
    """Take the store at `path` back to the last version in which nothing was known after `until`, and return it.

    What can be asked of the store then, also of earlier versions, is answered as it was.

    Args:
        path: A store that nobody has open.
        until: A knowledge time, UTC nanoseconds, inclusive.

    Raises:
        BadInput: The store does not reach back so far, or rows have left it since.
        StoreUnavailable: It cannot be read or written now.
    """
    connection = connect(path, read_only=False)
    try:
        known = readable(connection)
        wanted = _last_version(connection, until, newest=known[-1])
        if wanted not in known:
            fix = f"The store can be taken back to its versions {known[0]} to {known[-1]} only. Choose an older backup."
            raise BadInput(parameter="--at", value=iso(until), fix=fix)
        if wanted < known[-1]:
            _refuse_if_moved(connection, wanted, until)
            _take_back(connection, wanted)
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    return wanted


def _last_version(connection: duckdb.DuckDBPyConnection, until: int, *, newest: int) -> int:
    """Return the version before the first commit that brought what was known after `until`."""
    places = [name for name, columns in columns_in_sql().items() if {"ts_known", WRITTEN} <= set(columns)]
    each = [
        f"SELECT min({WRITTEN}) AS first FROM {quoted([name])} WHERE ts_known > {INSTANT_IN_SQL}"  # noqa: S608
        for name in places
    ]
    row = connection.execute(f"SELECT min(first) FROM ({' UNION ALL '.join(each)})", [until] * len(each)).fetchone()  # noqa: S608
    assert row is not None
    return newest if row[0] is None else int(row[0]) - 1


def _refuse_if_moved(connection: duckdb.DuckDBPyConnection, version: int, until: int) -> None:
    """Raise where rows have left the store since: they are not in it any more to be taken back."""
    if connection.execute(f"SELECT 1 FROM moves WHERE {WRITTEN} > ? LIMIT 1", [version]).fetchone():  # noqa: S608
        fix = "Rows have been moved to a colder tier or deleted since. Restore all of a backup: leave the time out."
        raise BadInput(parameter="--at", value=iso(until), fix=fix)


def _take_back(connection: duckdb.DuckDBPyConnection, version: int) -> None:
    connection.begin()
    try:
        for name, table in TABLES.items():
            connection.execute(f"DELETE FROM {quoted([name])} WHERE {WRITTEN} > ?", [version])  # noqa: S608
            if table.versioned:
                _restore_current(connection, name, version)
                _reopen(connection, past(name), version)
                _reopen(connection, withdrawn(name), version)
        connection.execute(f"UPDATE {META} SET version = ?", [version])  # noqa: S608  a constant
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _restore_current(connection: duckdb.DuckDBPyConnection, name: str, version: int) -> None:
    """Move the rows that were replaced since from the past to the current rows."""
    columns = quoted((*TABLES[name].columns, WRITTEN))
    was_current = f"{_AT} AND {REPLACED} > $at"
    place = quoted([past(name)])
    values = {"at": version}
    connection.execute(
        f"INSERT INTO {quoted([name])} ({columns}) SELECT {columns} FROM {place} WHERE {was_current}",  # noqa: S608
        values,
    )
    connection.execute(f"DELETE FROM {place} WHERE {was_current}", values)  # noqa: S608


def _reopen(connection: duckdb.DuckDBPyConnection, place: str, version: int) -> None:
    """Forget records that were begun since, and what was noted since of those before."""
    name = quoted([place])
    connection.execute(f"DELETE FROM {name} WHERE {SINCE} > ?", [version])  # noqa: S608
    connection.execute(f"UPDATE {name} SET {UNTIL} = {NEVER} WHERE {UNTIL} > ?", [version])  # noqa: S608
    stands = f"{REPLACED} = {NEVER}, {SUPERSEDED} = NULL"
    connection.execute(f"UPDATE {name} SET {stands} WHERE {REPLACED} > ?", [version])  # noqa: S608
