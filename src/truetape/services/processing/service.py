"""The processing room: bytes become claims, and a closed round becomes one comparable batch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import polars as pl
import structlog

from truetape.domain.asks import Ask
from truetape.domain.errors import (
    CorruptArchive,
    ProviderRefused,
    SchemaMismatch,
    StoreUnavailable,
    UndecodablePayload,
    WrongFolder,
)
from truetape.domain.messages import BatchNormalized, PayloadRejected, RawCaptured, RoundClosed
from truetape.domain.wire import pack
from truetape.ports.archive import Archive
from truetape.ports.bus import Bus
from truetape.ports.provider import Provider
from truetape.ports.store import Selection, Store
from truetape.services.processing.claim import CLAIM_TABLES, claim
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.normalize import known_splits, latest_claims, raw_actions, raw_bars

log = structlog.get_logger()


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
        self._unkept: dict[tuple[str, str], RawCaptured] = {}  # by round and provider

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(RawCaptured, group="processing", handler=self.on_raw_captured)
        self._bus.subscribe(RoundClosed, group="processing", handler=self.on_round_closed)

    async def on_raw_captured(self, message: RawCaptured) -> None:
        """Decode one payload into claims; what cannot be decoded stays in the archive and is told.

        Raises:
            StoreUnavailable: The payload cannot be read or its claims not be written now.
            WrongFolder: The payload is simulated and the data folder is not, or the other way round.
        """
        self._refuse_other_kind(simulated=message.simulated)
        identity = message.round_id, message.provider
        try:
            await self._keep(message)
        except StoreUnavailable:
            self._unkept[identity] = message
            raise
        self._unkept.pop(identity, None)

    async def _keep(self, message: RawCaptured) -> None:
        try:
            claims = await asyncio.to_thread(self._decode, message)
        except (UndecodablePayload, ProviderRefused, SchemaMismatch, CorruptArchive) as error:
            await self._reject(message, reason=str(error))
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("processing.defect", provider=message.provider, key=message.key)
            await self._reject(message, reason=f"The code that reads {message.provider} failed with {error!r:.500}.")
        else:
            await self._store.commit({name: frame for name, frame in claims.items() if not frame.is_empty()})

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

    def _decode(self, message: RawCaptured) -> dict[str, pl.DataFrame]:
        provider = self._providers.get(message.provider)
        if provider is None:
            reason = "the settings do not enable this provider, so nothing can read its payloads"
            raise UndecodablePayload(provider=message.provider, kind=message.kind, reason=reason)
        body = self._archive.get(message.key)
        ask = Ask(
            kind=message.kind,
            symbol=message.symbol,
            timeframe=message.timeframe,
            start=message.start,
            end=message.end,
        )
        kinds = ("bars", "actions") if message.kind == "bars" else (message.kind,)
        return {
            CLAIM_TABLES[kind]: claim(
                provider.decode[kind](body, ask), message, kind=kind, feed=provider.declaration.feed
            )
            for kind in kinds
            if kind in provider.decode
        }

    async def on_round_closed(self, message: RoundClosed) -> None:
        """Tell all current claims of the round's range in raw basis: actions first, then bars.

        A capture that the bus has given up, because the store was away for long, is kept now: no round goes on without
        the claims of its own payloads.

        Raises:
            StoreUnavailable: They still cannot be kept, or read.
            WrongFolder: The round is simulated and the data folder is not, or the other way round.
        """
        self._refuse_other_kind(simulated=message.simulated)
        for capture in [one for one in self._unkept.values() if one.round_id == message.round_id]:
            await self.on_raw_captured(capture)
        actions = await self._store.read(
            "action_claims",
            Selection(equal={"instrument_id": (message.instrument_id,)}, as_of=message.ts_known),
        )
        actions = latest_claims(actions, key=("ex_date", "type"), captured=message.captured)
        splits = known_splits(actions)
        in_range = raw_actions(actions, splits).filter(pl.col("ex_date").is_between(message.start, message.end))
        bars = await self._store.read(
            "bar_claims",
            Selection(
                equal={"instrument_id": (message.instrument_id,), "timeframe": (message.timeframe,)},
                start=message.start,
                end=message.end,
                as_of=message.ts_known,
            ),
        )
        raw = await asyncio.to_thread(
            lambda: raw_bars(latest_claims(bars, key=("ts_event",), captured=message.captured), splits)
        )
        await self._tell(message, "actions", in_range, last=False)
        await self._tell(message, "bars", raw, last=True)

    def _refuse_other_kind(self, *, simulated: bool) -> None:
        if simulated != self._config.simulated:
            holds, came = ("simulated", "live") if self._config.simulated else ("live", "simulated")
            raise WrongFolder(path="of this process", reason=f"it holds {holds} data and {came} data came.")

    async def _tell(self, message: RoundClosed, kind: str, frame: pl.DataFrame, *, last: bool) -> None:
        batch = BatchNormalized(
            kind=kind,
            round_id=message.round_id,
            instrument_id=message.instrument_id,
            timeframe=message.timeframe,
            start=message.start,
            end=message.end,
            ts_known=message.ts_known,
            providers=message.providers,
            frame=pack(frame),
            last=last,
            simulated=message.simulated,
        )
        await self._bus.publish(batch)
