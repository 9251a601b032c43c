"""The benchmarks room: when it computes, writes and tells."""

from __future__ import annotations

import asyncio
from datetime import date
from itertools import permutations

import polars as pl
import pytest

from room_doubles import FrameStore, ListBus, rows
from truetape.adapters.set_clock import SetClock
from truetape.domain.messages import FactorsChanged, IndexChanged
from truetape.services.benchmarks.config import BenchmarksConfig
from truetape.services.benchmarks.service import BenchmarksService

D1, D2 = date(2024, 1, 2), date(2024, 1, 3)
INSTRUMENTS = rows("instruments", instrument_id=["A", "B"], name=["A", "B"])


def bars(instrument_id: str, *closes: float, ts_known: int = 1) -> pl.DataFrame:
    return rows(
        "bars",
        instrument_id=instrument_id,
        timeframe="1d",
        ts_event=[D1, D2][: len(closes)],
        close=list(closes),
        ts_known=ts_known,
    )


def changed(instrument_id: str, *, ts_known: int = 5) -> FactorsChanged:
    return FactorsChanged(instrument_id=instrument_id, ts_known=ts_known, changed=0)


def told(changed: int, *, ts_known: int = 5) -> IndexChanged:
    return IndexChanged(index_id="EW5", ts_known=ts_known, changed=changed)


def room(store: FrameStore, bus: ListBus, *members: str) -> BenchmarksService:
    return BenchmarksService(bus=bus, store=store, config=BenchmarksConfig(members=members))


async def hear(service: BenchmarksService, name: str, *, ts_known: int = 5) -> None:
    """Let the room hear of a change and settle."""
    await service.on_factors_changed(changed(name, ts_known=ts_known))
    await service.settle()


async def levels(store: FrameStore) -> list[tuple[object, ...]]:
    return (await store.read("index_levels")).select("level", "members").rows()


async def test_every_instrument_is_a_member_unless_members_are_named() -> None:
    """A gains 20 percent and B loses 10."""
    every = FrameStore(instruments=INSTRUMENTS, bars=pl.concat([bars("A", 10.0, 12.0), bars("B", 10.0, 9.0)]))
    named = FrameStore(instruments=INSTRUMENTS, bars=every.rows["bars"])
    bus = ListBus()

    service = room(every, bus)
    service.subscribe()
    await hear(service, "A")
    await hear(room(named, ListBus(), "B"), "A")

    assert bus.heard == [("FactorsChanged", "benchmarks")]
    assert bus.told == [told(2)]
    assert await levels(every) == [(100.0, 2), (105.0, 2)]
    assert await levels(named) == [(100.0, 1), (90.0, 1)]


async def test_nothing_stored_is_nothing_computed() -> None:
    """While the store stays as it was, a message costs nothing and tells nothing; without bars there is no index."""
    store, bus = FrameStore(instruments=INSTRUMENTS), ListBus()
    service = room(store, bus)

    await hear(service, "A", ts_known=1)
    await store.commit({"bars": bars("A", 10.0)})
    for known in (2, 3, 4):
        await hear(service, "A", ts_known=known)

    assert store.commits == [{"bars": 1}, {"index_levels": 1}]
    assert bus.told == [told(1, ts_known=2)]


async def test_a_new_process_tells_what_a_crash_may_have_swallowed() -> None:
    """The first computation is told even if the store held its levels already."""
    store, bus = FrameStore(instruments=INSTRUMENTS, bars=bars("A", 10.0)), ListBus()
    await hear(room(store, ListBus()), "A")

    await hear(room(store, bus), "A")

    assert bus.told == [told(0)]


async def test_levels_do_not_depend_on_the_order_of_messages() -> None:
    """Whichever instrument comes first, the last computation sees them all, and says when it was knowable."""
    batches = {
        "A": bars("A", 10.0, 12.0, ts_known=3),
        "B": bars("B", 10.0, 9.0, ts_known=7),
        "C": bars("C", 10.0, 10.0, ts_known=5),
    }
    finals: set[tuple[float, ...]] = set()
    for order in permutations(batches):
        store = FrameStore(instruments=rows("instruments", instrument_id=["A", "B", "C"]))
        service = room(store, ListBus())
        for name in order:
            await store.commit({"bars": batches[name]})
            await hear(service, name)
        current = (await store.read("index_levels")).select("level", pl.col("ts_known").cast(pl.Int64))
        assert current["ts_known"].to_list() == [7, 7]
        finals.add(tuple(current["level"]))
    assert len(finals) == 1
    assert finals.pop() == pytest.approx((100.0, 100.0 * 3.1 / 3), rel=1e-14)


async def test_messages_at_the_same_time_are_taken_one_after_another() -> None:
    """No version of a level is written twice."""
    store = FrameStore(instruments=INSTRUMENTS, bars=pl.concat([bars("A", 10.0, 12.0), bars("B", 10.0, 9.0)]))
    service = room(store, ListBus())

    await asyncio.gather(*(hear(service, name) for name in "ABAB"))

    assert store.rows["index_levels"]["version"].to_list() == [1, 1]


async def test_many_changes_are_computed_once() -> None:
    """What comes between two settlings costs one computation, and the index works on by the clock."""
    store, bus = FrameStore(instruments=INSTRUMENTS, bars=bars("A", 10.0)), ListBus()
    service, clock = room(store, bus), SetClock(0)
    for known in (3, 9, 4):
        await service.on_factors_changed(changed("A", ts_known=known))
    assert bus.told == []

    working = asyncio.create_task(service.work(clock))
    while not bus.told:  # noqa: ASYNC110  the bus is a list
        await asyncio.sleep(0)
    working.cancel()

    assert bus.told == [told(1, ts_known=9)]
    assert store.commits == [{"index_levels": 1}]
