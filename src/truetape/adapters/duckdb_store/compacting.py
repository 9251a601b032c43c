"""Write the file anew with the rows of each table in the order of its key, so that a series stands in a few blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from truetape.adapters.duckdb_store.migrating import create
from truetape.adapters.duckdb_store.names import columns_in_sql, quoted
from truetape.adapters.duckdb_store.opening import META, connect, draft_of, reason, sync
from truetape.domain.errors import StoreUnavailable
from truetape.domain.schema import TABLES

_DRAFT: Final = "draft"


@dataclass(frozen=True)
class Compacted:
    """What became of the file: its bytes before and after, and the rows that it holds, those of the past included."""

    before: int
    after: int
    rows: int


def compact(path: Path, *, on_progress: Callable[[int, int], None]) -> Compacted:
    """Write the store at `path` anew beside itself, compare the number of rows, and put it in the old one's place.

    Rows, versions and the numbers of commits stay. A crash on the way leaves the old file or the new one whole, and
    what is left of a draft is removed by whoever opens the store next.

    Args:
        path: A store that nobody has open and, until this returns, nobody opens.
        on_progress: Is told how many rows of how many are written.

    Raises:
        FolderInUse, WrongFolder: As when the store is opened.
        StoreUnavailable: The disk is full or failing; the store is as it was.
    """
    connection = connect(path, read_only=False)
    draft = draft_of(path)
    try:
        with _explained(path):
            connection.execute("CHECKPOINT")
            before = path.stat().st_size
            rows = _written(connection, draft, on_progress)
            connection.close()
            log = path.with_name(f"{path.name}.wal")
            if log.exists():
                raise StoreUnavailable(path=str(path), reason=f"its log {log.name} could not be written out")
            _replace(draft, path)
            return Compacted(before=before, after=path.stat().st_size, rows=rows)
    finally:
        connection.close()
        for leftover in (draft, draft.with_name(f"{draft.name}.wal")):
            leftover.unlink(missing_ok=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise StoreUnavailable(path=str(path), reason=reason(error)) from None


def _written(connection: duckdb.DuckDBPyConnection, draft: Path, on_progress: Callable[[int, int], None]) -> int:
    """Write every table to `draft` and return how many rows they have."""
    counts = {name: _count(connection, quoted([name])) for name in columns_in_sql()}
    total = sum(counts.values())
    place = str(draft).replace("'", "''")
    connection.execute(f"ATTACH '{place}' AS {_DRAFT}")
    connection.execute(f"CREATE TABLE {_DRAFT}.{META} AS SELECT * FROM {META}")  # noqa: S608  constants
    done = 0
    for name, columns in columns_in_sql().items():
        target = f"{_DRAFT}.{quoted([name])}"
        create(connection, name, columns, within=_DRAFT)
        order = quoted(_order(name, columns))
        connection.execute(f"INSERT INTO {target} SELECT * FROM {quoted([name])} ORDER BY {order}")  # noqa: S608
        if _count(connection, target) != counts[name]:
            raise OSError(f"of the table {name} not every row was written")
        done += counts[name]
        on_progress(done, total)
    connection.execute(f"CHECKPOINT {_DRAFT}")
    connection.execute(f"DETACH {_DRAFT}")
    return total


def _order(name: str, columns: dict[str, str]) -> list[str]:
    """Return the key of the schema's table that `name` belongs to, then the version where there is one."""
    table = next(
        TABLES[one] for one in (name, name.removesuffix("_past"), name.removesuffix("_withdrawn")) if one in TABLES
    )
    return [column for column in (*table.key, "version") if column in columns]


def _count(connection: duckdb.DuckDBPyConnection, place: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {place}").fetchone()  # noqa: S608  names of the schema
    assert row is not None
    return int(row[0])


def _replace(draft: Path, path: Path) -> None:
    """Put `draft` in the place of `path`, in a way that a crash of the machine survives."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)
