"""Answers that stay what they were: pages under corrections, and reads of one version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from room_doubles import FrameStore, rows
from small_market import APPLE, CORRECTED, NOW_NS, correction, tables
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.set_clock import SetClock
from truetape.adapters.watched_store import WatchedStore
from truetape.domain.errors import UnknownSymbol
from truetape.ports.store import Selection
from truetape.services.api.answers import Answers, factors_used
from truetape.services.api.query import BarsQuery
from truetape.services.api.reading import Reading, reading_now
from truetape.services.api.shelf import MOST_FACTORS, Shelf

APPLES = BarsQuery(symbols=("AAPL",), adjustment="all")
CLOCK = SetClock(NOW_NS)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    await store.commit(tables())
    yield store
    await store.close()


async def test_a_correction_between_two_pages_moves_nothing(store: DuckdbStore) -> None:
    """The second page shows what was stored at the first; a new question shows the correction and the new factor."""
    shelf = Shelf()
    reading = reading_now(store, CLOCK)
    first = await Answers(reading, shelf).bars(APPLES, limit=3)
    await store.commit(
        {
            "bars": correction(),
            "factors": rows(
                "factors",
                instrument_id=APPLE,
                ex_date=[date(2005, 3, 3)],
                split=1.0,
                dividend=0.5,
                version=2,
                ts_known=CORRECTED,
                simulated=True,
            ),
        }
    )
    second = await Answers(reading, shelf).bars(APPLES, limit=3, position=first.following)
    anew = await Answers(reading_now(store, CLOCK), shelf).bars(APPLES)

    closes = pl.concat([first.frame, second.frame])["close"].to_list()
    assert [43.56, 44.55, 43.56, 45.54, 49.5, 49.0] == pytest.approx(closes)
    assert second.following is None
    assert anew.frame["close"][3] == 46.5 * 0.5


async def test_an_answer_tells_of_its_factors(store: DuckdbStore) -> None:
    """How many there are, their newest version, and when the last of them was known; a raw answer has none."""
    adjusted = await Answers(reading_now(store, CLOCK), Shelf()).bars(APPLES)
    raw = await Answers(reading_now(store, CLOCK), Shelf()).bars(BarsQuery(symbols=("AAPL",)))

    used = factors_used(adjusted.factors)
    assert used is not None
    assert (2, 1, "2024-01-10T00:00:00Z") == (used.rows, used.version, used.known)
    assert factors_used(raw.factors) is None


async def test_new_listings_are_found_at_once(store: DuckdbStore) -> None:
    """What is kept about symbols is forgotten with the store's version; a reading of before does not see them."""
    shelf = Shelf()
    before = reading_now(store, CLOCK)
    with pytest.raises(UnknownSymbol):
        await Answers(before, shelf).listing("MSFT", start=None, end=None)
    listed = rows("listings", instrument_id="ins_msft", symbol=["MSFT"], mic="XNAS", ts_known=CORRECTED)
    await store.commit({"listings": listed})
    after = Answers(reading_now(store, CLOCK), shelf)

    assert (await after.listing("MSFT", start=None, end=None)).instrument_id == "ins_msft"
    for _ in range(2):
        with pytest.raises(UnknownSymbol):
            await Answers(before, shelf).listing("MSFT", start=None, end=None)


class Busy(FrameStore):
    """A store that is written to while it is read, `writes` times; notes at which versions it was read."""

    def __init__(self, writes: int, **frames: pl.DataFrame) -> None:
        super().__init__(**frames)
        self.writes = writes
        self.at: list[int | None] = []

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        self.at.append(selection.at_version)
        rows = await super().read(table, replace(selection, at_version=None))
        if self.writes:
            self.writes -= 1
            self.commits.append({})
        return rows

    async def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(("writes", "at"), [(0, [None]), (1, [None, 0])])
async def test_a_reading_is_of_one_version(writes: int, at: list[int | None]) -> None:
    """When the store changes under a read, the rows are read again as they were at the version of the reading."""
    store = Busy(writes, **tables())
    watched = WatchedStore(store, is_alone=True)
    reading = Reading(watched, changes=watched, version=0, as_of=None, told=NOW_NS)
    await reading.read("bars")

    assert at == store.at
    assert {("bars", "", "")} == reading.used


@pytest.mark.parametrize("is_alone", [True, False])
async def test_a_reading_of_the_past_reads_the_past_alone(*, is_alone: bool) -> None:
    """Where the store has moved on already, or others may have moved it, what it holds now is not read."""
    store = Busy(0, **tables())
    if is_alone:
        store.commits.append({})
    watched = WatchedStore(store, is_alone=is_alone)
    reading = Reading(watched, changes=watched, version=0, as_of=None, told=NOW_NS)
    await reading.read("bars", Selection(equal={"instrument_id": (APPLE,), "timeframe": ("1d",)}))

    assert [0] == store.at
    assert {("bars", APPLE, "1d")} == reading.used


async def test_many_instruments_do_not_fill_the_memory(store: DuckdbStore) -> None:
    """Factors are kept for a bounded number of instruments, and stay those of the reading."""
    shelf, before = Shelf(), reading_now(store, CLOCK)
    for instrument in [*(f"ins_{number}" for number in range(MOST_FACTORS)), APPLE]:
        await shelf.factors(before, instrument)
    kept = await shelf.factors(before, APPLE)
    of = {"instrument_id": APPLE, "ex_date": [date(2005, 3, 4)], "ts_known": CORRECTED}
    await store.commit({"factors": rows("factors", **of, split=3.0, dividend=1.0)})

    assert kept.equals(await shelf.factors(before, APPLE))
    assert 3 == len(await shelf.factors(reading_now(store, CLOCK), APPLE))
    assert 2 == len(await shelf.factors(before, APPLE))
