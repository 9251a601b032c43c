"""Reference, corporate actions, benchmarks and distribution together, over the real bus, store and cache."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from room_doubles import rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_bus import MemoryBus
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.domain.messages import BatchStored, DeclaredListing, InstrumentsDeclared
from truetape.ports.store import Selection
from truetape.services.benchmarks.config import BenchmarksConfig
from truetape.services.benchmarks.service import BenchmarksService
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.service import CorporateActionsService
from truetape.services.distribution.config import DistributionConfig
from truetape.services.distribution.service import DistributionService
from truetape.services.distribution.topics import Event
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.master import identify
from truetape.services.reference.service import ReferenceService

MONDAY, TUESDAY = date(2024, 6, 10), date(2024, 6, 11)
AAPL, IBM = DeclaredListing(symbol="AAPL", mic="XNAS"), DeclaredListing(symbol="IBM", mic="XNYS")


class Derived:
    """The four rooms on real parts."""

    def __init__(self, folder: Path) -> None:
        self.bus = MemoryBus()
        self.store = DuckdbStore(folder / "store.duckdb")
        clock = SetClock(1_718_100_000_000_000_000)
        self.cache = MemoryCache(max_bytes=1_000_000, clock=clock)
        self.distribution = DistributionService(
            bus=self.bus, store=self.store, cache=self.cache, clock=clock, config=DistributionConfig()
        )
        self.distribution.subscribe()
        ReferenceService(bus=self.bus, store=self.store, config=ReferenceConfig()).subscribe()
        CorporateActionsService(bus=self.bus, store=self.store, config=CorporateActionsConfig()).subscribe()
        self.benchmarks = BenchmarksService(bus=self.bus, store=self.store, config=BenchmarksConfig())
        self.benchmarks.subscribe()

    async def declare(self) -> None:
        """Declare two listings for two sessions."""
        listings = (AAPL, IBM)
        await self.bus.publish(InstrumentsDeclared(listings=listings, start=MONDAY, end=TUESDAY, ts_known=1))
        await self.bus.drain()

    async def tell_stored(self, kind: str, listing: DeclaredListing, *, ts_known: int) -> None:
        """Tell that a batch of `kind` is stored, and wait until every room has heard all that follows."""
        message = BatchStored(
            kind=kind,
            round_id="rnd_a",
            instrument_id=identify(listing),
            timeframe="1d",
            start=MONDAY,
            end=TUESDAY,
            ts_known=ts_known,
            new=1,
            corrected=0,
            repeated=0,
            quarantined=0,
            store_version=self.store.version(),
        )
        await self.bus.publish(message)
        await self.bus.drain()
        await self.benchmarks.settle()
        await self.bus.drain()

    async def current(self, table: str, *columns: str) -> list[tuple[object, ...]]:
        """Return the current rows of `table`."""
        return (await self.store.read(table, Selection(columns=columns))).rows()


@pytest.fixture
async def derived(tmp_path: Path) -> AsyncIterator[Derived]:
    rooms = Derived(tmp_path)
    yield rooms
    assert not rooms.bus.dead_letters
    await rooms.bus.close()
    await rooms.store.close()


def bars(listing: DeclaredListing, *closes: float) -> pl.DataFrame:
    return rows(
        "bars",
        instrument_id=identify(listing),
        timeframe="1d",
        ts_event=[MONDAY, TUESDAY],
        close=list(closes),
        flags=0,
        ts_known=MONDAY,
    )


async def test_declared_instruments_come_with_their_sessions_once(derived: Derived) -> None:
    """The second declaration leaves the store as it is."""
    await derived.declare()
    version = derived.store.version()
    await derived.declare()

    assert derived.store.version() == version
    assert set(await derived.current("listings", "symbol", "mic")) == {("AAPL", "XNAS"), ("IBM", "XNYS")}
    assert await derived.current("sessions", "mic", "session", "version") == [
        (mic, day, 1) for mic in ("XNAS", "XNYS") for day in (MONDAY, TUESDAY)
    ]


async def test_stored_bars_and_actions_become_factors_levels_topics_and_a_latest_bar(derived: Derived) -> None:
    """AAPL splits 10 for 1 and gains 20 percent of its value, IBM loses 10."""
    aapl, ibm = identify(AAPL), identify(IBM)
    split = rows("actions", instrument_id=aapl, ex_date=[TUESDAY], type="split", value=10.0, ts_known=MONDAY)
    await derived.declare()
    await derived.store.commit(
        {"bars": pl.concat([bars(AAPL, 1000.0, 120.0), bars(IBM, 50.0, 45.0)]), "actions": split}
    )

    with derived.distribution.topics.subscribe("truetape/**") as events:
        await derived.tell_stored("bars", AAPL, ts_known=2)
        await derived.tell_stored("bars", IBM, ts_known=3)
    heard = [one.topic async for one in events if isinstance(one, Event)]

    assert await derived.current("factors", "instrument_id", "split", "dividend") == [(aapl, 10.0, 1.0)]
    levels = await derived.store.read("index_levels", Selection(columns=("level", "members", "version")))
    assert levels["level"].to_list() == pytest.approx([100.0, 105.0], rel=1e-14)
    assert levels.drop("level").rows() == [(2, 1), (2, 1)]
    assert b'"close":120.0' in (await derived.cache.get(f"latest/{aapl}/1d") or b"")
    assert sorted(heard) == sorted(
        [
            f"truetape/bars/1d/{aapl}",
            f"truetape/bars/1d/{ibm}",
            f"truetape/factors/{aapl}",
            f"truetape/factors/{ibm}",
            "truetape/index_levels/EW5",
        ]
    )


async def test_a_correction_is_a_version_beside_the_first(derived: Derived) -> None:
    """What was known before stays readable; the factor of a split that is none is withdrawn."""
    split = rows("actions", instrument_id=identify(AAPL), ex_date=[TUESDAY], type="split", value=2.0, ts_known=MONDAY)
    await derived.declare()
    await derived.store.commit({"bars": bars(AAPL, 100.0, 60.0), "actions": split})
    await derived.tell_stored("bars", AAPL, ts_known=2)

    withdrawn = split.with_columns(value=pl.lit(1.0), version=pl.lit(2, dtype=pl.UInt32))
    await derived.store.commit({"actions": withdrawn})
    await derived.tell_stored("actions", AAPL, ts_known=3)

    history = Selection(history=True, columns=("split", "version"))
    assert (await derived.store.read("factors", history)).rows() == [(2.0, 1)]
    assert (await derived.store.read("factors", replace(history, withdrawn=True))).rows() == [(None, 2)]
    assert await derived.current("factors", "split") == []
    assert (await derived.store.read("index_levels"))["level"].to_list() == pytest.approx([100.0, 60.0], rel=1e-14)
