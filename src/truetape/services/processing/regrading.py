"""What was decided about claims: every batch brings the decisions about its series, and a new one asks for a batch."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import msgspec
import polars as pl

from truetape.domain.messages import BatchNormalized, DecisionMade
from truetape.domain.simulation import refuse_mixing
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.domain.wire import pack
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.lapsing import still_told
from truetape.services.processing.normalize import known_splits, latest_claims, raw_actions, raw_bars

CONTEXT_DAYS: Final = 400  # calendar days before and after, that daily bars are judged by
SESSIONS: Final = ("1d", *DERIVED_TIMEFRAMES)
Series = tuple[str, str, str]  # instrument id, record kind, timeframe


class Regrading:
    """Remember decisions, and tell the claims that they are about again. Writes no table.

    Decisions count in the order in which they are told. Storage keeps each with the rows that it changed, in one
    transaction: until then it is remembered here.
    """

    def __init__(self, *, bus: Bus, store: Store, config: ProcessingConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._told: dict[str, dict[str, DecisionMade]] = {}  # by instrument and decision: those that are under way
        self._decided: set[str] | None = None  # instruments with decisions

    async def on_decision_made(self, message: DecisionMade) -> None:
        """Tell the claims that the decision is about, to be graded again.

        Raises:
            StoreUnavailable: The claims cannot be read now.
            WrongFolder: The decision is about simulated data and the folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        (await self._instruments()).add(message.instrument_id)
        self._told.setdefault(message.instrument_id, {})[message.decision_id] = message
        decisions = await self.about((message.instrument_id, message.kind, message.timeframe))
        actions = await self._heard("action_claims", message)
        bars = await self._heard("bar_claims", message) if message.kind == "bars" else None
        frame, beside = await asyncio.to_thread(_comparable, actions, bars)
        batch = BatchNormalized(
            kind=message.kind,
            round_id=message.decision_id,
            instrument_id=message.instrument_id,
            timeframe=message.timeframe,
            start=message.start,
            end=message.end,
            ts_known=message.ts_known,
            providers=(),
            frame=frame,
            simulated=message.simulated,
            actions=beside if message.timeframe == "1d" else b"",
            decision=message,
        )
        await self._bus.publish(decided(batch, decisions))

    async def about(self, series: Series) -> tuple[DecisionMade, ...]:
        """Return every decision about `series` so far, the oldest first.

        Raises:
            StoreUnavailable: They cannot be read now.
        """
        instrument, kind, timeframe = series
        if instrument not in await self._instruments():
            return ()
        wanted = Selection(equal={"instrument_id": (instrument,)}, columns=("fact",))
        rows = await self._store.read("decisions", wanted)
        kept = [msgspec.json.decode(fact, type=DecisionMade) for fact in rows["fact"]]
        under_way = self._told.get(instrument, {})
        for one in kept:
            under_way.pop(one.decision_id, None)
        every = [one for one in (*kept, *under_way.values()) if one.kind == kind]
        found = [one for one in every if kind == "actions" or one.timeframe == timeframe]
        return tuple(sorted(found, key=lambda one: (one.ts_known, one.decision_id)))

    async def _instruments(self) -> set[str]:
        if self._decided is None:
            rows = await self._store.read("decisions", Selection(columns=("instrument_id",)))
            self._decided = set(rows["instrument_id"])
        return self._decided

    async def _heard(self, table: str, message: DecisionMade) -> pl.DataFrame:
        """Return what providers said last about the range and its surroundings, as it was known."""
        one = {"instrument_id": (message.instrument_id,)}
        wanted = Selection(equal=one, as_of=message.ts_known)
        key: tuple[str, ...] = ("ex_date", "type")
        if table == "bar_claims":
            around = timedelta(days=CONTEXT_DAYS if message.timeframe in SESSIONS else 0)
            wanted = Selection(
                equal={**one, "timeframe": (message.timeframe,)},
                start=message.start - around,
                end=message.end + around,
                as_of=message.ts_known,
            )
            key = ("ts_event",)
        claims = await self._store.read(table, wanted)
        captures = await self._store.read("captures", Selection(equal=one, as_of=message.ts_known))
        return as_heard_last(claims, captures, key=key)


def decided(batch: BatchNormalized, decisions: tuple[DecisionMade, ...]) -> BatchNormalized:
    """Return `batch` with the decisions about its series: nothing of it is known before the newest of them."""
    if not decisions:
        return batch
    known = max(batch.ts_known, decisions[-1].ts_known)
    return msgspec.structs.replace(batch, decisions=decisions, ts_known=known)


def as_heard_last(claims: pl.DataFrame, captures: pl.DataFrame, *, key: tuple[str, ...]) -> pl.DataFrame:
    """Return each provider's newest claim for each `key`, ordered by (`key`, provider).

    A provider that returned to what it had said earlier sent the same bytes again: they are as new as their last
    capture.

    Args:
        claims: Rows of a claims table.
        captures: The rows of the table captures about the same instrument.
        key: What a claim is about.
    """
    last = captures.group_by("payload", "provider").agg(pl.col("ts_known").max().alias("heard"))
    dated = claims.join(last, on=["payload", "provider"], how="left", maintain_order="left")
    renewed = dated.with_columns(
        pl.col("ts_known").alias("first"), pl.max_horizontal("ts_known", "heard").alias("ts_known")
    )
    newest = latest_claims(renewed, key=key)
    return newest.with_columns(pl.col("first").alias("ts_known")).select(claims.columns)


def _comparable(actions: pl.DataFrame, bars: pl.DataFrame | None) -> tuple[bytes, bytes]:
    """Return what is graded, and the actions beside bars."""
    actions = still_told(actions)
    splits = known_splits(actions)
    raw = pack(raw_actions(actions, splits))
    return (raw, b"") if bars is None else (pack(raw_bars(bars, splits, actions=actions)), raw)
