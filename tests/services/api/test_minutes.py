"""Bars below a day: given as they were acquired, on pages that end with a day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from room_doubles import rows
from small_market import APPLE, NOW_NS, tables
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.set_clock import SetClock
from truetape.services.api.answers import Answers
from truetape.services.api.query import BarsQuery
from truetape.services.api.reading import reading_now
from truetape.services.api.shelf import Shelf

OPENS = datetime(2005, 2, 23, 14, 30, tzinfo=UTC)
MINUTES = [OPENS + timedelta(days=day, minutes=minute) for day in range(3) for minute in range(4)]
QUESTION = BarsQuery(symbols=("AAPL",), timeframe="1m")


@pytest.fixture
async def answers(tmp_path: Path) -> AsyncIterator[Answers]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    await store.commit(tables())
    prices = {name: [100.0 + number for number in range(12)] for name in ("open", "high", "low", "close")}
    minutes = rows(
        "bars",
        instrument_id=APPLE,
        timeframe="1m",
        ts_event=MINUTES,
        **prices,
        volume=10.0,
        basis="raw",
        version=1,
        ts_known=datetime(2024, 1, 10, tzinfo=UTC),
        simulated=True,
    )
    await store.commit({"bars": minutes})
    yield Answers(reading_now(store, SetClock(NOW_NS)), Shelf())
    await store.close()


async def pages(answers: Answers, *, limit: int) -> list[int]:
    """Return the rows of each page; together they must be the whole."""
    found, position = [], None
    while True:
        page = await answers.bars(QUESTION, limit=limit, position=position)
        found.append(page.frame)
        position = page.following
        if position is None:
            assert pl.concat(found)["close"].to_list() == [100.0 + number for number in range(12)]
            return [len(one) for one in found]


async def test_minutes_are_given_as_they_are_stored(answers: Answers) -> None:
    """Daily bars of the same instrument are not among them, and nothing finer could make them up."""
    minutes = await answers.bars(QUESTION)
    nothing = await answers.bars(BarsQuery(symbols=("META",), timeframe="1m", start=MINUTES[0].date()))

    assert 12 == len(minutes.frame)
    assert minutes.frame["ts_event"].to_list() == MINUTES
    assert [None] == minutes.frame["derived_from"].unique().to_list()
    assert nothing.frame.is_empty()


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        pytest.param(12, [12], id="all at once"),
        pytest.param(11, [8, 4], id="whole days only"),
        pytest.param(8, [8, 4], id="two days fit"),
        pytest.param(4, [4, 4, 4], id="one day fits"),
        pytest.param(1, [4, 4, 4], id="a page has at least one day"),
    ],
)
async def test_pages_end_with_a_day(answers: Answers, limit: int, expected: list[int]) -> None:
    """A page is continued at a date, so none may be cut within one."""
    assert expected == await pages(answers, limit=limit)


async def test_minutes_are_adjusted_by_their_day(answers: Answers) -> None:
    """The split of 2005-02-28 halves what was traded before it."""
    adjusted = await answers.bars(BarsQuery(symbols=("AAPL",), timeframe="1m", adjustment="split"))

    assert [50.0 + number / 2 for number in range(12)] == adjusted.frame["close"].to_list()
