"""The corporate actions room: stored actions and closes become factors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl
import structlog

from truetape.domain.announced_messages import ActionStated
from truetape.domain.known_spans import known_spans
from truetape.domain.messages import BatchStored, FactorsChanged
from truetape.domain.schema import TABLES
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.corporate_actions.announcing import Announcing
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.factors import factor_changes
from truetape.services.corporate_actions.rewriting import Rewriting, rewriting
from truetape.services.corporate_actions.terms import (
    PRICED,
    PRICES,
    first_prices,
    in_other_currency,
    listed_as,
    missing_terms,
    stated,
    unstated,
)

CLOSE: Final = ("ts_event", "close", "currency", "ts_known", "version")
ACTION: Final = ("ex_date", "type", "value", "currency", "agreed", "ts_known", "version", "simulated")
TERM: Final = (*("announcement_id", "type", "status", "effective_date", "price", "new_symbol", "ts_known", "version"),)
LISTED: Final = ("instrument_id", "symbol", "valid_from", "valid_to")
NO_PRICES: Final = pl.DataFrame(schema=PRICES)
FIRST: Final = 1  # version of a row that was never corrected

log = structlog.get_logger()


class CorporateActionsService:
    """Write factors, and what is announced of actions. The only writer of those tables.

    What is written depends on what is stored alone: not on which batch was told, in which order, or how often.
    """

    def __init__(self, *, bus: Bus, store: Store, config: CorporateActionsConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._announcing = Announcing(bus=bus, store=store)

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchStored, group="corporate_actions", handler=self.on_batch_stored)
        self._bus.subscribe(ActionStated, group="corporate_actions", handler=self.on_action_stated)

    async def on_action_stated(self, message: ActionStated) -> None:
        """Keep what an operator said of an action, and compute the factors again: prices of shares may be stated.

        Raises:
            StoreUnavailable: The store cannot be used now; it is told again.
        """
        await self._announcing.take(message)
        changed = await self._settled(message.instrument_id)
        if changed:
            told = FactorsChanged(instrument_id=message.instrument_id, ts_known=message.ts_known, changed=changed)
            await self._bus.publish(told)

    async def on_batch_stored(self, message: BatchStored) -> None:
        """Compute the factors of the batch's instrument again, and write those that changed.

        Bars are always told of, since an index waits for them; actions only when a factor changed.
        """
        told_again = message.new + message.corrected == 0  # after a crash, only the bars of a round are
        if message.kind == "actions" or (message.kind == "bars" and told_again):
            await self._announcing.settle(message.instrument_id, ts_known=message.ts_known)
        bars = message.kind == "bars" and message.timeframe == self._config.timeframe
        actions = message.kind == "actions" and message.new + message.corrected + message.withdrawn > 0
        if not bars and not actions:
            return
        changed = await self._settled(message.instrument_id)
        if bars or changed:
            told = FactorsChanged(instrument_id=message.instrument_id, ts_known=message.ts_known, changed=changed)
            await self._bus.publish(told)

    async def _settled(self, instrument: str) -> int:
        """Write the factors of an instrument that are others than its actions and closes make; return how many are."""
        equal = {"instrument_id": (instrument,)}
        actions = await self._store.read("actions", Selection(equal=equal, columns=ACTION, history=True))
        versions = await self._store.read("factors", Selection(equal=equal))
        if actions.is_empty() and versions.is_empty():
            return 0
        withdrawals = await self._withdrawals("factors", equal)
        if len(withdrawals) or (versions["version"] != FIRST).any():  # mostly the current rows are all that ever were
            versions = await self._store.read("factors", Selection(equal=equal, history=True))
        spans = await self._spans("actions", actions, equal, key=("ex_date", "type"))
        prices = await self._prices(instrument, spans)
        closes = await self._closes({**equal, "timeframe": (self._config.timeframe,)})
        for other in in_other_currency(spans, closes):
            log.warning("corporate_actions.other_currency", instrument_id=instrument, **other)
        found: Rewriting = await asyncio.to_thread(
            lambda: rewriting(factor_changes(spans, closes, prices), versions, withdrawals, instrument_id=instrument)
        )
        if found.changed:
            withdrawn = {} if found.withdrawals.is_empty() else {"factors": found.withdrawals}
            rows = {} if found.rows.is_empty() else {"factors": found.rows}
            await self._store.commit(rows, withdrawals=withdrawn)
        return found.changed

    async def _prices(self, instrument: str, actions: pl.DataFrame) -> pl.DataFrame:
        """Return what spun-off shares and rights are valued at: as it is announced, else by their first close."""
        if not actions["type"].is_in(PRICED).any():
            return NO_PRICES
        equal = {"instrument_id": (instrument,)}
        told = await self._store.read("announcements", Selection(equal=equal, columns=TERM, history=True))
        announced = await self._spans("announcements", told, equal, key=("announcement_id",))
        found = [stated(announced)]
        for one in unstated(announced):
            named = [
                await self._store.read("listings", Selection(equal={column: (one.symbol,)}, columns=LISTED))
                for column in ("symbol", "instrument_id")
            ]
            other = listed_as(pl.concat(named), one.symbol, one.ex_date)
            if other is not None:
                daily = {"instrument_id": (other,), "timeframe": (self._config.timeframe,)}
                found.append(first_prices(one, await self._closes(daily)))
        prices = pl.concat(found)
        for missing in missing_terms(actions, prices):
            log.warning("corporate_actions.no_price", instrument_id=instrument, **missing)
        return prices

    async def _closes(self, equal: Mapping[str, Sequence[str]]) -> pl.DataFrame:
        """Return the closes of an instrument in the spans in which they stood: `date`, `close`, `since`, `until`.

        Nearly all bars were never corrected: only of the days between the first and the last that was, are the older
        versions asked for.
        """
        current = await self._store.read("bars", Selection(equal=equal, columns=CLOSE))
        withdrawals = await self._withdrawals("bars", equal)
        touched = pl.concat([current.filter(pl.col("version") != FIRST)["ts_event"], withdrawals["ts_event"]]).dt.date()
        if not len(touched):
            return _dated(known_spans(current, withdrawals, key=("ts_event",)))
        first, last = touched.min(), touched.max()
        assert isinstance(first, date)
        assert isinstance(last, date)
        days = Selection(equal=equal, start=first, end=last, columns=CLOSE, history=True)
        corrected = known_spans(await self._store.read("bars", days), withdrawals, key=("ts_event",))
        others = current.filter(~pl.col("ts_event").dt.date().is_between(first, last))
        return _dated(pl.concat([known_spans(others, withdrawals.clear(), key=("ts_event",)), corrected]))

    async def _spans(
        self, table: str, versions: pl.DataFrame, equal: Mapping[str, Sequence[str]], *, key: tuple[str, ...]
    ) -> pl.DataFrame:
        return known_spans(versions, await self._withdrawals(table, equal), key=key)

    async def _withdrawals(self, table: str, equal: Mapping[str, Sequence[str]]) -> pl.DataFrame:
        columns = (*(name for name in TABLES[table].key if name not in equal), "ts_known", "version")
        return await self._store.read(table, Selection(equal=equal, columns=columns, history=True, withdrawn=True))


def _dated(spans: pl.DataFrame) -> pl.DataFrame:
    return spans.with_columns(pl.col("ts_event").dt.date().alias("date")).sort("date", "since")
