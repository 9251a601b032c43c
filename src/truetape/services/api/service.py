"""The api room's ears: what was answered before is forgotten when the store has something new."""

from __future__ import annotations

from truetape.domain.messages import BatchStored, FactorsChanged, IndexChanged
from truetape.ports.bus import Bus
from truetape.ports.cache import Cache
from truetape.services.api.config import CACHED


class ApiService:
    """Drop kept answers that no request will ask for again. Writes no table.

    Answers are kept under the store's version, so that a stale one is never served, whatever is heard when; dropping
    them gives their memory back early.
    """

    def __init__(self, *, bus: Bus, cache: Cache) -> None:
        self._bus = bus
        self._cache = cache

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchStored, group="api", handler=self.on_batch_stored)
        self._bus.subscribe(FactorsChanged, group="api", handler=self.on_factors_changed)
        self._bus.subscribe(IndexChanged, group="api", handler=self.on_index_changed)

    async def on_batch_stored(self, _: BatchStored) -> None:
        """Forget kept answers: bars, actions or the evidence about them have changed."""
        await self._cache.drop(CACHED)

    async def on_factors_changed(self, message: FactorsChanged) -> None:
        """Forget kept answers if an adjusted price may have changed."""
        if message.changed:
            await self._cache.drop(CACHED)

    async def on_index_changed(self, message: IndexChanged) -> None:
        """Forget kept answers if a level has changed."""
        if message.changed:
            await self._cache.drop(CACHED)
