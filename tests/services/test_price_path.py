"""The way of a price through four rooms over the real bus, store and archive, cut short wherever a crash may come."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline_doubles import BOTH, FRIDAY, INSTRUMENT, MONDAY, NOW, Script, provider, refuse
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.memory_bus import MemoryBus
from truetape.adapters.set_clock import SetClock
from truetape.domain.errors import StoreUnavailable
from truetape.domain.failures import FailureClass
from truetape.domain.time import NANOSECONDS
from truetape.ports.archive import Entry
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.rounds import Listed
from truetape.services.ingestion.service import IngestionService
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.service import ProcessingService
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.service import QualityService
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

LISTINGS = [Listed(INSTRUMENT, "A"), Listed("ins_b", "B")]
BUSY = refuse(FailureClass.THROTTLED, retry_after_s=3.0)
TABLES = ("bars", "actions", "quarantine", "findings", "rounds", "bar_claims", "action_claims", "rejected_payloads")
GOLD = [20.0, 22.0, 12.0, 13.0, 14.0]


class Crash(BaseException):
    """The process is gone."""


class CrashingArchive(FileArchive):
    """Die at the n-th entry of the journal, before or after it is safe."""

    def __init__(self, folder: Path, *, entries: int | None = None, after: bool = False) -> None:
        super().__init__(folder)
        self.left = entries
        self.after = after

    def record(self, entry: Entry) -> None:
        if self.left is None:
            return super().record(entry)
        self.left -= 1
        if self.left >= 0 or self.after:
            super().record(entry)
        if self.left < 0:
            raise Crash
        return None


class FourRooms:
    """The rooms of one process, over a folder that outlives it."""

    def __init__(self, folder: Path, *, crash_at: int | None = None, after: bool = False) -> None:
        hours = 1 if folder.exists() else 0  # a later process lives at a later time
        folder.mkdir(exist_ok=True)
        self.clock = SetClock(NOW + hours * 3600 * NANOSECONDS)
        self.bus = MemoryBus(clock=self.clock)
        self.store = DuckdbStore(folder / "store.duckdb")
        self.archive = CrashingArchive(folder / "archive", entries=crash_at, after=after)
        providers = {
            "zeta": provider("zeta", Script(BUSY, b"split,10,11,12,13,14|2,2"), decode=BOTH),
            "alpha": provider("alpha", Script(b"raw,20,22,12,1300,14"), decode=BOTH),
            "mid": provider("mid", Script(b"raw,20,22,12,13"), decode=BOTH),
            "quiet": provider("quiet", Script(refuse(FailureClass.AUTH)), decode=BOTH),
            "odd": provider("odd", Script(b"garbled"), decode=BOTH),
        }
        self.ingestion = IngestionService(
            bus=self.bus,
            store=self.store,
            archive=self.archive,
            clock=self.clock,
            providers=providers,
            config=IngestionConfig(start=MONDAY, end=FRIDAY),
        )
        processing = ProcessingService(
            bus=self.bus, store=self.store, archive=self.archive, providers=providers, config=ProcessingConfig()
        )
        quality = QualityService(bus=self.bus, store=self.store, config=QualityConfig())
        storage = StorageService(bus=self.bus, store=self.store, config=StorageConfig())
        for room in (self.ingestion, processing, quality, storage):
            room.subscribe()

    async def run(self) -> None:
        await self.ingestion.resume()
        self.ingestion.extend(LISTINGS, end=FRIDAY)
        await self.ingestion.work(until_idle=True)
        await self.bus.drain()

    async def close(self) -> None:
        await self.bus.close()
        await self.store.close()
        self.archive.close()


@contextlib.asynccontextmanager
async def process(folder: Path, *, crash_at: int | None = None, after: bool = False) -> AsyncIterator[FourRooms]:
    rooms = FourRooms(folder, crash_at=crash_at, after=after)
    try:
        yield rooms
    finally:
        await rooms.close()


async def contents(rooms: FourRooms) -> dict[str, list[tuple[object, ...]]]:
    """Return the store's rows without the times, which differ from run to run."""
    rows = {name: await rooms.store.read(name) for name in TABLES}
    return {name: frame.drop("ts_known").rows() for name, frame in rows.items()}


@pytest.fixture
async def whole(tmp_path: Path) -> dict[str, list[tuple[object, ...]]]:
    """The store after a run that nothing cut short."""
    async with process(tmp_path / "whole") as rooms:
        await rooms.run()
        assert not rooms.bus.dead_letters
        bars = await rooms.store.read("bars")
        for instrument in (one.instrument_id for one in LISTINGS):
            mine = bars.filter(pl.col("instrument_id") == instrument)
            assert mine["close"].to_list() == GOLD
            assert mine["agreed"].to_list() == [*["alpha,mid,zeta"] * 3, "mid,zeta", "alpha,zeta"]
        assert (await rooms.store.read("quarantine"))["reason"].to_list() == ["hundredfold"] * 2
        assert (await rooms.store.read("findings"))["check"].unique().to_list() == ["ends_early"]
        assert (await rooms.store.read("rejected_payloads"))["provider"].to_list() == ["odd"]
        assert (await rooms.store.read("actions"))["value"].to_list() == [2.0, 2.0]
        return await contents(rooms)


@pytest.mark.slow
@pytest.mark.parametrize("after", [True, False])
async def test_a_crash_at_any_entry_of_the_journal_changes_nothing(
    tmp_path: Path, whole: dict[str, list[tuple[object, ...]]], after: bool
) -> None:
    """The next process ends with the same store, whichever entry was the last."""
    for crash_at in range(0, 14, 2):  # before an even entry and after it: each length of the journal once
        folder = tmp_path / f"crash {crash_at}"
        async with process(folder, crash_at=crash_at, after=after) as rooms:
            with contextlib.suppress(Crash):
                await rooms.run()
        async with process(folder) as rooms:
            await rooms.run()
            assert await contents(rooms) == whole, crash_at


async def test_a_second_run_asks_nothing_and_changes_nothing(
    tmp_path: Path, whole: dict[str, list[tuple[object, ...]]]
) -> None:
    """What is covered is covered."""
    async with process(tmp_path / "whole") as rooms:
        await rooms.run()

        assert await contents(rooms) == whole
        assert rooms.ingestion.tally.asked.total() == 0


async def test_a_new_day_makes_versions_only_of_what_is_new(
    tmp_path: Path, whole: dict[str, list[tuple[object, ...]]]
) -> None:
    """The days of the overlap are asked again and say the same."""
    async with process(tmp_path / "whole") as rooms:
        await rooms.ingestion.resume()
        rooms.ingestion.extend(LISTINGS, end=date(2024, 6, 10))
        await rooms.ingestion.work(until_idle=True)
        await rooms.bus.drain()

        after = await contents(rooms)
        assert (after["bars"], after["actions"]) == (whole["bars"], whole["actions"])
        assert len(after["rounds"]) == 4


async def test_a_store_that_is_away_for_long_loses_nothing(
    tmp_path: Path, whole: dict[str, list[tuple[object, ...]]]
) -> None:
    """The bus gives messages up meanwhile; the next start finds the rounds without a mark and tells them again."""
    async with process(tmp_path / "away") as rooms:
        commits = 0

        async def commit(writes: object, *, withdrawals: object = None) -> int:
            nonlocal commits
            commits += 1
            raise StoreUnavailable(path="store", reason="the disk is full")

        rooms.store.commit = commit  # type: ignore[method-assign]
        await rooms.run()
        assert rooms.bus.dead_letters
        assert commits > 5
    async with process(tmp_path / "away") as rooms:
        await rooms.run()
        assert await contents(rooms) == whole
