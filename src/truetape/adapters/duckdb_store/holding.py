"""Hold the file still for a copy while others write on: they write into the log, and into blocks that are not used.

DuckDB changes what its file says only in a checkpoint, which writes one of the headers at the file's beginning anew.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from truetape.adapters.duckdb_store.names import columns_in_sql, quoted
from truetape.domain.errors import StoreUnavailable

HEADERS: Final = 3 * 4096  # bytes
THRESHOLD: Final = "64MB"  # of log, from which on DuckDB makes a checkpoint
PATIENCE_S: Final = 20.0  # with readers that began before the last change: there is no checkpoint until they end
_UNREACHED: Final = "1000TB"
_PAUSE_S: Final = 0.02
_BUSY: Final = "Cannot CHECKPOINT"


@dataclass(frozen=True)
class Sum:
    """What a table holds, in short: its rows, and the sum of their hashes, which does not depend on their order."""

    rows: int
    hashes: str


class Held:
    """The store's file as the commit `version` left it: `size` bytes at `path`."""

    def __init__(self, path: Path, *, handle: int, connection: duckdb.DuckDBPyConnection, version: int) -> None:
        self.path = path
        self.size = os.fstat(handle).st_size
        self.version = version
        self._handle = handle
        self._headers = os.pread(handle, HEADERS, 0)
        self._cursor = connection.cursor()
        self._cursor.begin()
        self._cursor.execute("SELECT count(*) FROM truetape_meta").fetchall()  # from here on it sees this version

    async def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes of the file from `start`, fewer at its end."""
        return await asyncio.to_thread(os.pread, self._handle, min(length, self.size - start), start)

    async def sums(self) -> dict[str, Sum]:
        """Return what each table of this version holds.

        Raises:
            StoreUnavailable: It cannot be read now.
        """
        return await asyncio.to_thread(sums, self._cursor, self.path)

    def release(self) -> None:
        """Let go.

        Raises:
            StoreUnavailable: The file was changed meanwhile, so that what was read is no copy of it.
        """
        self._cursor.close()
        if os.pread(self._handle, HEADERS, 0) != self._headers:
            raise StoreUnavailable(path=str(self.path), reason="it was written anew while it was copied")


async def patiently(begin: Callable[[], Awaitable[Held]]) -> Held:
    """Return what `begin` returns, as soon as readers let it.

    Raises:
        StoreUnavailable: They did not for a while, or the file cannot be read.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await begin()
        except StoreUnavailable as error:
            if _BUSY not in error.reason:
                raise
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    path=error.path, reason="somebody has read from it for long; try later"
                ) from None
        await asyncio.sleep(_PAUSE_S)


def hold(path: Path, *, handle: int, connection: duckdb.DuckDBPyConnection, version: int) -> Held:
    """Bring everything from the log into the file, and let it be until `unhold`."""
    connection.execute("CHECKPOINT")
    connection.execute(f"SET GLOBAL checkpoint_threshold = '{_UNREACHED}'")
    return Held(path, handle=handle, connection=connection, version=version)


def unhold(held: Held, connection: duckdb.DuckDBPyConnection) -> None:
    """Let checkpoints be made again.

    Raises:
        StoreUnavailable: The file was changed meanwhile.
    """
    connection.execute(f"SET GLOBAL checkpoint_threshold = '{THRESHOLD}'")
    held.release()


def sums(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Sum]:
    """Return what each table of the store at `path` holds. Hashes are comparable within one version of DuckDB.

    Raises:
        StoreUnavailable: It cannot be read now.
    """
    try:
        return _sums(connection)
    except duckdb.Error as error:
        raise StoreUnavailable(path=str(path), reason=str(error).partition("\n")[0].rstrip(".")) from None


def _sums(connection: duckdb.DuckDBPyConnection) -> dict[str, Sum]:
    found = {}
    for name, columns in columns_in_sql().items():
        question = f"SELECT count(*), coalesce(sum(hash({quoted(columns)})::HUGEINT), 0)::VARCHAR FROM {quoted([name])}"  # noqa: S608
        row = connection.execute(question).fetchone()
        assert row is not None
        found[name] = Sum(rows=int(row[0]), hashes=str(row[1]))
    return found
