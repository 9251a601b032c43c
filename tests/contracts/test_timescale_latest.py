"""The newest bar of each series, which a database keeps in a table of its own, is what a read of all bars says."""

from __future__ import annotations

from random import Random
from typing import cast

import polars as pl
import pytest
from minute_bars import minutes
from polars.testing import assert_frame_equal
from store_rows import bar, frame, withdrawal, withdrawals
from stores import STORES

from truetape.adapters.timescale_store import TimescaleStore
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection

WHO = ("ins_a", "ins_b", "ins_c")
COMMITS = 40


@pytest.fixture(params=["postgres", "timescale"])
def store(request: pytest.FixtureRequest) -> TimescaleStore:
    return cast("TimescaleStore", STORES[request.param](request)())


async def newest_by_reading(store: TimescaleStore, timeframe: str) -> pl.DataFrame:
    rows = await store.read("bars", Selection(equal={"timeframe": (timeframe,)}))
    return rows.unique("instrument_id", keep="last", maintain_order=True)


async def test_the_newest_bars_are_those_of_a_read(store: TimescaleStore) -> None:
    """Over random commits of new bars, corrections, late bars and withdrawals, of several series at once."""
    random = Random(20_240_610)
    for number in range(1, COMMITS + 1):
        rows = [
            bar(random.randint(1, 6), random.random(), version=random.randint(1, number), who=random.choice(WHO))
            for _ in range(random.randint(0, 4))
        ]
        taken = [
            withdrawal(random.randint(1, 6), version=random.randint(1, number) * 1000, who=random.choice(WHO))
            for _ in range(random.randint(0, 2))
        ]
        await store.commit({"bars": frame("bars", *rows)}, withdrawals=withdrawals(*taken) if taken else None)
        assert_frame_equal(await store.latest(WHO, timeframe="1d"), await newest_by_reading(store, "1d"))
    await store.close()


async def test_series_are_apart(store: TimescaleStore) -> None:
    """By timeframe; who is not asked for is not answered, and who has no bar is left out."""
    await store.commit({"bars": pl.concat([minutes(5, who=who, start=DAY_NS) for who in WHO])})
    await store.commit({"bars": frame("bars", *(bar(day, float(day), who="ins_a") for day in (3, 9, 5)))})
    found = await store.latest(["ins_x", "ins_c", "ins_a"], timeframe="1m")
    assert found["instrument_id"].to_list() == ["ins_a", "ins_c"]
    assert set(found["ts_event"].to_physical().to_list()) == {DAY_NS + 4 * 60 * 10**9}
    assert (await store.latest(WHO, timeframe="1d"))["close"].to_list() == [9.0]
    assert (await store.latest([], timeframe="1d")).is_empty()
    await store.close()
