"""The quality room: claims in; golden rows, quarantined claims and findings out."""

from __future__ import annotations

import asyncio

import polars as pl

from truetape.domain.messages import BatchGraded, BatchNormalized
from truetape.domain.schema import TABLES, empty
from truetape.domain.wire import pack, unpack
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.grade import Grades, grade_actions, grade_bars
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance


class QualityService:
    """Grade each batch against its own claims and the calendar. Writes nothing: storage does, in one piece."""

    def __init__(self, *, bus: Bus, store: Store, config: QualityConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchNormalized, group="quality", handler=self.on_batch_normalized)

    async def on_batch_normalized(self, message: BatchNormalized) -> None:
        """Grade one batch and tell the grades."""
        sessions = await self._sessions(message) if message.kind == "bars" else pl.DataFrame()
        grades = await asyncio.to_thread(self._grade, message, sessions)
        graded = BatchGraded(
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
        )
        await self._bus.publish(graded)

    def _grade(self, message: BatchNormalized, sessions: pl.DataFrame) -> Grades:
        config = self._config
        grading = Grading(
            round_id=message.round_id,
            ts_known=message.ts_known,
            tolerance=Tolerance(absolute=config.increment * 1.001, relative=config.relative),
            trust=config.trust,
            stale_sessions=config.stale_sessions,
            simulated=message.simulated,
        )
        claims = unpack(message.frame)
        return grade_actions(claims, grading) if message.kind == "actions" else grade_bars(claims, sessions, grading)

    async def _sessions(self, message: BatchNormalized) -> pl.DataFrame:
        """Return the calendar of the instrument's venue over the batch's range; no rows where none is known.

        The calendar is read as it was known when the round closed, so that a replay sees the same one.
        """
        known = message.ts_known
        wanted = Selection(equal={"instrument_id": (message.instrument_id,)}, as_of=known, columns=("mic",))
        mics = tuple((await self._store.read("listings", wanted))["mic"].unique().sort())
        if not mics:
            return empty({"session": TABLES["sessions"].columns["session"]})
        return await self._store.read(
            "sessions",
            Selection(equal={"mic": mics}, start=message.start, end=message.end, as_of=known, columns=("session",)),
        )
