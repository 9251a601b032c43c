"""A store in PostgreSQL over restarts, several writers, slow servers and other versions of its schema."""

from __future__ import annotations

import asyncio
import itertools
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import psycopg
import pytest
from minute_bars import minutes
from store_rows import bar, closes, frame

from database_servers import PASSWORD, Postgres, cluster
from truetape.adapters.timescale_store import Lifecycle, Patience, TimescaleStore
from truetape.adapters.timescale_store.migrating import migrations
from truetape.domain.errors import BadInput, StoreUnavailable, WrongFolder
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection

NUMBERS = itertools.count()
QUICK_BUT_SAFE = {"fsync": "off"}  # the process dies, the machine does not
QUICK = Patience(connect_s=2, statement_s=2, lock_s=1, turn_s=0.3, connections=2)
Opened = Callable[..., TimescaleStore]


@pytest.fixture
async def opened(postgres: Postgres) -> AsyncIterator[Opened]:
    """Opens the one store of this test, as often as wanted."""
    schema, built = f"server_{next(NUMBERS)}", list[TimescaleStore]()

    def make(dsn: str = postgres.dsn, **options: object) -> TimescaleStore:
        built.append(TimescaleStore(dsn, schema=schema, **options))  # type: ignore[arg-type]
        return built[-1]

    yield make
    for store in built:
        await store.close()


def sql(postgres: Postgres, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


def schema_of(store: TimescaleStore) -> str:
    return store._schema


async def test_commits_of_others_are_heard_of(opened: Opened) -> None:
    """Two processes write by turns: each counts on from the other, and knows the version soon without asking."""
    one, other = opened(), opened()
    assert await one.commit({"bars": frame("bars", bar(1))}) == 1
    assert await other.commit({"bars": frame("bars", bar(2))}) == 2
    assert await one.commit({"bars": frame("bars", bar(3))}) == 3
    async with asyncio.timeout(5):
        while other.version() != 3:  # noqa: ASYNC110  a notice has no event to wait for
            await asyncio.sleep(0.005)
    assert await closes(other, at_version=1) == [(1, 1.0)]
    assert await closes(other, since_version=2) == [(3, 1.0)]


async def test_a_version_of_another_process_can_be_asked_for_at_once(opened: Opened) -> None:
    """Before a notice of it has come; one that nobody has reached is refused."""
    one, other = opened(), opened()
    await other.read("bars")
    await one.commit({"bars": frame("bars", bar(1))})
    assert await closes(other, at_version=1) == [(1, 1.0)]
    with pytest.raises(BadInput, match=r"at_version was 2. The store can be read at its versions 0 to 1"):
        await other.read("bars", Selection(at_version=2))


async def test_writers_at_once_lose_and_double_nothing(opened: Opened) -> None:
    """Four of them bring the same keys in several versions: one row for each, and each commit has its own version."""
    stores = [opened() for _ in range(4)]

    async def bring(number: int) -> list[int]:
        versions = []
        for day in range(1, 9):
            rows = frame("bars", bar((day + number) % 8, float(number), version=number + 1, known=100 + number))
            versions.append(await stores[number].commit({"bars": rows}))
        return versions

    told = await asyncio.gather(*map(bring, range(4)))
    assert sorted(itertools.chain.from_iterable(told)) == list(range(1, 33))
    assert [close for _, close in await closes(stores[0])] == [3.0] * 8
    assert len(await closes(stores[0], history=True)) == 32
    assert {close for _, close in await closes(stores[0], as_of=101)} == {1.0}


async def test_a_server_that_was_killed_keeps_what_it_acknowledged(opened: Opened) -> None:
    """Idle connections are made anew, the store answers again by itself, and says why it does not meanwhile."""
    with cluster(**QUICK_BUT_SAFE) as server:
        server.make()
        server.start()
        store = opened(server.dsn)
        for day in range(1, 6):
            await store.commit({"bars": frame("bars", bar(day))})
        server.stop()
        with pytest.raises(StoreUnavailable) as caught:
            await store.commit({"bars": frame("bars", bar(6))})
        assert PASSWORD not in str(caught.value)
        assert f"postgresql://truetape@127.0.0.1:{server.port}/postgres" in str(caught.value)
        server.start()
        assert [day for day, _ in await closes(store)] == [1, 2, 3, 4, 5]
        assert await store.commit({"bars": frame("bars", bar(6))}) == 6
        server.stop()
        server.start()
        assert await store.commit({"bars": frame("bars", bar(7))}) == 7  # what was idle is found out when it is used
        await store.close()


async def test_a_wrong_password_is_not_repeated(postgres: Postgres) -> None:
    """The server's words are told without it."""
    dsn = postgres.dsn.replace(PASSWORD, "a-wrong-pa55word")
    with pytest.raises(StoreUnavailable, match="password authentication failed") as caught:
        TimescaleStore(dsn)
    assert "a-wrong-pa55word" not in str(caught.value)


async def test_a_writer_does_not_wait_for_ever(opened: Opened, postgres: Postgres) -> None:
    """Another process that keeps the lock is told of; afterwards the commit goes through."""
    store = opened(patience=QUICK)
    with psycopg.connect(postgres.dsn) as holder:
        holder.execute(f"SELECT version FROM {schema_of(store)}.truetape_meta FOR UPDATE".encode())
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await store.commit({"bars": frame("bars", bar(1))})
        assert await closes(store) == []
    assert await store.commit({"bars": frame("bars", bar(1))}) == 1
    assert (store.commits.done, store.commits.failed) == (1, 1)


async def test_a_question_does_not_wait_for_ever(opened: Opened, postgres: Postgres) -> None:
    """A table that is locked, and more questions at once than there are connections."""
    store = opened(patience=QUICK)
    with psycopg.connect(postgres.dsn) as holder:
        holder.execute(f"LOCK TABLE {schema_of(store)}.listings".encode())
        answers = await asyncio.gather(*(store.read("listings") for _ in range(3)), return_exceptions=True)
    told = sorted(str(one).rpartition(": ")[2] for one in answers)
    assert told[0].startswith("all 2 connections were in use for 0.3 s")
    assert {re.sub(r"^canceling statement due to ", "", one) for one in told[1:]} <= {
        "lock timeout.",
        "statement timeout.",
    }
    assert (await store.read("listings")).is_empty()


async def test_a_slow_reader_of_a_stream_is_not_cut_off(opened: Opened) -> None:
    """A stream may take longer than a statement may."""
    await opened().commit({"bars": minutes(30_000, who="ins_a", start=DAY_NS)})
    reader, count = opened(patience=replace(QUICK, statement_s=1)), 0
    async for rows in reader.stream("bars", rows=10_000):
        count += len(rows)
        await asyncio.sleep(0.5)
    assert count == 30_000


async def test_a_schema_of_the_future_is_refused(opened: Opened, postgres: Postgres) -> None:
    """By number, before anything is touched."""
    store = opened()
    sql(postgres, f"INSERT INTO {schema_of(store)}.truetape_migrations VALUES (99, '0099_future', now())")
    for read_only in (False, True):
        with pytest.raises(
            WrongFolder, match=r"its schema has number 99, and this version of truetape knows \d+\. Use"
        ):
            opened(read_only=read_only)


async def test_other_columns_are_refused(opened: Opened, postgres: Postgres) -> None:
    """A table that somebody has changed by hand is named."""
    store = opened()
    sql(postgres, f"ALTER TABLE {schema_of(store)}.listings DROP COLUMN symbol")
    with pytest.raises(WrongFolder, match="its table listings has other columns than expected"):
        opened()


async def test_a_migration_that_fails_leaves_nothing(opened: Opened, postgres: Postgres) -> None:
    """A name that is taken stops the second file: the first one is not there either."""
    schema = "taken"
    sql(postgres, f"CREATE SCHEMA {schema}; CREATE VIEW {schema}.bars_past AS SELECT 1")
    with pytest.raises(StoreUnavailable, match="already exists"):
        TimescaleStore(postgres.dsn, schema=schema)
    assert sql(postgres, f"SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace") == [
        ("bars_past",)
    ]


async def test_stores_that_are_made_at_once_are_one(opened: Opened) -> None:
    """Four processes start on an empty database: each migration is applied once."""
    stores = await asyncio.gather(*(asyncio.to_thread(opened) for _ in range(4)))
    assert [await one.commit({"bars": frame("bars", bar(number))}) for number, one in enumerate(stores)] == [1, 2, 3, 4]


def test_migrations_make_every_table(tmp_path: Path) -> None:
    """Where this fails, run scripts/draft_migration.py, and commit the file that it writes."""
    root = Path(__file__).resolve().parents[2]
    told = subprocess.run(
        [sys.executable, root / "scripts" / "draft_migration.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout) == (0, "Nothing is missing: the migrations make every table of the schema.\n")
    assert [one.number for one in migrations()] == list(range(1, len(migrations()) + 1))


async def test_partitions_are_made_when_rows_need_them(opened: Opened, postgres: Postgres) -> None:
    """As wide as the store was made with; one that somebody dropped is made again."""
    store = opened(lifecycle=Lifecycle(chunk_days={"bars": 10}))
    rows = frame("bars", *(bar(day) for day in (-15, 1, 2, 11)))
    await store.commit({"bars": rows})
    names = f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{schema_of(store)}.bars'::regclass"
    parts = [f"{schema_of(store)}.bars_{name}" for name in ("before_2", "from_0", "from_1")]
    assert sorted(sql(postgres, names)) == [(part,) for part in parts]
    await store.commit({"bars": frame("bars", bar(3))})
    sql(postgres, f"DROP TABLE {parts[1]}")
    assert [day for day, _ in await closes(store)] == [-15, 11]
    again = opened(lifecycle=Lifecycle(chunk_days={"bars": 30}))  # too late: it was made with ten
    assert await store.commit({"bars": frame("bars", bar(4))}) == 3
    assert await again.commit({"bars": frame("bars", bar(12))}) == 4
    assert [day for day, _ in await closes(store)] == [-15, 4, 11, 12]


async def test_a_question_reads_the_partitions_that_it_needs(opened: Opened, postgres: Postgres) -> None:
    """The others do not stand in its plan."""
    store = opened(lifecycle=Lifecycle(chunk_days={"bars": 10}))
    await store.commit({"bars": frame("bars", *(bar(day) for day in (1, 11, 21)))})
    question = f"SELECT * FROM {schema_of(store)}.bars WHERE instrument_id = 'ins_a' AND ts_event >= {20 * DAY_NS}"
    plan = str(sql(postgres, f"EXPLAIN {question}"))
    assert [name for name in ("bars_from_0", "bars_from_1", "bars_from_2") if name in plan] == ["bars_from_2"]


async def test_keys_that_are_scattered_are_found(opened: Opened) -> None:
    """A batch of few rows over many others of the same instruments and days: repeats and corrections are told apart."""
    store = opened()
    whole = pl.concat([minutes(12_000, who=f"ins_{seed}", start=DAY_NS, seed=seed) for seed in range(2)])
    await store.commit({"bars": whole})
    some = whole.gather_every(3_000)
    assert await store.commit({"bars": some}) == 1
    later = some.with_columns(close=pl.lit(0.5), version=pl.lit(2, pl.UInt32))
    assert await store.commit({"bars": later}) == 2
    assert (await store.read("bars", Selection(since_version=1)))["close"].to_list() == [0.5] * 8
    assert len(await store.read("bars", Selection(history=True))) == 24_008


async def test_commits_that_wait_share_a_transaction(opened: Opened, postgres: Postgres) -> None:
    """A hundred at once: each has its own version, and the server has seen far fewer."""
    store = opened()
    await store.commit({"bars": frame("bars", bar(0))})
    ends = "SELECT count(DISTINCT xmin::text) FROM {}.bars"
    told = await asyncio.gather(*(store.commit({"bars": frame("bars", bar(day))}) for day in range(1, 101)))
    assert sorted(told) == list(range(2, 102))
    assert [len(await closes(store, at_version=version)) for version in (1, 2, 50, 101)] == [1, 2, 50, 101]
    ((transactions,),) = sql(postgres, ends.format(schema_of(store)))
    assert isinstance(transactions, int)
    assert transactions < 20


async def test_a_commit_that_fails_in_a_group_fails_alone(opened: Opened) -> None:
    """A key that is too long for an index is refused; those who waited with it are written."""
    store = opened()
    good = [store.commit({"bars": frame("bars", bar(day))}) for day in (1, 2, 3)]
    long = "".join(chr(0x4E00 + number % 20_000) for number in range(20_000))
    bad = store.commit({"bars": frame("bars", bar(1, who=long))})
    told = await asyncio.gather(good[0], good[1], bad, good[2], return_exceptions=True)
    assert {told[0], told[1], told[3]} == {1, 2, 3}
    assert isinstance(told[2], StoreUnavailable)
    assert "index row" in str(told[2])
    assert len(await closes(store)) == 3
    assert (store.commits.done, store.commits.failed, store.commits.waiting) == (3, 1, 0)


async def test_a_caller_that_gives_up_stops_nobody_else(opened: Opened) -> None:
    """What it asked for may be written or not; the others are, and the store closes."""
    store = opened()
    waiting = [asyncio.create_task(store.commit({"bars": frame("bars", bar(day))})) for day in range(20)]
    await asyncio.sleep(0.02)
    waiting[7].cancel()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [day for day, one in enumerate(told) if isinstance(one, asyncio.CancelledError)] in ([7], [])
    assert {0, 6, 8, 19} <= {day for day, _ in await closes(store)}


async def test_waiting_commits_of_the_same_keys_come_one_after_the_other(opened: Opened) -> None:
    """Thirty versions of three bars at once, with repeats and commits of nothing between them: none is lost."""
    store = opened()
    rows = [frame("bars", bar(number % 3, float(number), version=number + 1)) for number in range(30)]
    told = await asyncio.gather(*(store.commit({"bars": one}) for one in [*rows, *rows, rows[0].clear()]))
    assert sorted(set(told[:30])) == sorted({*told} - {0})
    assert store.version() == 30
    assert sorted(close for _, close in await closes(store, history=True)) == [float(number) for number in range(30)]
    assert await closes(store) == [(0, 27.0), (1, 28.0), (2, 29.0)]
