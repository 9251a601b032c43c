"""Physical replication between two PostgreSQL servers: the first dies while rows are written, the second takes over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from store_rows import bar, closes, frame

from database_servers import QUICK, Postgres, cluster
from truetape.adapters.timescale_store import Patience, TimescaleStore
from truetape.domain.errors import StoreUnavailable

# As docs/guides/run-on-timescaledb.md advises; what is quick here is unsafe where a machine may lose power.
REPLICATED = {
    **QUICK,
    "synchronous_commit": "remote_apply",
    "wal_level": "replica",
    "hot_standby": "on",
    "max_wal_senders": "4",
}
COMMITS = 120


@pytest.fixture
def pair() -> Iterator[tuple[Postgres, Postgres]]:
    """A server, and its synchronous standby."""
    with cluster(**REPLICATED) as first, cluster(**REPLICATED) as second:
        first.make()
        first.start()
        copy = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        where: list[str | Path] = ["-h", "127.0.0.1", "-p", str(first.port), "-U", "truetape", "-D", second.data]
        second.run("pg_basebackup", *where, *copy, "--create-slot", "--slot=standby")
        second.start()
        with psycopg.connect(first.dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        yield first, second


def either(first: Postgres, second: Postgres) -> str:
    """The address of whichever of the two takes writes."""
    alone = first.dsn
    return alone.replace(f":{first.port}/", f":{first.port},127.0.0.1:{second.port}/")


async def test_nothing_acknowledged_is_lost_in_a_failover(pair: tuple[Postgres, Postgres]) -> None:
    """The store goes on writing at the promoted server by itself; versions count on, and no row is there twice."""
    first, second = pair
    store = TimescaleStore(either(first, second), patience=replace(Patience(), connect_s=2))
    acknowledged: dict[int, int] = {}

    async def write() -> None:
        for day in range(COMMITS):
            while day not in acknowledged:
                with contextlib.suppress(StoreUnavailable):
                    acknowledged[day] = await store.commit({"bars": frame("bars", bar(day, float(day)))})
                if day not in acknowledged:
                    await asyncio.sleep(0.05)

    writing = asyncio.create_task(write())
    while len(acknowledged) < COMMITS // 3:  # noqa: ASYNC110  the writer has no event for it
        await asyncio.sleep(0.01)
    first.stop()
    before = dict(acknowledged)
    await asyncio.sleep(0.2)
    with psycopg.connect(second.dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_promote()")
    await asyncio.wait_for(writing, timeout=30)
    assert COMMITS // 3 <= len(before) < COMMITS
    assert [(day, float(day)) for day in range(COMMITS)] == await closes(store)
    assert sorted(acknowledged.values()) == list(range(1, COMMITS + 1))
    assert [(0, 0.0)] == await closes(store, at_version=1)
    await store.close()


async def test_a_standby_answers_those_who_only_read(pair: tuple[Postgres, Postgres]) -> None:
    """What is acknowledged is there already; what is written there is refused."""
    first, second = pair
    writer = TimescaleStore(first.dsn)
    await writer.commit({"bars": frame("bars", bar(1))})
    reader = TimescaleStore(second.dsn, read_only=True)
    assert [(1, 1.0)] == await closes(reader)
    with pytest.raises(StoreUnavailable, match="read-only"):
        TimescaleStore(second.dsn, schema="another")
    await writer.close()
    await reader.close()
