"""A store in PostgreSQL: every guarantee of the port, over several processes and over a failover."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
import psycopg
import structlog

from truetape.adapters.timescale_store.connecting import Address, Connection, Patience, Pool, connected
from truetape.adapters.timescale_store.copying import receive, received
from truetape.adapters.timescale_store.examining import examine
from truetape.adapters.timescale_store.grouping import CommitLine, Group, joined
from truetape.adapters.timescale_store.latest import latest
from truetape.adapters.timescale_store.lifecycle import Lifecycle, enforce
from truetape.adapters.timescale_store.migrating import META, check_layout, held, migrate
from truetape.adapters.timescale_store.names import relation
from truetape.adapters.timescale_store.partitions import Partitions
from truetape.adapters.timescale_store.reading import query
from truetape.adapters.timescale_store.writing import CHANNEL, Batch, Writer
from truetape.domain.commits import Commits
from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.domain.read_trace import tell
from truetape.domain.schema import check, empty
from truetape.domain.stored_rows import table_named
from truetape.ports.store import BATCH_ROWS, Selection

SCHEMA: Final = "truetape"
USUAL: Final = Patience()
FOR_EVER: Final = Lifecycle()
LISTEN_S: Final = 5.0  # between two looks at the version, should a notice have been lost
AGAIN_S: Final = 1.0  # before a server that was lost is listened to again

log = structlog.get_logger()


class TimescaleStore:
    """A store in one schema of a PostgreSQL database, with the TimescaleDB extension or on plain partitions.

    Several processes may use it at once: their commits come one after the other. `schema` is made if it is missing, and
    brought up to date; `lifecycle` says what TimescaleDB does with rows as they grow old.

    Raises:
        BadInput: `dsn` is no address of a PostgreSQL server.
        WrongFolder: The store is newer than this program, or is to be read and missing.
        StoreUnavailable: The server cannot be reached, or refused.
    """

    def __init__(
        self,
        dsn: str,
        *,
        read_only: bool = False,
        schema: str = SCHEMA,
        patience: Patience = USUAL,
        lifecycle: Lifecycle = FOR_EVER,
    ) -> None:
        self._address = Address.of(dsn, patience)
        self._schema = schema
        self._read_only = read_only
        self._is_closed = False
        self.commits = Commits(time.monotonic)  # how they go
        self._readers = Pool(self._address, size=patience.connections, statement_s=patience.statement_s)
        self._streamers = Pool(self._address, size=patience.connections, statement_s=0)
        self._writers = Pool(self._address, size=1, statement_s=patience.statement_s)
        self._line = CommitLine(self._write)
        self._listener: asyncio.Task[None] | None = None
        self._working_on = 0
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()
        self._open(lifecycle)

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows with exactly the table's columns (or `selection.columns`), in the order of the key.

        Nulls in a key come last; `history` orders by version within the key.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: The table or a column does not exist, or the selection makes no sense for it.
        """
        async with self._working():
            wanted = query(self._schema, table, selection)
            await self._check_version(selection)
            rows = await self._readers.tried(
                lambda connection: receive(connection, wanted.sql, wanted.values, wanted.fetched)
            )
        tell("store", table, len(rows))
        return wanted.arranged(rows)

    async def latest(self, instruments: Sequence[str], *, timeframe: str) -> pl.DataFrame:
        """Return the bar of the greatest `ts_event` of each of `instruments` that has one.

        Rows have the columns of the table bars, in the order of the instruments' ids. Bars that a policy has dropped
        since may be among them.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        async with self._working():
            return await self._readers.tried(
                lambda connection: latest(connection, self._schema, instruments, timeframe=timeframe)
            )

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield what `read` returns in frames of at most `rows` rows, in bounded memory, all of one store version.

        One statement in one snapshot sends the rows, sorted by the server, as fast as they are taken.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: As for `read`.
        """
        if rows < 1:
            raise BadInput(parameter="rows", value=rows, fix="Give 1 or more.")
        self._begin()
        wanted = query(self._schema, table, selection, ordered=True)
        await self._check_version(selection)
        async with self._translated(), self._streamers.lend() as connection:
            frames = received(connection, wanted.sql, wanted.values, wanted.fetched, rows=rows)
            async with contextlib.aclosing(frames):
                async for frame in frames:
                    yield frame.select(wanted.columns)

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        """Write frames by table name in one transaction and return the store's version after it.

        For a versioned table a row must carry its version; the row replaces the current one of the same key. Rows that
        are there already, by key and version, or by key where there are no versions, are ignored. Commits that wait at
        the same time share a transaction, and each has its own version.

        Raises:
            SchemaMismatch: A frame has not exactly its table's columns.
            StoreUnavailable: The store cannot be written now; nothing was written.
            BadInput: A table does not exist, or rows are withdrawn from one that has no versions.
        """
        async with self._working():
            if self._read_only:
                raise StoreUnavailable(path=self._address.label, reason="it was opened for reading only")
            frames = {name: check(frame, table_named(name).columns, kind=name) for name, frame in writes.items()}
            taken = {name: _withdrawal(name, frame) for name, frame in (withdrawals or {}).items()}
            batches = await asyncio.get_running_loop().run_in_executor(None, _prepared, frames, taken)
            with self.commits.one():
                version = await self._line.commit(batches)
        self._saw(version)
        return version

    def version(self) -> int:
        """Return a number that grows with every commit that changed something, those of other processes too."""
        return self._version

    async def close(self) -> None:
        """Finish what was begun and give the connections back."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._is_quiet.wait()
        await self._writers.finish()
        await self._readers.finish()
        await self._streamers.finish()

    def _open(self, lifecycle: Lifecycle) -> None:
        """Look at the database once, before anything is asked of it."""
        label = self._address.label
        try:
            with psycopg.connect(self._address.dsn, autocommit=True) as connection:
                connection.execute(self._address.session(statement_s=0).encode())
                if not self._read_only:
                    migrate(connection, self._schema, label=label, chunk_days=lifecycle.chunk_days)
                found = held(connection, self._schema, label=label)
                check_layout(connection, self._schema, label=label)
                if found.edition == "timescale" and not self._read_only:
                    enforce(connection, self._schema, lifecycle)
                self._examined = examine(connection, self._schema, label=label)
        except psycopg.Error as error:
            raise self._address.unavailable(error) from None
        self._version = found.version
        self._partitions = Partitions(self._schema, found.widths if found.edition == "plain" else {})

    async def _write(self, group: Group) -> list[int]:
        return await self._writers.tried(lambda connection: self._write_on(connection, group))

    async def _write_on(self, connection: Connection, group: Group) -> list[int]:
        try:
            return await self._transaction(connection, group)
        except psycopg.errors.CheckViolation:
            self._partitions.forget()
            return await self._transaction(connection, group)

    async def _transaction(self, connection: Connection, group: Group) -> list[int]:
        """Write each of `group`, and return the version of the store after each."""
        meta = relation(self._schema, META)
        async with connection.transaction():
            cursor = await connection.execute(f"SELECT version FROM {meta} FOR UPDATE".encode())  # noqa: S608
            row = await cursor.fetchone()
            assert row is not None
            versions = await self._written(connection, group, after=int(row[0]))
            if versions[-1] > row[0]:
                await connection.execute(f"UPDATE {meta} SET version = %s".encode(), [versions[-1]])  # noqa: S608
                await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{versions[-1]} {self._schema}"])
        return versions

    async def _written(self, connection: Connection, group: Group, *, after: int) -> list[int]:
        """Write each of `group` into the transaction, at once if they only add rows, and return the versions."""
        touched: set[str] = set()
        whole = joined(group, after=after)
        if whole is not None and await Writer(connection, self._schema, after, self._partitions, touched).add(whole):
            return [after + number for number in range(1, len(group) + 1)]
        versions: list[int] = []
        for batches in group:
            version = versions[-1] if versions else after
            writer = Writer(connection, self._schema, version + 1, self._partitions, touched)
            changed = [batch.name for batch in batches if await writer.write(batch)]
            versions.append(version + bool(changed))
        return versions

    @contextlib.asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        """Let `close` wait for the work in the block."""
        self._begin()
        self._working_on += 1
        self._is_quiet.clear()
        try:
            yield
        finally:
            self._working_on -= 1
            if not self._working_on:
                self._is_quiet.set()

    def _begin(self) -> None:
        if self._is_closed:
            raise StoreUnavailable(path=self._address.label, reason="it was closed")
        if self._listener is None:
            self._tell()
            self._listener = asyncio.create_task(self._listen())

    def _tell(self) -> None:
        """Log what the server is and lacks; those who only read have been told by the one that writes."""
        if self._read_only:
            return
        one, label = self._examined, self._address.label
        log.info("store.opened", server=label, postgresql=one.server, timescaledb=one.extension, state=one.state)
        if one.missing:
            log.warning("store.plain", server=label, missing=", ".join(one.missing))
        for trouble in one.troubles:
            log.warning("store.unsafe", server=label, reason=trouble)

    async def _listen(self) -> None:
        """Hear of the commits of other processes, for as long as the store is open."""
        while True:
            with contextlib.suppress(psycopg.Error, StoreUnavailable):
                connection = await connected(self._address, statement_s=self._address.patience.statement_s)
                try:
                    await self._hear(connection)
                finally:
                    await connection.close()
            await asyncio.sleep(AGAIN_S)

    async def _hear(self, connection: Connection) -> None:
        await connection.execute(f"LISTEN {CHANNEL}".encode())
        while True:
            self._saw(await self._current(connection))
            async for notice in connection.notifies(timeout=LISTEN_S):
                version, _, schema = notice.payload.partition(" ")
                if schema == self._schema:
                    self._saw(int(version))

    async def _current(self, connection: Connection) -> int:
        cursor = await connection.execute(f"SELECT version FROM {relation(self._schema, META)}".encode())  # noqa: S608
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])

    def _saw(self, version: int) -> None:
        self._version = max(self._version, version)

    async def _check_version(self, selection: Selection) -> None:
        """Accept a version that the store has reached, by a commit of any process."""
        at = selection.at_version
        if at is not None and at > self._version:
            self._saw(await self._readers.tried(self._current))
        if at is not None and not 0 <= at <= self._version:
            fix = f"The store can be read at its versions 0 to {self._version}."
            raise BadInput(parameter="at_version", value=at, fix=fix)

    @contextlib.asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._address.unavailable(error) from None


def _withdrawal(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    table = table_named(name)
    if not table.versioned:
        fix = "Rows of this table have no versions, and none can be withdrawn."
        raise BadInput(parameter="withdrawals", value=name, fix=fix)
    return check(frame, table.withdrawal, kind=f"withdrawals of {name}")


def _prepared(frames: Mapping[str, pl.DataFrame], withdrawals: Mapping[str, pl.DataFrame]) -> list[Batch]:
    names: dict[str, Any] = dict.fromkeys([*frames, *withdrawals])
    return [Batch.of(name, frames.get(name, empty(table_named(name).columns)), withdrawals.get(name)) for name in names]
