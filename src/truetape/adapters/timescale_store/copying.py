"""Move frames over a connection by binary COPY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
import psycopg
from psycopg.abc import Buffer

from truetape.adapters.timescale_store.connecting import Connection
from truetape.adapters.timescale_store.decoding import decoded
from truetape.adapters.timescale_store.encoding import Bytes, encoded
from truetape.adapters.timescale_store.names import quoted

SMALL: Final = 1024  # rows that are encoded and decoded where they are, without another thread
Copy = psycopg.AsyncCopy


async def send(connection: Connection, target: str, rows: pl.DataFrame) -> None:
    """Append `rows` to the table `target`."""
    command = f"COPY {target} ({quoted(rows.columns)}) FROM STDIN (FORMAT BINARY)"
    async with connection.cursor() as cursor, cursor.copy(command.encode()) as copy:
        if len(rows) <= SMALL:
            await copy.write(b"".join(piece.data for piece in encoded(rows)))
            return
        pieces, loop = encoded(rows), asyncio.get_running_loop()
        following = loop.run_in_executor(None, _next, pieces)
        while (piece := await following) is not None:
            following = loop.run_in_executor(None, _next, pieces)
            await copy.write(piece.data)


async def receive(
    connection: Connection, sql: str, values: Sequence[object], columns: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """Return the rows of the query `sql` with `columns`, which it has in this order."""
    frames = [frame async for frame in received(connection, sql, values, columns, rows=None)]
    return frames[0] if frames else pl.DataFrame(schema=dict(columns))


async def received(
    connection: Connection,
    sql: str,
    values: Sequence[object],
    columns: Mapping[str, pl.DataType],
    *,
    rows: int | None,
) -> AsyncGenerator[pl.DataFrame]:
    """Yield the rows of the query `sql` in frames of at most `rows` rows; None: in one.

    Rows are taken from the server when they are asked for, so that no more than one frame is held.
    """
    command = f"COPY ({sql}) TO STDOUT (FORMAT BINARY)".encode()
    async with connection.cursor() as cursor, cursor.copy(command, values or None) as copy:
        while messages := await connection.wait(_messages(copy, rows)):
            frame = await _decoded(messages, columns)
            if len(frame):
                yield frame


async def _decoded(messages: list[Buffer], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    if len(messages) <= SMALL:
        return decoded(messages, columns)
    return await asyncio.get_running_loop().run_in_executor(None, decoded, messages, columns)


def _messages(copy: Copy, most: int | None) -> Generator[Any, Any, list[Buffer]]:
    """Take up to `most` messages, one row in each: one wait for all of them, where `copy.read` waits for each."""
    messages: list[Buffer] = []
    while most is None or len(messages) < most:
        message = yield from copy._read_gen()  # noqa: SLF001  what `copy.read` waits for
        if not message:
            break
        messages.append(message)
    return messages


def _next(pieces: Iterator[Bytes]) -> Bytes | None:
    return next(pieces, None)
