"""Connections to PostgreSQL: where it is, how long it is waited for, and what its errors mean.

Of several hosts the one that takes writes is used. A connection that was lost, by a restart or a failover, is made
again and the work on it is tried once more: reads change nothing, and a commit that was written already is a repeat.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from truetape.domain.errors import BadInput, StoreUnavailable

VARIABLE: Final = "TRUETAPE_STORE"
Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Result = TypeVar("Result")
_GONE: Final = ("57P01", "57P02", "57P03", "25006", "08000", "08003", "08006")  # shut down, or writes elsewhere now


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds, and over how many connections reads are spread."""

    connect_s: int = 10  # for a new connection to one host
    statement_s: int = 120  # for one statement
    lock_s: int = 60  # for another process that writes
    turn_s: float = 30.0  # for a connection that is not lent
    connections: int = 8


@dataclass(frozen=True)
class Address:
    """Where the server is: `dsn` may hold a password, `label` does not."""

    dsn: str
    label: str
    secret: str
    patience: Patience

    @classmethod
    def of(cls, dsn: str, patience: Patience) -> Address:
        """Return the address that `dsn` gives: a URL `postgresql://...`, or PostgreSQL's key=value form.

        Raises:
            BadInput: It is neither.
        """
        try:
            given = conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            fix = "Write the address of a database, such as postgresql://user:password@host:5432/truetape."
            raise BadInput(parameter=VARIABLE, value="***", fix=fix) from None
        usual: dict[str, str | int] = {
            "application_name": "truetape",
            "client_encoding": "UTF8",
            "connect_timeout": patience.connect_s,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,  # milliseconds until what was sent and not acknowledged counts as lost
            "target_session_attrs": "read-write" if "," in str(given.get("host", "")) else "any",
        }
        chosen = {name: str(value) for name, value in {**usual, **given}.items()}
        return cls(make_conninfo("", **chosen), _label(given), str(given.get("password") or ""), patience)

    def unavailable(self, error: Exception) -> StoreUnavailable:
        """Return `error` as the port's own, without the password."""
        return StoreUnavailable(path=self.label, reason=self.words(error))

    def words(self, error: Exception) -> str:
        """Return what the server or the driver said in one line, without the password and the full stop."""
        told = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
        first = told.partition("\nMultiple connection attempts failed")[0]
        facts = [line.strip() for line in first.splitlines() if not line.startswith("\t")]  # the rest are questions
        line = " ".join(facts).removeprefix("connection failed: ").rstrip(".")
        return line.replace(self.secret, "***") if self.secret else line

    def session(self, *, statement_s: int) -> str:
        """Return the SQL with which a connection begins whose statements may take `statement_s`; 0: for ever."""
        times = {"statement_timeout": statement_s, "lock_timeout": self.patience.lock_s}
        return "; ".join(f"SET {name} = {seconds * 1000}" for name, seconds in times.items())


def _label(given: dict[str, Any]) -> str:
    user = f"{given['user']}@" if given.get("user") else ""
    ports = str(given.get("port") or "5432").split(",")
    hosts = str(given.get("host") or "localhost").split(",")
    where = ",".join(f"{host}:{ports[min(number, len(ports) - 1)]}" for number, host in enumerate(hosts))
    return f"postgresql://{user}{where}/{given.get('dbname') or ''}"


def is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection is of no use any more, and another one may do."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate in _GONE


class Pool:
    """A few connections that are lent one at a time, made when they are needed.

    A statement on them may take `statement_s` seconds; 0: for ever, as one does whose rows are taken slowly.
    """

    def __init__(self, address: Address, *, size: int, statement_s: int) -> None:
        self._address = address
        self._statement_s = statement_s
        self._turns = asyncio.Semaphore(size)
        self._size = size
        self._idle: list[Connection] = []
        self._is_finished = False

    async def tried(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Return what `work` returns on a connection, tried again on a new one if the first was lost.

        Raises:
            StoreUnavailable: The server cannot be reached, refused, or took too long; or all connections are lent.
        """
        try:
            async with self.lend() as connection:
                return await work(connection)
        except psycopg.Error as error:
            if not is_lost(error):
                raise self._address.unavailable(error) from None
        await self.close()
        try:
            async with self.lend() as connection:
                return await work(connection)
        except psycopg.Error as error:
            raise self._address.unavailable(error) from None

    @contextlib.asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend a connection that is in no transaction; one that comes back in a worse state is closed."""
        try:
            await asyncio.wait_for(self._turns.acquire(), self._address.patience.turn_s)
        except TimeoutError:
            reason = f"all {self._size} connections were in use for {self._address.patience.turn_s:g} s"
            raise StoreUnavailable(path=self._address.label, reason=reason) from None
        try:
            connection = await self._ready()
            try:
                yield connection
            finally:
                if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE and not self._is_finished:
                    self._idle.append(connection)
                else:
                    await connection.close()
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Close the connections that are not lent."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def finish(self) -> None:
        """Close the connections that are not lent, and the others when they come back."""
        self._is_finished = True
        await self.close()

    async def _ready(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return await connected(self._address, statement_s=self._statement_s)


async def connected(address: Address, *, statement_s: int) -> Connection:
    """Return a new connection whose statements may take `statement_s` seconds; 0: for ever.

    Raises:
        StoreUnavailable: The server cannot be reached, or refused.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(address.dsn, autocommit=True)
    except psycopg.Error as error:
        raise address.unavailable(error) from None
    try:
        await connection.execute(address.session(statement_s=statement_s).encode())
    except BaseException as error:
        await connection.close()
        if isinstance(error, psycopg.Error):
            raise address.unavailable(error) from None
        raise
    return connection
