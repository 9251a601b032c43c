"""The benchmarks room: members' bars and factors become index levels."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl

from truetape.domain.messages import FactorsChanged, IndexChanged
from truetape.domain.schema import TABLES
from truetape.domain.versions import decide
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.benchmarks.config import BenchmarksConfig
from truetape.services.benchmarks.equal_weight import equal_weight

NEVER: Final = -1


class BenchmarksService:
    """Write index levels. The only writer of that table."""

    def __init__(self, *, bus: Bus, store: Store, config: BenchmarksConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._computed_at = NEVER  # the store's version then
        self._heard_at = NEVER  # the latest knowledge time among the changes heard
        self._one_at_a_time = asyncio.Lock()

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(FactorsChanged, group="benchmarks", handler=self.on_factors_changed)

    async def on_factors_changed(self, message: FactorsChanged) -> None:
        """Remember that the index may have moved; `settle` computes it, once for many changes."""
        self._heard_at = max(self._heard_at, message.ts_known)

    async def work(self, clock: Clock) -> None:
        """Settle the index for ever, at most once in `every_s` seconds."""
        while True:
            await self.settle()
            await clock.sleep(self._config.every_s)

    async def settle(self) -> None:
        """Compute the index again from all that is stored, if anything that moves it was heard since the last time.

        The levels depend on the store alone, not on which message came first.
        """
        async with self._one_at_a_time:
            heard_at, version = self._heard_at, self._store.version()
            if heard_at == NEVER or version == self._computed_at:
                return
            changed, levels = await self._refresh()
            first, self._computed_at = self._computed_at == NEVER, version
        if changed or (first and levels):
            told = IndexChanged(index_id=self._config.index_id, ts_known=heard_at, changed=changed)
            await self._bus.publish(told)

    async def _refresh(self) -> tuple[int, int]:
        """Write the levels that changed; return how many did, and how many there are."""
        config = self._config
        bars, factors = await self._inputs()
        rows = await asyncio.to_thread(equal_weight, bars, factors, index_id=config.index_id, base=config.base)
        if rows.is_empty():
            return 0, 0
        current = await self._store.read("index_levels", Selection(equal={"index_id": (config.index_id,)}))
        decision = decide(current, rows, TABLES["index_levels"])
        if not decision.write.is_empty():
            await self._store.commit({"index_levels": decision.write})
        return decision.new + decision.corrected, len(rows)

    async def _inputs(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        members = self._config.members or await self._every_instrument()
        bars = Selection(
            equal={"instrument_id": members, "timeframe": (self._config.timeframe,)},
            columns=("instrument_id", "ts_event", "close", "ts_known", "simulated"),
        )
        factors = Selection(equal={"instrument_id": members})
        return await self._store.read("bars", bars), await self._store.read("factors", factors)

    async def _every_instrument(self) -> tuple[str, ...]:
        instruments = await self._store.read("instruments", Selection(columns=("instrument_id",)))
        return tuple(instruments["instrument_id"])
