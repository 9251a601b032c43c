"""The distribution room: keeps the latest bars at hand, tells every change to the topics, and alarms people."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec
import polars as pl
import structlog

from truetape.domain.announced_messages import AnnouncementsChanged
from truetape.domain.envelope import seal
from truetape.domain.errors import StoreUnavailable
from truetape.domain.messages import (
    AlertChanged,
    BatchStored,
    FactorsChanged,
    FindingsStored,
    IndexChanged,
    InstrumentChanged,
    Message,
)
from truetape.domain.register_messages import ListingsReviewed
from truetape.domain.wire import unpack
from truetape.ports.bus import Bus
from truetape.ports.cache import Cache
from truetape.ports.clock import Clock
from truetape.ports.notifier import Notifier, Undelivered
from truetape.ports.store import Selection, Store
from truetape.services.distribution.alarms import Alarms
from truetape.services.distribution.config import DistributionConfig
from truetape.services.distribution.courier import Tally, pause_s
from truetape.services.distribution.kept_alerts import alert_rows, kept_alerts
from truetape.services.distribution.latest import COLUMNS, cached_day, encode_latest, latest_key
from truetape.services.distribution.topics import Event, Topics

log = structlog.get_logger()

MOST_SYMBOLS: Final = 100_000  # that are remembered
ATTEMPTS: Final = 12  # to tell a channel of an alert, over some twenty minutes
RECENT: Final = timedelta(days=14)  # before the end of a batch, where its latest bar mostly is
TOLD_BY: Final[dict[type[Message], str]] = {
    BatchStored: "storage",
    FactorsChanged: "corporate_actions",
    AnnouncementsChanged: "corporate_actions",
    IndexChanged: "benchmarks",
    InstrumentChanged: "reference",
    ListingsReviewed: "reference",
    AlertChanged: "distribution",
}
EVERYTHING: Final = "*"  # the last level of a topic where so much has changed that nothing is named


class DistributionService:
    """Keep `latest/<instrument_id>/<timeframe>` in the cache, feed `topics`, and alarm people. Writes the alerts."""

    def __init__(
        self,
        *,
        bus: Bus,
        store: Store,
        cache: Cache,
        clock: Clock,
        config: DistributionConfig,
        notifiers: Mapping[str, Notifier] | None = None,
    ) -> None:
        self._bus = bus
        self._store = store
        self._cache = cache
        self._clock = clock
        self._config = config
        self._notifiers = notifiers or {}
        self._wake = {name: asyncio.Event() for name in self._notifiers}
        self._symbols: dict[str, str] = {}
        self.topics = Topics(capacity=config.capacity)
        self.alarms = Alarms(config.rules)
        self.tally = Tally()

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchStored, group="distribution", handler=self.on_batch_stored)
        self._bus.subscribe(FactorsChanged, group="distribution", handler=self.on_factors_changed)
        self._bus.subscribe(AnnouncementsChanged, group="distribution", handler=self.on_announcements_changed)
        self._bus.subscribe(IndexChanged, group="distribution", handler=self.on_index_changed)
        self._bus.subscribe(InstrumentChanged, group="distribution", handler=self.on_instrument_changed)
        self._bus.subscribe(ListingsReviewed, group="distribution", handler=self.on_listings_reviewed)
        self._bus.subscribe(FindingsStored, group="distribution", handler=self.on_findings_stored)

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

    async def on_announcements_changed(self, message: AnnouncementsChanged) -> None:
        """Tell on `truetape/announcements/<instrument_id>`."""
        self._tell(f"truetape/announcements/{message.instrument_id}", message)

    async def on_index_changed(self, message: IndexChanged) -> None:
        """Tell on `truetape/index_levels/<index_id>`."""
        self._tell(f"truetape/index_levels/{message.index_id}", message)

    async def on_instrument_changed(self, message: InstrumentChanged) -> None:
        """Tell on `truetape/instruments/<instrument_id>`; on `truetape/instruments/*` where very many changed at once.

        Their tickers are read again when they are needed.
        """
        self._symbols.clear()
        self._tell(f"truetape/instruments/{message.instrument_id or EVERYTHING}", message)

    async def on_listings_reviewed(self, message: ListingsReviewed) -> None:
        """Tell on `truetape/listings/<provider>` what a provider's new list of listings changed."""
        self._tell(f"truetape/listings/{message.provider}", message)

    async def on_findings_stored(self, message: FindingsStored) -> None:
        """Judge findings by the rules of alerts; who is to be told is told by `alarm`, later.

        What the store cannot take now is kept with the next look.
        """
        troubles = unpack(message.troubles)
        self.tally.count(troubles)
        if not self._config.rules:
            return
        named = troubles.with_columns(pl.Series("symbol", await self._symbols_of(troubles["instrument_id"])))
        if self.alarms.take(named, now_ns=self._clock.now_ns()):
            await self._keep_alerts()
            self._wake_all()

    async def recall(self) -> None:
        """Go on with the alerts as the last process left them; call it before anything is heard.

        Raises:
            StoreUnavailable: They cannot be read now.
        """
        self.alarms = Alarms(self._config.rules, kept_alerts(await self._store.read("alerts")))

    async def alarm(self) -> None:
        """Tell every channel of its alerts, for ever; one that hangs holds up no other."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look())
            for name, notifier in self._notifiers.items():
                tasks.create_task(self._serve(name, notifier))

    async def _look(self) -> None:
        while True:
            self.alarms.expire(now_ns=self._clock.now_ns())
            await self._keep_alerts()
            self._wake_all()
            await self._clock.sleep(self._config.look_s)

    async def _serve(self, channel: str, notifier: Notifier) -> None:
        while True:
            self._wake[channel].clear()
            alert = self.alarms.owed(channel)
            if alert is None:
                await self._wake[channel].wait()
            else:
                await self._tell_people(alert.fingerprint, notifier)

    async def _tell_people(self, fingerprint: str, notifier: Notifier) -> None:
        """Tell one channel of one alert as it stands now, with patience; what it will never take is given up."""
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            alert = self.alarms.alerts.get(fingerprint)
            if alert is None or not alert.owed:
                return
            try:
                await notifier.send(self.alarms.notice(alert, simulated=self._config.simulated))
            except Undelivered as error:
                reason = error.reason
                log.warning("alert.undelivered", channel=alert.channel, rule=alert.rule, reason=reason)
                if not error.again:
                    break
                await self._clock.sleep(pause_s(attempt))
            else:
                self.alarms.delivered(alert, now_ns=self._clock.now_ns())
                self.tally.sent[alert.channel, alert.state] += 1
                await self._keep_alerts()
                return
        await self._give_up(fingerprint, reason)

    async def _give_up(self, fingerprint: str, reason: str) -> None:
        alert = self.alarms.alerts[fingerprint]
        self.alarms.given_up(alert)
        self.tally.failed[alert.channel] += 1
        log.error("alert.given_up", channel=alert.channel, rule=alert.rule, reason=reason)
        await self._keep_alerts()

    async def _keep_alerts(self) -> None:
        """Write what has changed of the alerts and tell it on `truetape/alerts/<rule>`; what fails is kept later."""
        alarms, now = self.alarms, self._clock.now_ns()
        alerts = [alarms.alerts[name] for name in sorted(alarms.changed) if name in alarms.alerts]
        if not alerts:
            return
        alarms.changed.clear()
        kept = [msgspec.structs.replace(one, version=one.version + 1) for one in alerts]
        alarms.alerts |= {one.fingerprint: one for one in kept}
        try:
            await self._store.commit({"alerts": alert_rows(kept, now_ns=now, simulated=self._config.simulated)})
        except StoreUnavailable as error:
            alarms.changed |= {one.fingerprint for one in kept}
            log.warning("alert.unkept", reason=str(error))
        for one in kept:
            changed = AlertChanged(
                fingerprint=one.fingerprint, rule=one.rule, state=one.state, words=one.words, ts_known=now
            )
            self._tell(f"truetape/alerts/{one.rule}", changed)

    def _wake_all(self) -> None:
        for one in self._wake.values():
            one.set()

    async def _symbols_of(self, instruments: pl.Series) -> list[str]:
        """Return the symbols of instruments as they are listed now; the id where none is."""
        unknown = [one for one in instruments.unique() if one not in self._symbols]
        if unknown:
            columns = ("instrument_id", "symbol", "valid_from")
            rows = await self._store.read("listings", Selection(equal={"instrument_id": unknown}, columns=columns))
            named = rows.sort("valid_from", nulls_last=False).select("instrument_id", "symbol").iter_rows()
            self._symbols |= {**{one: one for one in unknown}, **dict(named)}
        found = [self._symbols[one] for one in instruments]
        if len(self._symbols) > MOST_SYMBOLS:
            self._symbols.clear()
        return found

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
