"""The quality room: claims in; golden rows, quarantined claims and findings out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.messages import (
    BatchGraded,
    BatchNormalized,
    FindingsMade,
    InstrumentsChanged,
    InstrumentsDeclared,
    TicksHeard,
    TrustSettled,
)
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import DAY_NS, to_datetime
from truetape.domain.trading_hours import open_pieces
from truetape.domain.wire import pack, unpack
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.quality.checks import Check
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.corrections import superseded
from truetape.services.quality.decided import (
    OPERATOR,
    OPERATOR_WEIGHT,
    decided_actions,
    decided_bars,
    in_force,
    settled,
)
from truetape.services.quality.freshness import (
    LATE_COLUMNS,
    SERIES_COLUMNS,
    SOURCE,
    changes,
    freshness_findings,
    late_series,
    still_open,
    wanted_series,
)
from truetape.services.quality.grade import NOTHING_EARLIER, Grades, grade_actions, grade_bars
from truetape.services.quality.grading import NOTHING_DECLARED, Grading
from truetape.services.quality.objectives import DAILY, Objectives
from truetape.services.quality.proposing import proposed
from truetape.services.quality.rates import grade_rates
from truetape.services.quality.trust import cut_off, fixed_at, fixed_rows, learnt, remembered_from, votes, weights
from truetape.services.quality.vote import Tolerance
from truetape.services.quality.watch import Watch
from truetape.services.quality.withdrawing import without_ground

KEPT_CALENDARS: Final = 64
CALENDAR: Final = ("mic", "session", "open", "close", "ts_known")  # what is read of it
KEPT_ROUNDS: Final = 64  # whose bars may be yet to come
KEPT_TRUST: Final = 64  # record kinds, venues and days
SESSIONS: Final = ("1d", "1w", "1mo")  # timeframes of bars that repeat because a feed stands still; minutes just do
NEVER_STALE: Final = 1 << 30
TICKS: Final = ("trades", "quotes")
IDLE: Final = {name: SERIES_COLUMNS[name] for name in ("instrument_id", "kind", "settled", "settled_at")}
NEAR: Final = timedelta(days=7)  # around a day, of which the watch over streams knows the calendar
RECENT: Final = timedelta(days=10)  # in which the newest bar of a series is looked for


class QualityService:
    """Grade each batch against its own claims and the calendar. Writes nothing: storage does, in one piece."""

    def __init__(self, *, bus: Bus, store: Store, config: QualityConfig, user_checks: Sequence[Check] = ()) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._calendars: dict[tuple[tuple[str, ...], date, date], pl.DataFrame] = {}
        self._user_checks = tuple(user_checks)
        self._venues: tuple[tuple[str, int], tuple[str, ...]] = ("", 0), ()  # of the last round: whose, and which
        self._declared: dict[str, pl.DataFrame] = {}  # golden actions by round: its bars come after them
        self._learnt: dict[tuple[str, str, int], pl.DataFrame] = {}  # by record kind, venue and day
        self._fixed: pl.DataFrame | None = None  # rows of trust; None: not read yet
        self.late = empty(LATE_COLUMNS)  # series that are late, as was told last
        self.watched = Watch(simulated=config.simulated)
        self._one_at_a_time = asyncio.Lock()  # whoever asks the watch
        self._began = 0  # when streams were first looked at, UTC nanoseconds

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchNormalized, group="quality", handler=self.on_batch_normalized)
        self._bus.subscribe(InstrumentsChanged, group="quality", handler=self.on_instruments_changed)
        self._bus.subscribe(TicksHeard, group="quality", handler=self.on_ticks_heard)
        self._bus.subscribe(InstrumentsDeclared, group="quality", handler=self.on_instruments_declared)

    async def on_batch_normalized(self, message: BatchNormalized) -> None:
        """Grade one batch by what was known when its round closed, and tell the grades."""
        mics = await self._mics(message)
        venue = mics[0] if mics else ""
        sessions = await self._calendar(mics, message) if message.kind == "bars" else pl.DataFrame()
        trust = await self._trust(message, venue)
        grades = await asyncio.to_thread(self._grade, message, sessions, trust)
        if message.kind == "bars" and len(grades.quarantined):
            earlier = await self._earlier(message)
            if len(earlier):
                grades = await asyncio.to_thread(self._grade, message, sessions, trust, earlier)
        if message.kind == "actions":
            if len(self._declared) >= KEPT_ROUNDS:
                self._declared.pop(next(iter(self._declared)))
            self._declared[message.round_id] = grades.golden
        await self._bus.publish(await asyncio.to_thread(self._graded, message, grades, venue))

    def _graded(self, message: BatchNormalized, grades: Grades, venue: str) -> BatchGraded:
        withdrawn = without_ground(message, grades.golden) if message.decision or message.lapsed else pl.DataFrame()
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
            votes=pack(votes(grades.golden, grades.quarantined, batch=message, venue=venue)),
            repairs=proposed(message, grades),
            decision=message.decision,
            withdrawn=pack(withdrawn) if len(withdrawn) else b"",
        )

    def _grade(
        self,
        message: BatchNormalized,
        sessions: pl.DataFrame,
        trust: dict[str, float],
        earlier: pl.DataFrame = NOTHING_EARLIER,
    ) -> Grades:
        config = self._config
        grading = Grading(
            round_id=message.round_id,
            ts_known=message.ts_known,
            tolerance=Tolerance(absolute=config.increment, relative=config.relative),
            trust={**trust, OPERATOR: OPERATOR_WEIGHT},
            sources=config.sources,
            increments=config.increments,
            quorum=config.quorum,
            quorum_weight=config.quorum_weight,
            withholds=config.below_quorum == "withhold",
            stale_sessions=config.stale_sessions if message.timeframe in SESSIONS else NEVER_STALE,
            simulated=message.simulated,
            checks=config.checks,
            user_checks=self._user_checks,
            declared=self._declared.get(message.round_id, NOTHING_DECLARED),
        )
        claims, force = unpack(message.frame), in_force(message.decisions)
        if message.kind == "fx_rates":
            return grade_rates(claims, grading)
        if message.kind == "actions":
            return settled(grade_actions(decided_actions(claims, force), grading), message, force)
        grades = grade_bars(decided_bars(claims, force), sessions, grading, earlier=earlier)
        return settled(grades, message, force)

    async def _mics(self, message: BatchNormalized) -> tuple[str, ...]:
        """Return the instrument's venues, ascending; the batches of one round share what was read."""
        place = (message.instrument_id, message.ts_known)
        if self._venues[0] != place:
            one = {"instrument_id": (message.instrument_id,)}
            listed = await self._store.read("listings", Selection(equal=one, as_of=message.ts_known, columns=("mic",)))
            self._venues = place, tuple(listed["mic"].unique().sort())
        return self._venues[1]

    async def _trust(self, message: BatchNormalized, venue: str) -> dict[str, float]:
        """Return the weight of each provider's vote, as it was settled for the day on which the round closed."""
        place = (message.kind, venue, message.ts_known // DAY_NS)
        if place not in self._learnt:
            if len(self._learnt) >= KEPT_TRUST:
                self._learnt.pop(next(iter(self._learnt)))
            self._learnt[place] = await self._learn(message, venue)
        fixed = fixed_at(await self._fixed_rows(), message.ts_known)
        return weights(self._config.trust, self._learnt[place], fixed)

    async def _learn(self, message: BatchNormalized, venue: str) -> pl.DataFrame:
        """Return what the votes of earlier days teach, and tell it."""
        known, simulated = message.ts_known, message.simulated
        wanted = Selection(
            equal={"kind": (message.kind,), "venue": (venue,)}, start=remembered_from(known), as_of=cut_off(known)
        )
        rows = learnt(await self._store.read("votes", wanted), ts_known=known, simulated=simulated)
        if len(rows):
            await self._bus.publish(TrustSettled(ts_known=known, rows=pack(rows), simulated=simulated))
        return rows

    async def _fixed_rows(self) -> pl.DataFrame:
        if self._fixed is None:
            self._fixed = await self._store.read("trust", Selection(equal={"kind": ("",)}, history=True))
        return self._fixed

    async def on_instruments_declared(self, message: InstrumentsDeclared) -> None:
        """Weigh claims by what the operator has fixed, from here on, and tell what has changed."""
        known = await self._fixed_rows()
        current = fixed_at(known, message.ts_known)
        rows = fixed_rows(message.trust, current, ts_known=message.ts_known, simulated=message.simulated)
        if len(rows):
            self._fixed = pl.concat([known, rows])
            told = TrustSettled(ts_known=message.ts_known, rows=pack(rows), simulated=message.simulated)
            await self._bus.publish(told)

    async def _earlier(self, message: BatchNormalized) -> pl.DataFrame:
        """Return what providers said of the batch's bars before they said what they say now."""
        wanted = Selection(
            equal={"instrument_id": (message.instrument_id,), "timeframe": (message.timeframe,)},
            start=message.start,
            end=message.end,
            as_of=message.ts_known,
        )
        return superseded(await self._store.read("bar_claims", wanted), unpack(message.frame))

    async def _calendar(self, mics: tuple[str, ...], message: BatchNormalized) -> pl.DataFrame:
        """Return the sessions of `mics` over the batch's range; instruments of one venue share what was read.

        The calendar is read as it was known when the round closed, so that a replay sees the same one.
        """
        if not mics:
            return empty({"session": TABLES["sessions"].columns["session"]})
        span = (mics, message.start, message.end)
        wanted = Selection(equal={"mic": mics}, start=message.start, end=message.end, columns=CALENDAR)
        if span not in self._calendars:
            if len(self._calendars) >= KEPT_CALENDARS:
                self._calendars.pop(next(iter(self._calendars)))
            self._calendars[span] = await self._store.read("sessions", wanted)
        newest = self._calendars[span]
        if (newest["ts_known"].cast(pl.Int64) <= message.ts_known).all():
            return newest
        return await self._store.read("sessions", replace(wanted, as_of=message.ts_known))

    async def on_instruments_changed(self, _: InstrumentsChanged) -> None:
        """Forget the calendars and venues: they may have changed too."""
        self._calendars.clear()
        self._venues = ("", 0), ()
        self.watched.day = None

    async def on_ticks_heard(self, message: TicksHeard) -> None:
        """Judge what a stream says, and tell what is wrong with it.

        Raises:
            StoreUnavailable: The calendar cannot be read now; nothing was judged.
        """
        async with self._one_at_a_time:
            day = to_datetime(message.ts_known).date()
            if self.watched.day != day:
                around = await _schedule(self._store, Selection(start=day - NEAR, end=day + NEAR))
                listings = await self._store.read("listings", Selection(columns=("instrument_id", "mic")))
                self.watched.set_calendars(open_pieces(around), listings, day=day)
            findings = await asyncio.to_thread(self.watched.hear, message)
        await self._tell(findings, source=message.provider, ts_known=message.ts_known)

    async def _tell(self, findings: pl.DataFrame, *, source: str, ts_known: int) -> None:
        if not findings.is_empty():
            simulated = self._config.simulated
            told = FindingsMade(source=source, ts_known=ts_known, findings=pack(findings), simulated=simulated)
            await self._bus.publish(told)

    async def recall(self) -> None:
        """Go on with what was late when the last process ended: it is not told again.

        Raises:
            StoreUnavailable: It cannot be read now.
        """
        self.late = still_open(await self._store.read("findings", Selection(equal={"round_id": (SOURCE,)})))

    async def watch(self, clock: Clock) -> None:
        """Look for ever which series are late, once in `watch_s` seconds, and tell what has changed.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        while True:
            await self.look(now_ns=clock.now_ns())
            await clock.sleep(self._config.watch_s)

    async def look(self, *, now_ns: int) -> None:
        """Tell which feeds have fallen silent by `now_ns`, which series have become late, and which no longer are."""
        async with self._one_at_a_time:
            silences, heard = list(self.watched.silent(now_ns)), self.watched.last_heard()
        for found in silences:
            await self._tell(found, source=SOURCE, ts_known=now_ns)
        objectives = self._config.freshness
        if not objectives and self.late.is_empty():
            return
        self._began = self._began or now_ns
        late, names = await late_now(self._store, objectives, now_ns=now_ns, heard=heard, began_ns=self._began)
        fresh, over = changes(self.late, late)
        findings = freshness_findings(fresh, over, names=names, now_ns=now_ns, simulated=self._config.simulated)
        await self._tell(findings, source=SOURCE, ts_known=now_ns)
        self.late = late


async def late_now(
    store: Store, objectives: Objectives, *, now_ns: int, heard: pl.DataFrame | None = None, began_ns: int = 0
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return which series are late (freshness.LATE_COLUMNS), and the symbols of instruments.

    Args:
        store: What is there.
        objectives: What is due.
        now_ns: The present.
        heard: The newest of trades and quotes: instrument_id, kind, last. None: the store is asked.
        began_ns: What was not heard before then is not held against a stream.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    today = to_datetime(now_ns).date()
    columns = ("instrument_id", "symbol", "mic", "valid_from", "valid_to")
    listings = await store.read("listings", Selection(columns=columns))
    series = wanted_series(listings, objectives, today=today)
    names = dict(listings.sort("valid_from", nulls_last=False).select("instrument_id", "symbol").iter_rows())
    if series.is_empty():
        return empty(LATE_COLUMNS), names
    calendar = Selection(equal={"mic": series["mic"].unique().to_list()}, start=today - RECENT, end=today)
    sessions = await _schedule(store, calendar)
    known = await _newest(store, series["kind"].unique().to_list(), today, heard)
    began = pl.lit(began_ns or None, dtype=pl.Int64).cast(SERIES_COLUMNS["last"])
    not_heard = pl.col("last").is_null() & pl.col("kind").is_in(TICKS)
    seen = series.join(known, on=["instrument_id", "kind"], how="left").with_columns(
        pl.when(not_heard).then(began).otherwise("last").alias("last"),
        *(pl.lit(None, dtype=SERIES_COLUMNS[name]).alias(name) for name in ("settled", "settled_at")),
    )
    late = late_series(seen, sessions, now_ns=now_ns)
    idle = await _idle(store, late)
    if idle.is_empty():
        return late, names
    settled = seen.drop("settled", "settled_at").join(idle, on=["instrument_id", "kind"], how="left")
    return late_series(settled.select(list(SERIES_COLUMNS)), sessions, now_ns=now_ns), names


async def _schedule(store: Store, wanted: Selection) -> pl.DataFrame:
    """Return the sessions that are `wanted` with their lunch breaks, which are null where there is none."""
    sessions, breaks = [await store.read(table, wanted) for table in ("sessions", "session_breaks")]
    pauses = breaks.select("mic", "session", "break_start", "break_end")
    return sessions.join(pauses, on=["mic", "session"], how="left")


async def _newest(store: Store, kinds: list[str], today: date, heard: pl.DataFrame | None) -> pl.DataFrame:
    """Return the newest of each series lately: instrument_id, kind, last. What `heard` tells is not read."""
    parts = [] if heard is None else [heard.select("instrument_id", "kind", "last")]
    for kind in kinds:
        is_tick = kind in TICKS
        if is_tick and heard is not None:
            continue
        wanted = Selection(
            equal={} if is_tick else {"timeframe": (kind,)},
            start=today - (RECENT if kind in DAILY else timedelta(days=1)),
            columns=("instrument_id", "ts_event"),
        )
        rows = await store.read(kind if is_tick else "bars", wanted)
        newest = rows.group_by("instrument_id").agg(pl.col("ts_event").max().alias("last"))
        parts.append(newest.select("instrument_id", pl.lit(kind).alias("kind"), "last"))
    return pl.concat(parts)


async def _idle(store: Store, late: pl.DataFrame) -> pl.DataFrame:
    """Return until when nobody has anything of late series: instrument_id, kind, settled, settled_at."""
    days = late.filter(pl.col("kind").is_in(DAILY))
    columns = ("instrument_id", "timeframe", "end", "golden", "ts_known")
    if days.is_empty():
        return pl.DataFrame(schema=IDLE)
    equal = {"instrument_id": days["instrument_id"].unique().to_list(), "kind": ("bars",), "timeframe": DAILY}
    rounds = await store.read("rounds", Selection(equal=equal, columns=columns))
    empties = rounds.filter(pl.col("golden") == 0).sort("end", "ts_known")
    newest = empties.unique(["instrument_id", "timeframe"], keep="last", maintain_order=True)
    return newest.select(
        "instrument_id",
        pl.col("timeframe").alias("kind"),
        pl.col("end").alias("settled"),
        pl.col("ts_known").alias("settled_at"),
    )
