"""The corporate actions room: stored actions and closes become factors."""

from __future__ import annotations

import asyncio

from truetape.domain.messages import BatchStored, FactorsChanged
from truetape.domain.schema import TABLES
from truetape.domain.versions import Decision, decide
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.factors import factor_rows


class CorporateActionsService:
    """Write factors. The only writer of that table."""

    def __init__(self, *, bus: Bus, store: Store, config: CorporateActionsConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchStored, group="corporate_actions", handler=self.on_batch_stored)

    async def on_batch_stored(self, message: BatchStored) -> None:
        """Compute the factors of the batch's instrument again, and write those that changed.

        Bars are always told of, since an index waits for them; actions only when a factor changed.
        """
        bars = message.kind == "bars" and message.timeframe == self._config.timeframe
        actions = message.kind == "actions" and message.new + message.corrected + message.withdrawn > 0
        if not bars and not actions:
            return
        decision = await self._decided(message)
        if not decision.write.is_empty():
            await self._store.commit({"factors": decision.write})
        changed = decision.new + decision.corrected
        if bars or changed:
            told = FactorsChanged(instrument_id=message.instrument_id, ts_known=message.ts_known, changed=changed)
            await self._bus.publish(told)

    async def _decided(self, message: BatchStored) -> Decision:
        one = {"instrument_id": (message.instrument_id,)}
        daily = {**one, "timeframe": (self._config.timeframe,)}
        actions = await self._store.read("actions", Selection(equal=one))
        current = await self._store.read("factors", Selection(equal=one))
        if actions.is_empty() and current.is_empty():
            return Decision(write=current, new=0, corrected=0, repeated=0)
        bars = await self._store.read("bars", Selection(equal=daily, columns=("ts_event", "close", "simulated")))
        return await asyncio.to_thread(
            lambda: decide(
                current,
                factor_rows(actions, bars, current, instrument_id=message.instrument_id, ts_known=message.ts_known),
                TABLES["factors"],
            )
        )
