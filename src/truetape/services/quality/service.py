"""The quality room: claims in; golden rows, quarantined claims and findings out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.messages import BatchGraded, BatchNormalized, InstrumentsChanged
from truetape.domain.schema import TABLES, empty
from truetape.domain.wire import pack, unpack
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.decided import (
    OPERATOR,
    OPERATOR_WEIGHT,
    decided_actions,
    decided_bars,
    in_force,
    settled,
)
from truetape.services.quality.grade import Grades, grade_actions, grade_bars
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance

KEPT_CALENDARS: Final = 64
SESSIONS: Final = ("1d", "1w", "1mo")  # timeframes of bars that repeat because a feed stands still; minutes just do
NEVER_STALE: Final = 1 << 30


class QualityService:
    """Grade each batch against its own claims and the calendar. Writes nothing: storage does, in one piece."""

    def __init__(self, *, bus: Bus, store: Store, config: QualityConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._calendars: dict[tuple[tuple[str, ...], date, date], pl.DataFrame] = {}

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchNormalized, group="quality", handler=self.on_batch_normalized)
        self._bus.subscribe(InstrumentsChanged, group="quality", handler=self.on_instruments_changed)

    async def on_batch_normalized(self, message: BatchNormalized) -> None:
        """Grade one batch and tell the grades."""
        sessions = await self._sessions(message) if message.kind == "bars" else pl.DataFrame()
        await self._bus.publish(await asyncio.to_thread(self._graded, message, sessions))

    def _graded(self, message: BatchNormalized, sessions: pl.DataFrame) -> BatchGraded:
        grades = self._grade(message, sessions)
        return BatchGraded(
            kind=message.kind,
            round_id=message.round_id,
            instrument_id=message.instrument_id,
            timeframe=message.timeframe,
            start=message.start,
            end=message.end,
            ts_known=message.ts_known,
            providers=message.providers,
            golden=pack(grades.golden),
            quarantined=pack(grades.quarantined),
            findings=pack(grades.findings),
            last=message.last,
            simulated=message.simulated,
            decision=message.decision,
        )

    def _grade(self, message: BatchNormalized, sessions: pl.DataFrame) -> Grades:
        config = self._config
        grading = Grading(
            round_id=message.round_id,
            ts_known=message.ts_known,
            tolerance=Tolerance(absolute=config.increment * 1.001, relative=config.relative),
            trust={**config.trust, OPERATOR: OPERATOR_WEIGHT},
            stale_sessions=config.stale_sessions if message.timeframe in SESSIONS else NEVER_STALE,
            simulated=message.simulated,
        )
        claims, force = unpack(message.frame), in_force(message.decisions)
        if message.kind == "actions":
            return settled(grade_actions(decided_actions(claims, force), grading), message, force)
        return settled(grade_bars(decided_bars(claims, force), sessions, grading), message, force)

    async def _sessions(self, message: BatchNormalized) -> pl.DataFrame:
        """Return the calendar of the instrument's venue over the batch's range; no rows where none is known.

        The calendar is read as it was known when the round closed, so that a replay sees the same one.
        """
        known = message.ts_known
        wanted = Selection(equal={"instrument_id": (message.instrument_id,)}, as_of=known, columns=("mic",))
        mics = tuple((await self._store.read("listings", wanted))["mic"].unique().sort())
        if not mics:
            return empty({"session": TABLES["sessions"].columns["session"]})
        return await self._calendar(mics, message)

    async def _calendar(self, mics: tuple[str, ...], message: BatchNormalized) -> pl.DataFrame:
        """Return the sessions of `mics` over the batch's range; instruments of one venue share what was read."""
        span = (mics, message.start, message.end)
        wanted = Selection(equal={"mic": mics}, start=message.start, end=message.end, columns=("session", "ts_known"))
        if span not in self._calendars:
            if len(self._calendars) >= KEPT_CALENDARS:
                self._calendars.pop(next(iter(self._calendars)))
            self._calendars[span] = await self._store.read("sessions", wanted)
        newest = self._calendars[span]
        if (newest["ts_known"].cast(pl.Int64) <= message.ts_known).all():
            return newest
        return await self._store.read("sessions", replace(wanted, as_of=message.ts_known))

    async def on_instruments_changed(self, _: InstrumentsChanged) -> None:
        """Forget the calendars: they may have changed too."""
        self._calendars.clear()
