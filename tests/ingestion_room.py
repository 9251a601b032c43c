"""An ingestion room over doubles, for its tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from pipeline_doubles import (
    INSTRUMENT,
    BothTimes,
    DictArchive,
    Heard,
    Script,
    SteppingClock,
    provider,
    refuse,
)
from truetape.domain.failures import FailureClass
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.rounds import Listed
from truetape.services.ingestion.service import IngestionService

START, END = date(2024, 1, 2), date(2024, 6, 7)
LISTING = [Listed(INSTRUMENT, "A")]
BUSY = refuse(FailureClass.THROTTLED)


class Room:
    """An ingestion room over doubles; scripts become providers of the same names."""

    def __init__(self, archive: DictArchive | None = None, *, pace: float = 1000.0, **scripts: Script) -> None:
        self.clock = SteppingClock()
        self.bus, self.store = Heard(), BothTimes()
        self.archive = archive or DictArchive()
        self.archive.happened = self.bus.happened
        self.scripts = scripts
        for script in scripts.values():
            script.clock = self.clock
        self.providers = {name: provider(name, script, pace=pace) for name, script in scripts.items()}
        self.service = self.build()

    def build(self, **config: Any) -> IngestionService:
        given: dict[str, Any] = {"start": START, "end": END, "attempts": 3, "backoff_s": 0.5, **config}
        return IngestionService(
            bus=self.bus,
            store=self.store,
            archive=self.archive,
            clock=self.clock,
            providers=self.providers,
            config=IngestionConfig(**given),
        )

    async def acquire(self, listings: list[Listed] | None = None, *, end: date = END) -> None:
        self.service.extend(listings or LISTING, end=end)
        await self.service.work(until_idle=True)

    def happened(self) -> list[tuple[str, str]]:
        return [
            (what, thing.decode() if isinstance(thing, bytes) else type(thing).__name__)
            for what, thing in self.bus.happened
        ]

    def recorded(self, kind: type[Any]) -> list[Any]:
        return [entry for entry in self.archive.entries if isinstance(entry, kind)]


@contextlib.asynccontextmanager
async def working(service: IngestionService) -> AsyncIterator[None]:
    """Let the room work for ever in the background, and stop it."""
    task = asyncio.create_task(service.work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(done: Any) -> None:
    """Return when `done()` holds."""
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - the room under test has no event for this
            await asyncio.sleep(0.001)
