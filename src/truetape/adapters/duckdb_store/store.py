"""The store of one process: DuckDB behind threads of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from truetape.adapters.duckdb_store.names import table_named
from truetape.adapters.duckdb_store.opening import META, connect, reason, version
from truetape.adapters.duckdb_store.reading import Query, query
from truetape.adapters.duckdb_store.writing import Batch, write
from truetape.domain.errors import StoreUnavailable
from truetape.domain.schema import check
from truetape.ports.store import Selection

READERS: Final = 4


class DuckdbStore:
    """Keep every table of the schema in the DuckDB file at `path`, which is made if it is missing.

    Current rows of a versioned table stand in its table, superseded ones in `<table>_past`, so that reading what is
    known now costs what DuckDB costs. One thread writes; readers see the state before or after a commit. One process
    may have the file open for writing, or several with `read_only`.

    Raises:
        FolderInUse: Another process has the file open.
        WrongFolder: The file is no store, or of another format, or is to be read and missing.
        StoreUnavailable: It cannot be read or written now.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = connect(path, read_only=read_only)
        self._version = version(self._connection)
        self._is_broken = False
        self._is_closed = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows with exactly the table's columns (or `selection.columns`), in the order of the key.

        Nulls in a key come last; `history` orders by version within the key.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: The table or a column does not exist, or the selection makes no sense for it.
        """
        self._refuse_if_closed()
        wanted = query(table, selection)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, wanted)

    async def commit(self, writes: Mapping[str, pl.DataFrame]) -> int:
        """Write frames by table name in one transaction and return the store's version after it.

        For a versioned table a row must carry its version; the row replaces the current one of the same key. Rows that
        are there already, by key and version, or by key where there are no versions, are ignored.

        Raises:
            SchemaMismatch: A frame has not exactly its table's columns.
            StoreUnavailable: The store cannot be written now; nothing was written.
            BadInput: A table does not exist.
        """
        self._refuse_if_closed()
        if self._read_only:
            raise StoreUnavailable(path=str(self._path), reason="it was opened for reading only")
        frames = {name: check(frame, table_named(name).columns, kind=name) for name, frame in writes.items()}
        loop = asyncio.get_running_loop()
        batches = await loop.run_in_executor(self._readers, _prepared, frames)
        return await loop.run_in_executor(self._writer, self._commit, batches)

    def version(self) -> int:
        """Return a number that grows with every commit that changed something, over restarts too."""
        return self._version

    async def close(self) -> None:
        """Finish what was begun and give the file back."""
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.get_running_loop().run_in_executor(self._writer, self._close)

    def _read(self, wanted: Query) -> pl.DataFrame:
        with self._cursor() as cursor:
            return wanted.run(cursor)

    def _commit(self, batches: list[Batch]) -> int:
        with self._cursor() as cursor:
            cursor.begin()
            try:
                changed = [batch for batch in batches if write(cursor, batch)]
                if changed:
                    cursor.execute(f"UPDATE {META} SET version = version + 1")  # noqa: S608  a constant
                cursor.commit()
            except BaseException:
                with contextlib.suppress(duckdb.Error):  # a commit that failed has rolled back already
                    cursor.rollback()
                raise
            self._version += bool(changed)
            return self._version

    def _close(self) -> None:
        self._readers.shutdown()
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(duckdb.Error):  # what is committed stands in the write-ahead log
                    if not self._read_only:
                        self._connection.execute("CHECKPOINT")
                self._connection.close()
                self._connection = None
        self._writer.shutdown(wait=False)

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor; DuckDB's errors become StoreUnavailable."""
        try:
            with self._lock:
                cursor = self._healthy().cursor()
            with cursor:
                yield cursor
        except duckdb.Error as error:
            if isinstance(error, duckdb.FatalException):
                self._is_broken = True
            raise StoreUnavailable(path=str(self._path), reason=reason(error)) from None

    def _healthy(self) -> duckdb.DuckDBPyConnection:
        """Return the connection, opened again if a full disk made DuckDB give up on it."""
        if self._is_broken and self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection = connect(self._path, read_only=self._read_only)
            self._version = version(self._connection)
            self._is_broken = False
        return self._connection

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise StoreUnavailable(path=str(self._path), reason="it was closed")


def _prepared(frames: Mapping[str, pl.DataFrame]) -> list[Batch]:
    return [Batch.of(name, frame) for name, frame in frames.items()]
