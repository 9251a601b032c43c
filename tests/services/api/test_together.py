"""Bars of many instruments that are read and adjusted together, beside each asked for alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from small_market import NOW_NS, golden
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.set_clock import SetClock
from truetape.domain.adjustments import AnyAdjustment
from truetape.services.api.answers import Answers, factors_used
from truetape.services.api.query import BarsQuery
from truetape.services.api.reading import reading_now
from truetape.services.api.shelf import Shelf
from truetape.services.api.together import FEWEST, reach_of_page

CLOCK = SetClock(NOW_NS)
MONDAY = date(2024, 1, 1)
NAMES = [f"S{number:02d}" for number in range(12)]  # the last has no bars, the one before it bars of an hour only
DAYS = [MONDAY + timedelta(days=number) for number in range(5)]
ORIGIN = {"ts_known": MONDAY, "simulated": True}


def market() -> dict[str, pl.DataFrame]:
    """Return ten instruments with five bars each, whose factors differ, one with hours, and one with nothing."""
    ids = [f"ins_{name}" for name in NAMES]
    bars = [
        golden(one, DAYS[place % 3 :], [100.0 + place] * (5 - place % 3), [7.0] * (5 - place % 3), **ORIGIN)
        for place, one in enumerate(ids[:10])
    ]
    hour = golden(ids[10], DAYS[:1], [50.0], [1.0], timeframe="1h", **ORIGIN)
    factored = [one for one in ids[:11] for _ in range(2)]
    return {
        "listings": rows("listings", instrument_id=ids, symbol=NAMES, mic="XNYS", **ORIGIN),
        "bars": pl.concat([*bars, hour]),
        "factors": rows(
            "factors",
            instrument_id=factored,
            ex_date=[DAYS[1], DAYS[3]] * 11,
            split=[1.0 if place % 4 else 2.0 + place for place in range(22)],
            dividend=[1.0 - place / 100 for place in range(22)],
            **ORIGIN,
        ),
    }


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    await store.commit(market())
    yield store
    await store.close()


async def asked(store: DuckdbStore, symbols: list[str], limit: int | None = None, **given: Any) -> pl.DataFrame:
    """Return the answer about `symbols`, put together of pages."""
    query, reading = BarsQuery(symbols=tuple(symbols), **given), reading_now(store, CLOCK)
    frames: list[pl.DataFrame] = []
    position = None
    while not frames or position is not None:
        page = await Answers(reading, Shelf()).bars(query, limit=limit, position=position)
        frames.append(page.frame)
        position = page.following
    return pl.concat(frames)


WAYS: list[AnyAdjustment] = ["raw", "split", "all", "forward_split", "difference"]


@pytest.mark.parametrize("adjustment", WAYS)
@pytest.mark.parametrize("days", [(None, None), (DAYS[1], DAYS[2])])
async def test_together_is_each_alone(store: DuckdbStore, adjustment: AnyAdjustment, days: tuple[Any, Any]) -> None:
    """To the last bit, in the order of the question, whole and in pages, whatever some of them have or lack."""
    given = {"adjustment": adjustment, "start": days[0], "end": days[1]}
    order = [*reversed(NAMES), "ins_S03"]
    alone = pl.concat([await asked(store, [one], **given) for one in order])

    assert alone.equals(await asked(store, order, **given))
    for limit in (3, 17, 1000):
        assert alone.equals(await asked(store, order, limit=limit, **given))


async def test_the_receipt_tells_of_all_factors(store: DuckdbStore) -> None:
    """Twenty of ten instruments that were read together, and two of one with hours alone."""
    query = BarsQuery(symbols=tuple(NAMES), adjustment="all")
    page = await Answers(reading_now(store, CLOCK), Shelf()).bars(query)
    used = factors_used(page.factors)

    assert used is not None
    assert 22 == used.rows
    assert (
        factors_used((await Answers(reading_now(store, CLOCK), Shelf()).bars(BarsQuery(symbols=("S00",)))).factors)
        is None
    )


@pytest.mark.parametrize(
    ("given", "limit", "expected"),
    [
        ({}, None, 12),
        ({}, 100, 0),
        ({"start": DAYS[0], "end": DAYS[0]}, 100, 100),
        ({"start": DAYS[0], "end": DAYS[4]}, 100, 20),
        ({"timeframe": "1h"}, None, 0),
    ],
)
def test_how_many_instruments_are_sure_to_be_on_a_page(given: dict[str, Any], limit: int | None, expected: int) -> None:
    """All without a limit; with one, as many as have no more bars together than fit, if the days are known."""
    assert expected == reach_of_page(BarsQuery(symbols=tuple(NAMES), **given), limit)
    assert FEWEST < len(NAMES)
