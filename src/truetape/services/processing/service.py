"""The processing room: bytes become claims, and a closed round becomes one comparable batch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
import polars as pl
import structlog

from truetape.domain.errors import CorruptArchive, ProviderRefused, SchemaMismatch, StoreUnavailable, UndecodablePayload
from truetape.domain.messages import (
    DecisionMade,
    InstrumentChanged,
    PayloadDoubted,
    PayloadRejected,
    RawCaptured,
    RoundClosed,
    StreamCaptured,
)
from truetape.domain.schema import TABLES, empty
from truetape.domain.simulation import refuse_mixing
from truetape.domain.symbology import Symbology
from truetape.domain.time import NANOSECONDS, to_datetime
from truetape.domain.wire import pack
from truetape.ports.archive import Archive
from truetape.ports.bus import Bus
from truetape.ports.feed import Feed
from truetape.ports.provider import Provider
from truetape.ports.store import Selection, Store
from truetape.services.processing.batches import round_batches
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.earlier import claims_before
from truetape.services.processing.identify import is_bulk
from truetape.services.processing.lapsing import lapsed, of_the_same_kind, still_told
from truetape.services.processing.minutes import Due, Minutes, restored
from truetape.services.processing.normalize import known_splits, latest_claims, raw_bars
from truetape.services.processing.reading import Reading, read
from truetape.services.processing.regrading import Regrading, decided
from truetape.services.processing.streamed import (
    Said,
    Wound,
    minute_claims,
    minutes_batch,
    said,
    segment_row,
    settled,
    wounds,
)
from truetape.services.processing.symbols import SymbolMap
from truetape.services.processing.ticks import ticks_heard
from truetape.services.processing.vanished import drift_findings, vanished

log = structlog.get_logger()

Claims = dict[str, pl.DataFrame]  # by table
Page = tuple[str, str, str]  # provider, payload key, the provider's mark of the page
MOST_OPEN_ROUNDS: Final = 64  # whose claims are held in memory
MOST_FEEDS: Final = 256  # connections whose talk is remembered
MOST_TORN: Final = 1000  # segments with gaps that a process that starts looks back at
RESTORED_NS: Final = 10 * 60 * NANOSECONDS  # before the first trade that is heard
RESUMED_DAYS: Final = 2  # of segments whose minutes may not be stored yet


class ProcessingService:
    """Decode, identify, bring to raw basis. Writes the claims tables."""

    def __init__(
        self,
        *,
        bus: Bus,
        store: Store,
        archive: Archive,
        providers: Mapping[str, Provider],
        config: ProcessingConfig,
    ) -> None:
        self._bus = bus
        self._store = store
        self._archive = archive
        self._providers = providers
        self._config = config
        self._regrading = Regrading(bus=bus, store=store, config=config)
        self._symbols = SymbolMap(store)
        self._decoded: dict[str, dict[Page, Claims]] = {}  # by round, of rounds still open
        self._feeds: dict[str, Feed] = {}  # by connection: where the segment before left off
        self._said: dict[tuple[str, int], Said] = {}  # of segments that are not kept yet
        self._minutes: dict[str, Minutes] = {}  # by provider
        self._currencies: dict[str, str | None] = {}  # by instrument

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(RawCaptured, group="processing", handler=self.on_raw_captured)
        self._bus.subscribe(RoundClosed, group="processing", handler=self.on_round_closed)
        self._bus.subscribe(StreamCaptured, group="processing", handler=self.on_stream_captured)
        self._bus.subscribe(DecisionMade, group="processing", handler=self._regrading.on_decision_made)
        self._bus.subscribe(InstrumentChanged, group="processing", handler=self.on_instrument_changed)

    async def resume(self) -> None:
        """Tell the minutes of streams again that a crash kept from being stored.

        Raises:
            StoreUnavailable: The claims cannot be read now.
        """
        segments = await self._store.read(
            "segments", Selection(columns=("payload", "ts_event", "told_from", "told_to"))
        )
        recent = segments.filter(pl.col("ts_event") >= pl.col("ts_event").max() - pl.duration(days=RESUMED_DAYS))
        if recent["told_from"].null_count() == len(recent):
            return
        first, last = recent["told_from"].dt.date().min(), recent["told_to"].dt.date().max()
        wanted = Selection(equal={"timeframe": ("1m",)}, start=first, end=last)  # type: ignore[arg-type]
        claims = await self._store.read("bar_claims", wanted)
        streamed = claims.filter(pl.col("payload").is_in(recent["payload"].implode()))
        newest = latest_claims(streamed, key=("instrument_id", "ts_event"))
        values = ["instrument_id", "ts_event", "open", "high", "low", "close", "volume"]
        missing = newest.join(await self._store.read("bars", wanted), on=values, how="anti", nulls_equal=True)
        for rows in missing.partition_by("instrument_id", maintain_order=True):
            await self._tell_minutes(rows, claims)

    async def on_instrument_changed(self, _: InstrumentChanged) -> None:
        """Make the map of tickers anew, before somebody needs it.

        Raises:
            StoreUnavailable: The master cannot be read now.
        """
        await self._symbols.current()

    async def on_raw_captured(self, message: RawCaptured) -> None:
        """Decode one payload ahead of its round's closing; keep the claims of one that belongs to no round.

        What cannot be decoded stays in the archive and is told.

        Raises:
            StoreUnavailable: The payload cannot be read now.
            WrongFolder: The payload is simulated and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        if message.round_id not in self._decoded and len(self._decoded) >= MOST_OPEN_ROUNDS:
            self._decoded.pop(next(iter(self._decoded)))  # it is decoded again when that round closes
        claims = await self._claims(message)
        if message.round_id:
            self._decoded.setdefault(message.round_id, {})[_page(message)] = claims
        else:
            await self._commit([claims])

    async def _claims(self, message: RawCaptured) -> Claims:
        """Return the claims of one payload by table, none if it cannot be decoded; tell what in it is doubtful."""
        try:
            symbology = await self._symbols.current() if is_bulk(message) else None
            reading = await asyncio.to_thread(self._read, message, symbology)
        except (UndecodablePayload, ProviderRefused, SchemaMismatch, CorruptArchive) as error:
            await self._reject(message, reason=str(error))
            return {}
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("processing.defect", provider=message.provider, key=message.key)
            await self._reject(message, reason=f"The code that reads {message.provider} failed with {error!r:.500}.")
            return {}
        if not reading.doubts.is_empty():
            await self._doubt(message, reading.doubts, provider=message.provider, key=message.key)
        return reading.claims

    async def _doubt(
        self, message: RawCaptured | RoundClosed, findings: pl.DataFrame, *, provider: str, key: str
    ) -> None:
        log.warning("processing.doubted", provider=provider, key=key, findings=len(findings))
        doubted = PayloadDoubted(
            provider=provider,
            key=key,
            ts_known=message.ts_known,
            findings=pack(findings),
            simulated=message.simulated,
        )
        await self._bus.publish(doubted)

    async def _tell_drift(self, message: RoundClosed, older: Claims, parts: list[Claims]) -> None:
        """Tell which columns a provider of the round no longer fills."""
        fresh = [part["bar_claims"] for part in parts if "bar_claims" in part]
        for one in vanished(older["bar_claims"], pl.concat(fresh)) if fresh else ():
            findings = await asyncio.to_thread(drift_findings, [one], message, body=self._archive.get)
            await self._doubt(message, findings, provider=one.provider, key=one.payload_now)

    async def _reject(self, message: RawCaptured, *, reason: str) -> None:
        log.warning("processing.rejected", provider=message.provider, key=message.key, reason=reason)
        rejected = PayloadRejected(
            provider=message.provider,
            kind=message.kind,
            key=message.key,
            reason=reason,
            ts_known=message.ts_known,
            simulated=message.simulated,
            instrument_id=message.instrument_id,
        )
        await self._bus.publish(rejected)

    def _read(self, message: RawCaptured, symbology: Symbology | None) -> Reading:
        provider = self._providers.get(message.provider)
        if provider is None:
            reason = "the settings do not enable this provider, so nothing can read its payloads"
            raise UndecodablePayload(provider=message.provider, kind=message.kind, reason=reason)
        body = self._archive.get(message.key)
        beside = [offer.kind for offer in provider.declaration.offers if offer.with_bars]
        kinds = (message.kind, *beside) if message.kind == "bars" else (message.kind,)
        offer = provider.declaration.offer(message.kind)
        feed = (offer.feed_of(message.timeframe) if offer is not None else "") or provider.declaration.feed
        return read(body, message, decode=provider.decode, kinds=kinds, feed=feed, symbology=symbology)

    async def on_round_closed(self, message: RoundClosed) -> None:
        """Keep the claims of the round in one commit, then tell all current ones of its range in raw basis.

        Actions come first, then bars; of rates there is one batch.

        Raises:
            StoreUnavailable: A payload cannot be read now, or the claims cannot be kept or read.
            WrongFolder: The round is simulated and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        older = await claims_before(self._store, message)
        parts = await self._decoded_parts(message)
        parts += await self._lapsed(message, older, parts)
        await self._commit(parts)
        self._decoded.pop(message.round_id, None)
        await self._tell_drift(message, older, parts)
        for batch in await asyncio.to_thread(round_batches, message, older, parts):
            about = await self._regrading.about((message.instrument_id, batch.kind, message.timeframe))
            await self._bus.publish(decided(batch, about))

    async def on_stream_captured(self, message: StreamCaptured) -> None:
        """Keep what a segment says in one commit with the minutes that it completes or changes, and tell those.

        What is not readable stays in the archive and is told.

        Raises:
            StoreUnavailable: The segment cannot be read now, or what it says cannot be kept.
            WrongFolder: The segment is simulated and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        heard = await self._heard(message)
        torn = wounds(message)
        before = await self._minutes_before(message, heard.trades)
        minutes, due = await asyncio.to_thread(before.take, heard.trades, torn, now_ns=message.ts_known)
        told = await self._told(message, minutes, due)
        claims = pl.concat([told, heard.bar_claims])
        known = await self._claimed(message, claims)
        changed = settled(claims, known, message=message, torn=due.torn)
        kept = {
            "trades": heard.trades,
            "quotes": heard.quotes,
            "bar_claims": changed,
            "segments": segment_row(message, heard, changed, torn),
        }
        await self._commit([kept])
        if message.provider in self._minutes or len(heard.trades):  # else it is still to be restored
            self._minutes[message.provider] = minutes.trimmed()
        self._said.pop((message.connection, message.number), None)
        if ticks := ticks_heard(message, heard):
            await self._bus.publish(ticks)
        for rows in changed.partition_by("instrument_id", maintain_order=True):
            await self._tell_minutes(rows, known)

    async def _tell_minutes(self, rows: pl.DataFrame, known: pl.DataFrame) -> None:
        """Tell the minutes of one instrument that `rows` of bar_claims are about, with what others claim of them."""
        instrument = rows["instrument_id"][0]
        others = known.filter(pl.col("instrument_id") == instrument).join(rows, on=["ts_event"], how="semi")
        claims = latest_claims(pl.concat([others, rows]), key=("ts_event",), captured=tuple(rows["payload"].unique()))
        splits = known_splits(empty(TABLES["action_claims"].columns))
        if not (claims["basis"] == "raw").all():
            one = Selection(equal={"instrument_id": (instrument,)})
            splits = known_splits(still_told(await self._store.read("action_claims", one)))
        decisions = await self._regrading.about((instrument, "bars", "1m"))
        await self._bus.publish(decided(minutes_batch(rows, raw_bars(claims, splits)), decisions))

    async def _heard(self, message: StreamCaptured) -> Said:
        """Return what a segment says, once: its feed goes on where the segment before it ended."""
        place = (message.connection, message.number)
        if place not in self._said:
            try:
                found = await asyncio.to_thread(self._listen, message)
            except (UndecodablePayload, CorruptArchive) as error:
                await self._reject_segment(message, reason=str(error))
                found = Said.nothing()
            self._said = {place: found}
        return self._said[place]

    async def _reject_segment(self, message: StreamCaptured, *, reason: str) -> None:
        log.warning("processing.rejected", provider=message.provider, key=message.key, reason=reason)
        rejected = PayloadRejected(
            provider=message.provider,
            kind="trades",
            key=message.key,
            reason=reason,
            ts_known=message.ts_known,
            simulated=message.simulated,
        )
        await self._bus.publish(rejected)

    def _listen(self, message: StreamCaptured) -> Said:
        provider = self._providers.get(message.provider)
        if provider is None or provider.feed is None:
            reason = "the settings do not enable this provider, or it has no stream, so nothing can read its segments"
            raise UndecodablePayload(provider=message.provider, kind="trades", reason=reason)
        feed = self._feeds.pop(message.connection, None)
        if feed is None:
            feed = provider.feed()
            feed.endpoint(list(message.instruments), message.channels)
        lines = self._archive.get(message.key)
        name = provider.declaration.feed
        found = said(lines, message, receive=feed.receive, fetched=feed.fetched, feed=name)
        feed.replies()
        feed.wanted()
        if not message.ended:
            self._feeds[message.connection] = feed
            for oldest in list(self._feeds)[:-MOST_FEEDS]:
                del self._feeds[oldest]
        return found

    async def _minutes_before(self, message: StreamCaptured, trades: pl.DataFrame) -> Minutes:
        """Return where the provider's minutes stand, at first as an earlier process left them in the store."""
        found = self._minutes.get(message.provider)
        if found is not None or trades.is_empty():
            return found or Minutes()
        first = int(trades["ts_event"].cast(pl.Int64).min())  # type: ignore[arg-type]
        wanted = Selection(equal={"provider": (message.provider,)}, start=to_datetime(first - RESTORED_NS).date())
        kept = await self._store.read("trades", wanted)
        segments = await self._store.read("segments", Selection(equal={"provider": (message.provider,)}))
        recent = segments.filter(pl.col("gaps") != "").sort("ts_event").tail(MOST_TORN)
        torn = [one for gaps in recent["gaps"] for one in msgspec.json.decode(gaps, type=list[Wound])]
        return restored(kept, torn, first_ns=first)

    async def _told(self, message: StreamCaptured, minutes: Minutes, due: Due) -> pl.DataFrame:
        """Return the claims of the minutes that are due."""
        stored = empty(TABLES["trades"].columns)
        if due.older:
            equal = {"provider": (message.provider,), "instrument_id": due.older}
            stored = await self._store.read("trades", Selection(equal=equal, start=to_datetime(due.since).date()))
        provider = self._providers.get(message.provider)
        sales = provider.sales if provider else {}
        made = await asyncio.to_thread(minutes.told, due, stored, sales=sales)
        feed = provider.declaration.feed if provider else ""
        return minute_claims(made, message, feed=feed, currencies=await self._currencies_of(made["instrument_id"]))

    async def _currencies_of(self, instruments: pl.Series) -> dict[str, str | None]:
        unknown = [one for one in instruments.unique() if one not in self._currencies]
        if unknown:
            columns = ("instrument_id", "currency")
            rows = await self._store.read("instruments", Selection(equal={"instrument_id": unknown}, columns=columns))
            self._currencies |= {**dict.fromkeys(unknown), **dict(rows.iter_rows())}
        return self._currencies

    async def _claimed(self, message: StreamCaptured, claims: pl.DataFrame) -> pl.DataFrame:
        """Return the newest claims of every provider about the minutes of `claims`, as they were known."""
        if claims.is_empty():
            return claims
        wanted = Selection(
            equal={"instrument_id": claims["instrument_id"].unique().to_list(), "timeframe": ("1m",)},
            start=claims["ts_event"].dt.date().min(),  # type: ignore[arg-type]
            end=claims["ts_event"].dt.date().max(),  # type: ignore[arg-type]
            as_of=message.ts_known,
        )
        rows = await self._store.read("bar_claims", wanted)
        about = rows.join(claims, on=["instrument_id", "ts_event"], how="semi")
        return latest_claims(about, key=("instrument_id", "ts_event"))

    async def _decoded_parts(self, message: RoundClosed) -> list[Claims]:
        """Return the claims of every payload of the round, decoding those that were not decoded ahead."""
        ahead = self._decoded.get(message.round_id, {})
        return [ahead[_page(one)] if _page(one) in ahead else await self._claims(one) for one in message.captures]

    async def _lapsed(self, message: RoundClosed, older: Claims, parts: list[Claims]) -> list[Claims]:
        """Return the claims that say which actions the round's answers no longer tell."""
        gone = lapsed(older["action_claims"], message, parts)
        if gone.is_empty():
            return []
        one = Selection(equal={"instrument_id": (message.instrument_id,)})
        captures = [await self._store.read("captures", one), *(part["captures"] for part in parts if part)]
        return [{"action_claims": of_the_same_kind(gone, older["action_claims"], pl.concat(captures))}]

    async def _commit(self, parts: list[Claims]) -> None:
        filled = [(table, frame) for part in parts for table, frame in part.items() if not frame.is_empty()]
        tables = sorted({table for table, _ in filled})
        if tables:
            await self._store.commit(
                {name: pl.concat([one for table, one in filled if table == name]) for name in tables}
            )


def _page(message: RawCaptured) -> Page:
    return message.provider, message.key, message.page
