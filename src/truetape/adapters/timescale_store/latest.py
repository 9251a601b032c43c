"""The newest bar of every series, in a small table of its own: thousands are found without a look into each chunk.

It is written in the transaction that writes the bars. Where bars were replaced or withdrawn, it is looked up anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from truetape.adapters.timescale_store.connecting import Connection
from truetape.adapters.timescale_store.copying import receive, send
from truetape.adapters.timescale_store.names import LATEST, SERIES, columns_of, escape, escaped, quoted, relation
from truetape.domain.schema import TABLES

BARS = "bars"


async def note(connection: Connection, schema: str, rows: pl.DataFrame, *, gone: pl.DataFrame) -> None:
    """Bring the table up to date with the current bars `rows` that were written, and those of keys `gone` that went."""
    if not gone.is_empty():
        await _look_up(connection, schema, gone.select(SERIES).unique())
    newest = rows.drop_nulls([*SERIES]).sort("ts_event").unique(SERIES, keep="last")
    if newest.is_empty():
        return
    target, columns = relation(schema, LATEST), [*columns_of(BARS)]
    await connection.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS newest ON COMMIT DELETE ROWS AS SELECT * FROM {target} WITH NO DATA".encode()  # noqa: S608
    )
    await connection.execute(b"DELETE FROM pg_temp.newest")
    await send(connection, "pg_temp.newest", newest.select(columns))
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in SERIES)
    sql = (
        f"INSERT INTO {target} AS held ({quoted(columns)}) SELECT {quoted(columns)} FROM pg_temp.newest "  # noqa: S608
        f"ON CONFLICT ({quoted(SERIES)}) DO UPDATE SET {changed} WHERE held.ts_event <= excluded.ts_event"
    )
    await connection.execute(sql.encode())


async def latest(connection: Connection, schema: str, instruments: Sequence[str], *, timeframe: str) -> pl.DataFrame:
    """Return the newest bars of `instruments`, by their ids."""
    columns = TABLES[BARS].columns
    sql = f"SELECT {quoted(columns)} FROM {relation(schema, LATEST)} WHERE timeframe = %s AND instrument_id = ANY(%s)"  # noqa: S608
    values = [escaped(timeframe), [escaped(one) for one in instruments]]
    return (await receive(connection, sql, values, columns)).sort("instrument_id")


async def _look_up(connection: Connection, schema: str, series: pl.DataFrame) -> None:
    """Find the newest bar of each of `series` again."""
    values = [escape(series[name]).to_list() for name in SERIES]
    given = "unnest(%s::text[], %s::text[]) AS given (instrument_id, timeframe)"
    same = " AND ".join(f'held."{name}" = given."{name}"' for name in SERIES)
    target, columns = relation(schema, LATEST), quoted(columns_of(BARS))
    await connection.execute(f"DELETE FROM {target} held USING {given} WHERE {same}".encode(), values)  # noqa: S608
    newest = f"SELECT {columns} FROM {relation(schema, BARS)} held WHERE {same} ORDER BY ts_event DESC LIMIT 1"  # noqa: S608
    sql = f"INSERT INTO {target} ({columns}) SELECT found.* FROM {given} CROSS JOIN LATERAL ({newest}) found"  # noqa: S608
    await connection.execute(sql.encode(), values)
