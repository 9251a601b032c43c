"""The store of one process: DuckDB behind threads of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from truetape.adapters.duckdb_store.grouping import GroupCommit
from truetape.adapters.duckdb_store.holding import Held, hold, patiently, unhold
from truetape.adapters.duckdb_store.moving import census, forget, states
from truetape.adapters.duckdb_store.opening import META, connect, readable, reason, withdrawn_from
from truetape.adapters.duckdb_store.reading import Query, query
from truetape.adapters.duckdb_store.writing import Batch, write
from truetape.domain.commits import Commits
from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.domain.read_trace import tell
from truetape.domain.schema import TABLES, check, empty
from truetape.domain.stored_rows import table_named
from truetape.ports.store import BATCH_ROWS, Selection
from truetape.ports.tiering import Span

READERS: Final = 4


class DuckdbStore:
    """Keep every table of the schema in the DuckDB file at `path`, which is made if it is missing.

    Current rows of a versioned table stand in its table, superseded ones in `<table>_past`, so that reading what is
    known now costs what DuckDB costs, and withdrawals in `<table>_withdrawn`. One thread writes; readers see the state
    before or after a commit. One process may have the file open for writing, or several with `read_only`.

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
        self._readable = readable(self._connection)
        self._withdrawn_from = withdrawn_from(self._connection)
        self._streams: set[Generator[pl.DataFrame]] = set()
        self._is_broken = False
        self._is_closed = False
        self._holding = asyncio.Lock()
        self._handle: int | None = None  # closed after the connection: closing it gives up DuckDB's lock of the file
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self.commits = Commits(time.monotonic)
        self._group = GroupCommit(_prepared, self._commit, writer=self._writer, preparers=self._readers)

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows with exactly the table's columns (or `selection.columns`), in the order of the key.

        Nulls in a key come last; `history` orders by version within the key.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: The table or a column does not exist, or the selection makes no sense for it.
        """
        self._refuse_if_closed()
        wanted = query(table, selection, readable=self._readable)
        if selection.withdrawn and table not in self._withdrawn_from:
            return empty(TABLES[table].columns).select(wanted.columns)
        rows = await asyncio.get_running_loop().run_in_executor(self._readers, self._read, wanted)
        tell("store", table, len(rows))
        return rows

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield what `read` returns in frames of at most `rows` rows, in bounded memory, all of one store version.

        What does not fit into memory for sorting goes to a folder beside the file. Between frames no thread is kept,
        and the writer goes on; a stream that is closed early gives everything back at once.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: As for `read`, or `rows` is less than 1.
        """
        self._refuse_if_closed()
        if rows < 1:
            raise BadInput(parameter="rows", value=rows, fix="Give 1 or more.")
        async with contextlib.aclosing(
            self._streamed(query(table, selection, readable=self._readable), rows)
        ) as frames:
            async for frame in frames:
                yield frame

    async def extract(self, span: Span, *, upto: int) -> AsyncIterator[pl.DataFrame]:
        """Yield every state of the rows of `span` that was written by version `upto` of the store or before.

        Frames have the table's columns, then STORED and WITHDRAWN, and come in the order of the key, then of `version`
        where there are versions; memory stays bounded.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: The table does not exist or has no event time.
        """
        self._refuse_if_closed()
        async with contextlib.aclosing(self._streamed(states(span, upto=upto), BATCH_ROWS)) as frames:
            async for frame in frames:
                yield frame

    async def remove(self, span: Span, *, upto: int, writes: Mapping[str, pl.DataFrame]) -> int:
        """Forget what `extract` yields for the same arguments, commit `writes`, and return how many rows went.

        All of it is one commit. What `at_version` returns of the rows that stay does not change.

        Raises:
            StoreUnavailable: The store cannot be written now; nothing was changed.
            SchemaMismatch: A frame has not exactly its table's columns.
            BadInput: A table does not exist or has no event time.
        """
        self._refuse_if_not_writable()
        frames = {name: check(frame, table_named(name).columns, kind=name) for name, frame in writes.items()}
        forgotten: list[int] = []

        def forget_first(cursor: duckdb.DuckDBPyConnection) -> None:
            forgotten.append(forget(cursor, span, upto=upto))

        batches = await asyncio.to_thread(_prepared, frames, {})
        await asyncio.get_running_loop().run_in_executor(self._writer, self._commit, batches, forget_first)
        return forgotten[-1]

    async def census(self) -> pl.DataFrame:
        """Return the columns CENSUS: rows of all states and the bytes that they take, by table, month and provider.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        self._refuse_if_closed()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._census)

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        """Write frames by table name in one transaction and return the store's version after it.

        Small commits that wait for the same time share a transaction, and so a version; one that fails, fails alone.
        For a versioned table a row must carry its version; the row replaces the current one of the same key. Rows and
        withdrawals that are there already, by key and version, or by key where there are no versions, are ignored.

        Args:
            writes: Rows with exactly their table's columns.
            withdrawals: Rows of versioned tables that no longer stand: `Table.withdrawal`.

        Raises:
            SchemaMismatch: A frame has not exactly its columns.
            StoreUnavailable: The store cannot be written now; nothing was written.
            BadInput: A table does not exist, or has no versions and is withdrawn from.
        """
        self._refuse_if_not_writable()
        frames = {name: check(frame, table_named(name).columns, kind=name) for name, frame in writes.items()}
        gone = {name: _checked(name, frame) for name, frame in (withdrawals or {}).items()}
        with self.commits.one():
            return await self._group.commit(frames, gone)

    def version(self) -> int:
        """Return a number that grows with every commit that changed something, over restarts too."""
        return self._readable[-1]

    async def close(self) -> None:
        """Finish what was begun and give the file back."""
        if self._is_closed:
            return
        async with self._holding:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(self._writer, self._close)

    @contextlib.asynccontextmanager
    async def hold(self) -> AsyncIterator[Held]:
        """Lend the file as the last commit left it, for a copy; others read and write on meanwhile. One at a time.

        Raises:
            StoreUnavailable: It cannot be read now, or at the end: it was changed, and what was read is no copy of it.
        """
        async with self._holding:
            self._refuse_if_closed()
            loop = asyncio.get_running_loop()
            held = await patiently(lambda: loop.run_in_executor(self._writer, self._hold))
            try:
                yield held
            finally:
                await loop.run_in_executor(self._writer, self._unhold, held)

    async def _streamed(self, wanted: Query, rows: int) -> AsyncGenerator[pl.DataFrame]:
        frames = self._frames(wanted, rows)
        self._streams.add(frames)
        fetched: Future[pl.DataFrame | None] | None = None
        try:
            while True:
                self._refuse_if_closed()
                fetched = self._readers.submit(next, frames, None)
                frame = await asyncio.wrap_future(fetched)
                if frame is None:
                    return
                yield frame
        finally:
            if fetched is not None:
                fetched.add_done_callback(lambda _: self._end(frames))

    def _census(self) -> pl.DataFrame:
        with self._cursor() as cursor:
            return census(cursor)

    def _read(self, wanted: Query) -> pl.DataFrame:
        with self._cursor() as cursor:
            return wanted.run(cursor)

    def _frames(self, wanted: Query, rows: int) -> Generator[pl.DataFrame]:
        with self._cursor() as cursor:
            yield from wanted.frames(cursor, rows=rows)

    def _end(self, frames: Generator[pl.DataFrame]) -> None:
        with self._lock:
            frames.close()
            self._streams.discard(frames)

    def _commit(self, batches: list[Batch], before: Callable[[duckdb.DuckDBPyConnection], None] | None = None) -> int:
        with self._cursor() as cursor:
            commit = self._readable.stop
            cursor.begin()
            try:
                if before is not None:
                    before(cursor)
                changed = [
                    batch
                    for batch in batches
                    if write(cursor, batch, commit=commit, withdrawn_from=self._withdrawn_from)
                ]
                if changed:
                    cursor.execute(f"UPDATE {META} SET version = ?", [commit])  # noqa: S608  a constant
                cursor.commit()
            except BaseException:
                with contextlib.suppress(duckdb.Error):  # a commit that failed has rolled back already
                    cursor.rollback()
                raise
            if changed:
                self._withdrawn_from |= {batch.name for batch in changed if not batch.withdrawals.is_empty()}
                self._readable = range(self._readable.start, commit + 1)
            return self.version()

    def _hold(self) -> Held:
        with self._cursor():
            if self._handle is None:
                self._handle = os.open(self._path, os.O_RDONLY)
            assert self._connection is not None, "the cursor is of it"
            return hold(self._path, handle=self._handle, connection=self._connection, version=self.version())

    def _unhold(self, held: Held) -> None:
        with self._cursor() as cursor:
            unhold(held, cursor)

    def _close(self) -> None:
        self._readers.shutdown()
        with self._lock:
            while self._streams:
                self._streams.pop().close()
            if self._connection is not None:
                with contextlib.suppress(duckdb.Error):  # what is committed stands in the write-ahead log
                    if not self._read_only:
                        self._connection.execute("CHECKPOINT")
                self._connection.close()
                self._connection = None
            self._let_go()
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
            self._let_go()
        if self._connection is None:
            self._connection = connect(self._path, read_only=self._read_only)
            self._readable = readable(self._connection)
            self._withdrawn_from = withdrawn_from(self._connection)
            self._is_broken = False
        return self._connection

    def _refuse_if_not_writable(self) -> None:
        self._refuse_if_closed()
        if self._read_only:
            raise StoreUnavailable(path=str(self._path), reason="it was opened for reading only")

    def _let_go(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise StoreUnavailable(path=str(self._path), reason="it was closed")


def _checked(name: str, withdrawals: pl.DataFrame) -> pl.DataFrame:
    table = table_named(name)
    if not table.versioned:
        raise BadInput(parameter="withdrawals", value=name, fix="Its rows stand for ever: the table has no versions.")
    return check(withdrawals, table.withdrawal, kind=f"withdrawals of {name}")


def _prepared(frames: Mapping[str, pl.DataFrame], withdrawals: Mapping[str, pl.DataFrame]) -> list[Batch]:
    rows = {name: frames.get(name, empty(TABLES[name].columns)) for name in (*frames, *withdrawals)}
    return [Batch.of(name, frame, withdrawals.get(name)) for name, frame in rows.items()]
