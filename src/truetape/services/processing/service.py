"""The processing room: bytes become claims, and a closed round becomes one comparable batch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import polars as pl
import structlog

from truetape.domain.asks import Ask
from truetape.domain.errors import (
    CorruptArchive,
    ProviderRefused,
    SchemaMismatch,
    StoreUnavailable,
    UndecodablePayload,
)
from truetape.domain.messages import BatchNormalized, PayloadRejected, RawCaptured, RoundClosed
from truetape.domain.simulation import refuse_mixing
from truetape.domain.wire import pack
from truetape.ports.archive import Archive
from truetape.ports.bus import Bus
from truetape.ports.provider import Provider
from truetape.ports.store import Selection, Store
from truetape.services.processing.claim import CLAIM_TABLES, claim
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.normalize import known_splits, latest_claims, raw_actions, raw_bars

log = structlog.get_logger()

Claims = dict[str, pl.DataFrame]  # by table
Page = tuple[str, str, str]  # provider, payload key, the provider's mark of the page
MOST_OPEN_ROUNDS: Final = 64  # whose claims are held in memory


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
        self._decoded: dict[str, dict[Page, Claims]] = {}  # by round, of rounds still open

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(RawCaptured, group="processing", handler=self.on_raw_captured)
        self._bus.subscribe(RoundClosed, group="processing", handler=self.on_round_closed)

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
        """Return the claims of one payload by table; none if it cannot be decoded."""
        try:
            return await asyncio.to_thread(self._decode, message)
        except (UndecodablePayload, ProviderRefused, SchemaMismatch, CorruptArchive) as error:
            await self._reject(message, reason=str(error))
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("processing.defect", provider=message.provider, key=message.key)
            await self._reject(message, reason=f"The code that reads {message.provider} failed with {error!r:.500}.")
        return {}

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

    def _decode(self, message: RawCaptured) -> Claims:
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
        beside = [offer.kind for offer in provider.declaration.offers if offer.with_bars]
        kinds = (message.kind, *beside) if message.kind == "bars" else (message.kind,)
        return {
            CLAIM_TABLES[kind]: claim(
                provider.decode[kind](body, ask), message, kind=kind, feed=provider.declaration.feed
            )
            for kind in kinds
            if kind in provider.decode
        }

    async def on_round_closed(self, message: RoundClosed) -> None:
        """Keep the claims of the round in one commit, then tell all current ones of its range in raw basis.

        Actions come first, then bars.

        Raises:
            StoreUnavailable: A payload cannot be read now, or the claims cannot be kept or read.
            WrongFolder: The round is simulated and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        older = await self._kept_before(message)
        parts = await self._decoded_parts(message)
        await self._commit(parts)
        self._decoded.pop(message.round_id, None)
        actions, bars = await asyncio.to_thread(_comparable, message, older, parts)
        await self._tell(message, "actions", actions, last=False)
        await self._tell(message, "bars", bars, last=True)

    async def _kept_before(self, message: RoundClosed) -> Claims:
        """Return the claims that were known when the round closed, of this round only if the message comes again."""
        one = {"instrument_id": (message.instrument_id,)}
        bars = Selection(
            equal={**one, "timeframe": (message.timeframe,)},
            start=message.start,
            end=message.end,
            as_of=message.ts_known,
        )
        return {
            "action_claims": await self._store.read("action_claims", Selection(equal=one, as_of=message.ts_known)),
            "bar_claims": await self._store.read("bar_claims", bars),
        }

    async def _decoded_parts(self, message: RoundClosed) -> list[Claims]:
        """Return the claims of every payload of the round, decoding those that were not decoded ahead."""
        ahead = self._decoded.get(message.round_id, {})
        return [ahead[_page(one)] if _page(one) in ahead else await self._claims(one) for one in message.captures]

    async def _commit(self, parts: list[Claims]) -> None:
        filled = [(table, frame) for part in parts for table, frame in part.items() if not frame.is_empty()]
        tables = sorted({table for table, _ in filled})
        if tables:
            await self._store.commit(
                {name: pl.concat([one for table, one in filled if table == name]) for name in tables}
            )

    async def _tell(self, message: RoundClosed, kind: str, frame: bytes, *, last: bool) -> None:
        batch = BatchNormalized(
            kind=kind,
            round_id=message.round_id,
            instrument_id=message.instrument_id,
            timeframe=message.timeframe,
            start=message.start,
            end=message.end,
            ts_known=message.ts_known,
            providers=tuple(dict.fromkeys(message.providers)),
            frame=frame,
            last=last,
            simulated=message.simulated,
        )
        await self._bus.publish(batch)


def _page(message: RawCaptured) -> Page:
    return message.provider, message.key, message.page


def _comparable(message: RoundClosed, older: Claims, parts: list[Claims]) -> tuple[bytes, bytes]:
    """Return the newest claims of the round's range in raw basis, packed: those about actions, and those about bars."""
    claims = {
        table: pl.concat([frame, *(part[table] for part in parts if table in part)]) for table, frame in older.items()
    }
    actions = latest_claims(claims["action_claims"], key=("ex_date", "type"), captured=message.captured)
    bars = latest_claims(claims["bar_claims"], key=("ts_event",), captured=message.captured)
    splits = known_splits(actions)
    in_range = raw_actions(actions, splits).filter(pl.col("ex_date").is_between(message.start, message.end))
    return pack(in_range), pack(raw_bars(bars, splits))
