"""Answers that stay what they were: pages under corrections, and reads of one version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from room_doubles import FrameStore, rows
from small_market import APPLE, CORRECTED, NOW_NS, correction, tables
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.set_clock import SetClock
from truetape.domain.errors import UnknownSymbol
from truetape.ports.store import Selection
from truetape.services.api.answers import Answers
from truetape.services.api.query import BarsQuery

APPLES = BarsQuery(symbols=("AAPL",), adjustment="all")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    await store.commit(tables())
    yield store
    await store.close()


async def test_a_correction_between_two_pages_moves_nothing(store: DuckdbStore) -> None:
    """The second page shows what was known at the first; a new question shows the correction and the new factor."""
    clock = SetClock(int(CORRECTED.timestamp()) * 10**9 - 1)
    answers = Answers(store=store, clock=clock)
    first = await answers.bars(APPLES, limit=3)
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
    clock.set(NOW_NS)
    second = await answers.bars(APPLES, limit=3, position=first.following, pinned=first.as_of)
    anew = await answers.bars(APPLES)

    closes = pl.concat([first.frame, second.frame])["close"].to_list()
    assert [43.56, 44.55, 43.56, 45.54, 49.5, 49.0] == pytest.approx(closes)
    assert second.following is None
    assert anew.frame["close"][3] == 46.5 * 0.5


async def test_new_listings_are_found_at_once(store: DuckdbStore) -> None:
    """What is kept about symbols is forgotten with the store's version."""
    answers = Answers(store=store, clock=SetClock(NOW_NS))
    with pytest.raises(UnknownSymbol):
        await answers.listing("MSFT", start=None, end=None)
    listed = rows("listings", instrument_id="ins_msft", symbol=["MSFT"], mic="XNAS", ts_known=CORRECTED)
    await store.commit({"listings": listed})

    assert (await answers.listing("MSFT", start=None, end=None)).instrument_id == "ins_msft"


class Busy(FrameStore):
    """A store that is written to while it is read, `writes` times."""

    def __init__(self, writes: int, **frames: pl.DataFrame) -> None:
        super().__init__(**frames)
        self.writes = writes
        self.reads = 0

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        if table == "bars":
            self.reads += 1
            if self.writes:
                self.writes -= 1
                self.commits.append({})
        return await super().read(table, selection)

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        raise AssertionError(writes)


@pytest.mark.parametrize(("writes", "reads"), [(0, 1), (1, 2), (9, 3)])
async def test_an_answer_is_of_one_version(writes: int, reads: int) -> None:
    """When the store changes under an answer, it is read again, a few times at most."""
    store = Busy(writes, **tables())
    page = await Answers(store=store, clock=SetClock(NOW_NS)).bars(BarsQuery(symbols=("AAPL",)))

    assert reads == store.reads
    assert page.store_version <= store.version()
    assert len(page.frame) == 6


async def test_many_instruments_do_not_fill_the_memory() -> None:
    """Factors are kept for a bounded number of instruments, and answers stay right."""
    many = [f"ins_{number}" for number in range(1030)]
    store = FrameStore(listings=rows("listings", instrument_id=many, symbol=[f"S{one}" for one in many], mic="XNAS"))
    answers = Answers(store=store, clock=SetClock(NOW_NS))
    page = await answers.bars(BarsQuery(symbols=tuple(f"S{one}" for one in many), adjustment="all"))

    assert page.frame.is_empty()
