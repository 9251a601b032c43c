"""A store that knows what was written to it: what it calls unchanged is unchanged, whoever wrote."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from room_doubles import FrameStore, rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.watched_store import WatchedStore
from truetape.domain.errors import StoreUnavailable
from truetape.domain.subjects import MOST, read_subjects, written_subjects
from truetape.ports.store import Selection

KNOWN = datetime(2024, 1, 10, tzinfo=UTC)
DAYS = [date(2024, 1, day) for day in range(2, 8)]
SERIES = {"instrument_id": ("ins_0",), "timeframe": ("1d",)}


def bars(
    instrument: str, *, close: float = 1.0, day: date = DAYS[0], timeframe: str = "1d", version: int = 1
) -> pl.DataFrame:
    about = {"instrument_id": instrument, "timeframe": timeframe, "ts_event": [day], "version": version}
    return rows("bars", **about, close=close, ts_known=KNOWN)


class Slow(FrameStore):
    """A store whose commits wait until they are let go, or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.fails = False

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        await self.go.wait()
        if self.fails:
            raise StoreUnavailable(path="x", reason="the disk is full")
        return await super().commit(writes, withdrawals=withdrawals)

    async def close(self) -> None:
        self.go.set()


@pytest.fixture
async def slow() -> Slow:
    return Slow()


def test_a_question_is_about_what_it_names() -> None:
    """Instruments and timeframes apart, where they are named and not too many; else the whole table."""
    many = {"instrument_id": [str(number) for number in range(MOST + 1)]}

    assert {("bars", "a", "1d"), ("bars", "b", "1d")} == read_subjects(
        "bars", {"instrument_id": ("a", "b"), "timeframe": ("1d",)}
    )
    assert {("factors", "a", "")} == read_subjects("factors", {"instrument_id": ("a",)})
    assert {("index_levels", "EW5", "")} == read_subjects("index_levels", {"index_id": ("EW5",)})
    for table, equal in (("bars", {"timeframe": ("1d",)}), ("bars", many), ("listings", {}), ("rounds", {})):
        assert {(table, "", "")} == read_subjects(table, equal)


def test_written_rows_change_what_they_are_about() -> None:
    """A series, all timeframes of its instrument and the table as a whole; None where that cannot be told."""
    assert frozenset({("bars", "a", "1d"), ("bars", "a", ""), ("bars", "", "")}) == written_subjects("bars", bars("a"))
    assert frozenset() == written_subjects("bars", bars("a").clear())
    assert frozenset({("factors", "a", ""), ("factors", "", "")}) == written_subjects(
        "factors", rows("factors", instrument_id=["a"])
    )
    many = rows("listings", instrument_id=[str(number) for number in range(MOST + 1)])
    assert written_subjects("listings", many) is None
    assert written_subjects("listings", rows("listings", instrument_id=[None])) is None
    assert written_subjects("captures", rows("captures", payload=["p"])) is None


async def test_only_what_was_written_has_changed(tmp_path: Path) -> None:
    """Another instrument, another timeframe and another table are as they were."""
    store = WatchedStore(DuckdbStore(tmp_path / "store.duckdb"), is_alone=True)
    before = await store.commit({"bars": bars("ins_a")})
    await store.commit({"bars": bars("ins_b"), "factors": rows("factors", instrument_id=["ins_c"], ts_known=KNOWN)})
    await store.commit({"bars": bars("ins_a", timeframe="1m")})

    changed = {
        subject: not store.unchanged([subject], since=before)
        for subject in [
            ("bars", "ins_a", "1d"),
            ("bars", "ins_a", "1m"),
            ("bars", "ins_a", ""),
            ("bars", "ins_b", "1d"),
            ("bars", "", ""),
            ("factors", "ins_a", ""),
            ("factors", "ins_c", ""),
            ("listings", "", ""),
        ]
    }
    await store.close()

    assert [False, True, True, True, True, False, True, False] == list(changed.values())


async def test_a_table_that_changed_widely_changed_for_all(tmp_path: Path) -> None:
    """Rows of more instruments than are told apart change every series of the table."""
    store = WatchedStore(DuckdbStore(tmp_path / "store.duckdb"), is_alone=True)
    before = await store.commit({"bars": bars("ins_a")})
    ids = [f"ins_{number}" for number in range(MOST + 1)]
    many = rows("bars", instrument_id=ids, timeframe="1d", ts_event=[DAYS[0]] * len(ids), close=1.0, ts_known=KNOWN)
    await store.commit({"bars": many})

    assert not store.unchanged([("bars", "ins_a", "1d")], since=before)
    assert store.unchanged([("factors", "ins_a", "")], since=before)
    await store.close()


async def test_a_commit_under_way_may_have_changed_it(slow: Slow) -> None:
    """From before it begins until it ended, its subjects are not called unchanged; others are."""
    store = WatchedStore(slow, is_alone=True)
    commit = asyncio.create_task(store.commit({"bars": bars("ins_a")}))
    await asyncio.sleep(0)
    during = [store.unchanged([("bars", one, "1d")], since=0) for one in ("ins_a", "ins_b")]
    slow.go.set()
    await commit

    assert [False, True] == during
    assert [False, True] == [store.unchanged([("bars", one, "1d")], since=0) for one in ("ins_a", "ins_b")]
    assert store.unchanged([("bars", "ins_a", "1d")], since=1)


async def test_what_somebody_else_wrote_may_be_anything(slow: Slow) -> None:
    """A commit past the watch changes everything before it, once."""
    store = WatchedStore(slow, is_alone=True)
    slow.commits.append({})

    assert not store.unchanged([("bars", "ins_b", "1d")], since=0)
    slow.go.set()
    await store.commit({"bars": bars("ins_a")})
    assert store.unchanged([("bars", "ins_b", "1d")], since=1)
    assert not store.unchanged([("bars", "ins_a", "1d")], since=1)


async def test_a_commit_that_failed_leaves_no_mark(slow: Slow) -> None:
    """Nothing was written, so that nothing has changed."""
    store = WatchedStore(slow, is_alone=True)
    slow.fails = True
    slow.go.set()
    with pytest.raises(StoreUnavailable):
        await store.commit({"bars": bars("ins_a")})

    assert store.unchanged([("bars", "ins_a", "1d")], since=0)


async def test_memory_of_changes_is_bounded(tmp_path: Path) -> None:
    """Of subjects beyond the bound only the newest forgotten commit is known: older answers do not hold any more."""
    store = WatchedStore(DuckdbStore(tmp_path / "store.duckdb"), is_alone=True, most_subjects=4)
    last = [await store.commit({"bars": bars(f"ins_{number}")}) for number in range(6)][-1]

    assert not store.unchanged([("bars", "ins_x", "1d")], since=1)
    assert store.unchanged([("bars", "ins_x", "1d")], since=last)
    await store.close()


async def test_random_commits_are_never_missed(tmp_path: Path) -> None:
    """Whatever is called unchanged reads the same as at the version that it is unchanged since."""
    chance = random.Random(4)
    store = WatchedStore(DuckdbStore(tmp_path / "store.duckdb"), is_alone=True, most_subjects=12)
    known: list[tuple[int, str, pl.DataFrame]] = []
    unchanged = 0
    for number in range(1, 30):
        one = f"ins_{chance.randrange(6)}"
        await store.commit({"bars": bars(one, close=float(number), day=chance.choice(DAYS), version=number)})
        for since, asked, rows_then in known:
            wanted = Selection(equal={"instrument_id": (asked,), "timeframe": ("1d",)})
            if store.unchanged(read_subjects("bars", wanted.equal), since=since):
                unchanged += 1
                assert rows_then.equals(await store.read("bars", wanted))
        asked = f"ins_{chance.randrange(6)}"
        wanted = Selection(equal={"instrument_id": (asked,), "timeframe": ("1d",)})
        known = [*known[-7:], (store.version(), asked, await store.read("bars", wanted))]
    streamed = [frame async for frame in store.stream("bars", Selection(equal=SERIES))]
    whole = await store.read("bars", Selection(equal=SERIES))
    await store.close()

    assert unchanged > 20
    assert whole.equals(pl.concat(streamed))
