"""The distribution room: keeps the latest bars at hand, and tells every change to the topics."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec
import polars as pl

from truetape.domain.envelope import seal
from truetape.domain.messages import BatchStored, FactorsChanged, IndexChanged, Message
from truetape.ports.bus import Bus
from truetape.ports.cache import Cache
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.distribution.config import DistributionConfig
from truetape.services.distribution.latest import COLUMNS, cached_day, encode_latest, latest_key
from truetape.services.distribution.topics import Event, Topics

RECENT: Final = timedelta(days=14)  # before the end of a batch, where its latest bar mostly is
TOLD_BY: Final[dict[type[Message], str]] = {
    BatchStored: "storage",
    FactorsChanged: "corporate_actions",
    IndexChanged: "benchmarks",
}


class DistributionService:
    """Keep `latest/<instrument_id>/<timeframe>` in the cache and feed `topics`. Writes no table."""

    def __init__(self, *, bus: Bus, store: Store, cache: Cache, clock: Clock, config: DistributionConfig) -> None:
        self._bus = bus
        self._store = store
        self._cache = cache
        self._clock = clock
        self._config = config
        self.topics = Topics(capacity=config.capacity)

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchStored, group="distribution", handler=self.on_batch_stored)
        self._bus.subscribe(FactorsChanged, group="distribution", handler=self.on_factors_changed)
        self._bus.subscribe(IndexChanged, group="distribution", handler=self.on_index_changed)

    async def on_batch_stored(self, message: BatchStored) -> None:
        """Renew the latest bar, and tell on a topic of the record kind.

        The topics are `truetape/bars/<timeframe>/<instrument_id>` and `truetape/actions/<instrument_id>`.
        """
        level = message.kind
        if message.kind == "bars":
            level = f"bars/{message.timeframe}"
            await self._renew(message)
        self._tell(f"truetape/{level}/{message.instrument_id}", message)

    async def on_factors_changed(self, message: FactorsChanged) -> None:
        """Tell on `truetape/factors/<instrument_id>`."""
        self._tell(f"truetape/factors/{message.instrument_id}", message)

    async def on_index_changed(self, message: IndexChanged) -> None:
        """Tell on `truetape/index_levels/<index_id>`."""
        self._tell(f"truetape/index_levels/{message.index_id}", message)

    async def _renew(self, message: BatchStored) -> None:
        """Put the store's latest bar into the cache, and drop one that the store does not know."""
        key = latest_key(message.instrument_id, message.timeframe)
        bars = await self._latest_bars(message, cached=await self._cache.get(key))
        if bars.is_empty():
            await self._cache.drop(key)
        else:
            await self._cache.put(key, encode_latest(bars), ttl_s=self._config.latest_ttl_s)

    async def _latest_bars(self, message: BatchStored, *, cached: bytes | None) -> pl.DataFrame:
        """Return bars up to the latest: from the cached day or the end of the batch on, or all where there are none."""
        wanted = {"instrument_id": (message.instrument_id,), "timeframe": (message.timeframe,)}
        since = cached_day(cached) or message.end - RECENT
        recent = await self._store.read("bars", Selection(equal=wanted, start=since, columns=COLUMNS))
        if not recent.is_empty():
            return recent
        return await self._store.read("bars", Selection(equal=wanted, columns=COLUMNS))

    def _tell(self, topic: str, message: Message) -> None:
        envelope = seal(message, source=TOLD_BY[type(message)], at_ns=self._clock.now_ns())
        self.topics.publish(Event(topic, msgspec.json.encode(envelope)))
