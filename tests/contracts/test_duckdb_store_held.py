"""The embedded store's file held still for a copy, and taken back to an earlier version."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store_rows import bar, frame, withdrawal, withdrawals

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.duckdb_store.holding import sums
from truetape.adapters.duckdb_store.rewinding import rewind
from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.ports.store import Selection

OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1], read_only=True)"


async def copied(store: DuckdbStore, path: Path) -> int:
    """Write a copy of the store's file, a piece at a time."""
    async with store.hold() as held:
        pieces = [await held.read(start, 100_000) for start in range(0, held.size, 100_000)]
        await asyncio.to_thread(path.write_bytes, b"".join(pieces))
        return held.version


async def test_a_copy_is_of_one_version_while_others_write(tmp_path: Path) -> None:
    """Commits during the copy, also ones so large that they go into the file at once, are not in it; later they are."""
    store = DuckdbStore(tmp_path / "store")
    await store.commit({"bars": frame("bars", *(bar(day) for day in range(1000)))})
    large = frame("bars", bar(1)).join(pl.DataFrame({"n": range(200_000)}), how="cross")
    large = large.with_columns(instrument_id=pl.format("other_{}", "n")).drop("n")
    async with store.hold() as held:
        before = [await held.read(start, 1 << 20) for start in range(0, held.size, 1 << 20)]
        await store.commit({"bars": large})
        await store.commit({"bars": frame("bars", bar(5, 2.0, version=2))})
        told = await held.sums()
        after = [await held.read(start, 1 << 20) for start in range(0, held.size, 1 << 20)]
    assert (held.version, told["bars"].rows, told["bars_past"].rows) == (1, 1000, 0)
    for name, pieces in (("before", before), ("after", after)):
        (tmp_path / name).write_bytes(b"".join(pieces))
        copy = DuckdbStore(tmp_path / name, read_only=True)
        assert copy.version() == 1
        assert_frame_equal(await copy.read("bars"), await store.read("bars", Selection(at_version=1)))
        await copy.close()
        with duckdb.connect(tmp_path / name, read_only=True) as connection:
            assert told == sums(connection, tmp_path / name)
        connection.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            sums(connection, tmp_path / name)
    assert await copied(store, tmp_path / "later") == 3
    await store.close()
    later = DuckdbStore(tmp_path / "later")
    assert len(await later.read("bars")) == 201_000
    await later.close()


async def test_a_copy_gives_no_lock_away(tmp_path: Path) -> None:
    """DuckDB's lock of the file stands during the copy and after it, until the store is closed."""
    path = tmp_path / "store"
    store = DuckdbStore(path)
    async with store.hold():
        assert b"lock" in await asyncio.to_thread(opened_elsewhere, path)
    assert b"lock" in await asyncio.to_thread(opened_elsewhere, path)
    await store.close()
    assert await asyncio.to_thread(opened_elsewhere, path) == b""


def opened_elsewhere(path: Path) -> bytes:
    return subprocess.run([sys.executable, "-c", OPEN, path], capture_output=True, check=False).stderr


async def test_a_file_that_changes_meanwhile_is_no_copy(tmp_path: Path) -> None:
    """A checkpoint by somebody else while it is held is noticed at the end; closing waits for the end."""
    store = DuckdbStore(tmp_path / "store")
    with pytest.raises(StoreUnavailable, match="it was written anew while it was copied"):  # noqa: PT012
        async with store.hold() as held:
            closing = asyncio.create_task(store.close())
            await asyncio.sleep(0.05)
            assert not closing.done()
            held._cursor.rollback()  # while it reads, DuckDB makes no checkpoint
            with store._cursor() as cursor:
                cursor.execute("CREATE TABLE other (number INTEGER)")
                cursor.execute("CHECKPOINT")
    await closing
    with pytest.raises(StoreUnavailable, match="closed"):
        async with store.hold():
            pass


async def test_a_copy_waits_for_readers_that_began_before(tmp_path: Path) -> None:
    """There is no checkpoint while somebody reads what a later commit changed; it begins when they end."""
    store = DuckdbStore(tmp_path / "store")
    await store.commit({"bars": frame("bars", *(bar(day) for day in range(10)))})
    reading = store.stream("bars", rows=2)
    await anext(reading)
    await store.commit({"bars": frame("bars", bar(1, 2.0, version=2))})
    copying = asyncio.create_task(copied(store, tmp_path / "copy"))
    await asyncio.sleep(0.1)
    assert not copying.done()
    assert len([1 async for _ in reading]) == 4
    assert await copying == 2
    await store.close()


QUESTIONS = (
    Selection(),
    Selection(history=True),
    Selection(withdrawn=True),
    Selection(withdrawn=True, history=True),
    Selection(as_of=100),
    Selection(as_of=125, withdrawn=True),
)


@pytest.mark.parametrize("seed", range(3))
async def test_a_store_taken_back_answers_as_it_did(tmp_path: Path, seed: int) -> None:
    """After random commits, late versions and withdrawals among them, at a random time, for every earlier version."""
    luck = random.Random(seed)
    store = DuckdbStore(tmp_path / "store")
    times = {0: 0}
    for number in range(1, 21):
        known = 100 + number
        drafts = [
            bar(luck.randrange(4), luck.random(), version=luck.randrange(1, 9), known=known - luck.choice((0, 0, 30)))
            for _ in range(luck.randrange(1, 4))
        ]
        drafts.append(bar(100 + number, 1.0, known=known))  # so that each commit brings something
        gone = [withdrawal(luck.randrange(4), version=luck.randrange(1, 9), known=known)]
        rounds = frame("rounds", {"round_id": f"r{number}", "ts_known": known})
        version = await store.commit(
            {"bars": frame("bars", *drafts), "rounds": rounds},
            withdrawals=withdrawals(*gone) if luck.random() < 0.4 else None,
        )
        times[version] = known
    at = luck.randrange(1, 21)
    expected = {
        (table, version, index): await store.read(table, replaced(question, version))
        for table in ("bars", "rounds")
        for version in {*range(0, at, 5), at}
        for index, question in enumerate(QUESTIONS)
    }
    await store.close()
    assert rewind(tmp_path / "store", until=times[at]) == at
    assert rewind(tmp_path / "store", until=times[at]) == at
    store = DuckdbStore(tmp_path / "store")
    assert store.version() == at
    for (table, version, index), rows in expected.items():
        assert_frame_equal(rows, await store.read(table, replaced(QUESTIONS[index], version)))
        if version == at:
            assert_frame_equal(rows, await store.read(table, QUESTIONS[index]))
    assert await store.commit({"bars": frame("bars", bar(1, 5.0, version=99, known=500))}) == at + 1
    assert (await store.read("bars", Selection(start=None, equal={"instrument_id": ("ins_a",)})))["close"].max() == 5.0
    await store.close()


def replaced(question: Selection, version: int) -> Selection:
    return Selection(at_version=version, as_of=question.as_of, history=question.history, withdrawn=question.withdrawn)


async def test_before_a_store_reaches_back_it_is_not_taken(tmp_path: Path) -> None:
    """One that came from an older format knows its versions from then on only."""
    store = DuckdbStore(tmp_path / "store")
    await store.commit({"bars": frame("bars", bar(1, known=100))})
    await store.commit({"bars": frame("bars", bar(2, known=200))})
    await store.close()
    with duckdb.connect(tmp_path / "store") as connection:
        connection.execute("UPDATE truetape_meta SET readable_from = 2")
    with pytest.raises(BadInput, match="its versions 2 to 2 only"):
        rewind(tmp_path / "store", until=100)
    assert rewind(tmp_path / "store", until=200) == 2


async def test_rows_that_left_the_store_cannot_be_taken_back(tmp_path: Path) -> None:
    """A move to a colder tier after the version that is wanted is told; one before it is no hindrance."""
    store = DuckdbStore(tmp_path / "store")
    for number, writes in enumerate(({}, {"moves": frame("moves", {"move_id": "m", "ts_known": 200})}, {}), start=1):
        await store.commit({"bars": frame("bars", bar(number, known=number * 100)), **writes})
    await store.close()
    with pytest.raises(BadInput, match="Rows have been moved"):
        rewind(tmp_path / "store", until=100)
    assert rewind(tmp_path / "store", until=200) == 2
