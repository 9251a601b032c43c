"""The ingestion room: plans what is missing, and runs it round by round."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping
from datetime import date, timedelta

import polars as pl
import structlog

from truetape.domain.errors import StoreUnavailable
from truetape.domain.merging import redirected, together
from truetape.domain.messages import (
    BackfillRequested,
    InstrumentsChanged,
    RawCaptured,
    RoundClosed,
    StreamCaptured,
)
from truetape.domain.plans import Budget
from truetape.domain.registers import LISTS
from truetape.domain.time import DAY_NS, NANOSECONDS, to_datetime
from truetape.ports.archive import Archive
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.ledger import Ledger
from truetape.ports.provider import Provider
from truetape.ports.store import Selection, Store
from truetape.services.ingestion.acquisition import Acquisition, Ending
from truetape.services.ingestion.chunks import basis_of
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.connection import Ways
from truetape.services.ingestion.enquiry import Enquiry
from truetape.services.ingestion.healing import healing_of
from truetape.services.ingestion.intervals import IntervalLedger, Series
from truetape.services.ingestion.jobs import Job
from truetape.services.ingestion.listings import Market, market_of
from truetape.services.ingestion.live import Live
from truetape.services.ingestion.pairs import RATES, listed_pairs, plan_rates, weekdays
from truetape.services.ingestion.registers import Registers
from truetape.services.ingestion.rounds import Listed, Round, Wanted, debts_due, plan, recall, retold, widest
from truetape.services.ingestion.tally import Tally

log = structlog.get_logger()
JOB_ROWS_EVERY_S = 2.0  # between two rows about one job's progress
HEALING_EVERY_S = 15.0  # between two looks for gaps of streams that can be healed
SEGMENTS_DAYS = 7  # segments of streams that are older have reached the store


class IngestionService:
    """Acquire bars and actions of every known instrument, and the history that backfills ask for."""

    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        *,
        bus: Bus,
        store: Store,
        archive: Archive,
        clock: Clock,
        providers: Mapping[str, Provider],
        config: IngestionConfig,
        ledger: Ledger | None = None,
        budgets: Mapping[str, Budget] = {},
        ways: Ways | None = None,
    ) -> None:
        self._bus = bus
        self._store = store
        self._archive = archive
        self._clock = clock
        self._providers = providers
        self._config = config
        self.tally = Tally()
        parts = {"bus": bus, "archive": archive, "clock": clock, "config": config, "budgets": budgets}
        asking = {**parts, "tally": self.tally}
        self.enquiry = Enquiry(ledger=ledger, **asking)  # type: ignore[arg-type]
        self._acquisition = Acquisition(providers=providers, enquiry=self.enquiry, **asking)  # type: ignore[arg-type]
        self.registers = Registers(config.registers, providers=providers, enquiry=self.enquiry, bus=bus, clock=clock)
        self.live = Live(ways=ways, providers=providers, durably=self.enquiry.durably, **parts)  # type: ignore[arg-type]
        self.healing = healing_of(config)
        self.intervals = IntervalLedger()
        self.jobs: dict[str, Job] = {}
        self._unstarted: list[BackfillRequested] = []
        self._versions: dict[str, int] = {}  # of the stored rows of jobs that an earlier process began
        self._market = Market()
        self._pairs: dict[str, str] = {}  # currencies whose rates are asked for, by themselves
        self._urgent: deque[Round] = deque()  # the newest sessions go before
        self._patient: deque[Round] = deque()  # backfills and debts
        self._running: dict[str, Round] = {}
        self._watched: dict[str, list[Job]] = {}  # who waits for a round, by round
        self._written: dict[str, int] = {}  # when a job's row was last written, by job
        self._wake = asyncio.Event()
        self._known = asyncio.Event()  # what there is to hear

    @property
    def turn(self) -> asyncio.Lock:
        """Held by whoever journals something and tells it, so that both have one order."""
        return self._acquisition.turn

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(InstrumentsChanged, group="ingestion", handler=self.on_instruments_changed)
        self._bus.subscribe(BackfillRequested, group="ingestion", handler=self.on_backfill_requested)

    async def resume(self) -> None:
        """Read the journal, and tell again what may not have reached the store."""
        stored = await self._store.read("rounds", Selection(columns=("round_id",)))
        marked = frozenset(stored["round_id"])
        jobs = await self._store.read("jobs")
        finished = frozenset(jobs.filter(pl.col("state") == "done")["job_id"])
        self._versions = dict(jobs.select("job_id", "version").iter_rows())
        read = await self._segments_read()
        history = await asyncio.to_thread(lambda: recall(self._set_aside(finished), stored=marked, read=read))
        self.intervals = history.ledger
        self.live.heard_until = history.heard_until
        for message in retold(history):
            await self._bus.publish(message)
        lists = await self._store.read("captures", Selection(equal={"kind": LISTS}, columns=("payload",)))
        await self.registers.retell(frozenset(lists["payload"]))

    async def _segments_read(self) -> frozenset[tuple[str, int]]:
        """Return the newer segments of streams that reached the store."""
        since = to_datetime(self._clock.now_ns()).date() - timedelta(days=SEGMENTS_DAYS)
        rows = await self._store.read("segments", Selection(start=since, columns=("connection", "number")))
        return frozenset(rows.iter_rows())

    def _set_aside(self, finished: frozenset[str]) -> Iterable[object]:
        """Yield the journal's entries, of streams the newer ones.

        Unfinished backfills are kept, to be planned when the instruments are known, and so are gaps.
        """
        since = self._clock.now_ns() - SEGMENTS_DAYS * DAY_NS
        for entry in self._archive.journal():
            if isinstance(entry, StreamCaptured):
                self.healing.note(entry)
                if entry.ts_known < since:
                    continue
            if isinstance(entry, RoundClosed):
                self.healing.close(entry)
            if isinstance(entry, RawCaptured):
                self.registers.note(entry)
            if isinstance(entry, BackfillRequested) and entry.job_id not in finished:
                self._unstarted.append(entry)
            yield entry

    async def listen(self) -> None:
        """Hear the streams that are wanted, and heal their gaps, until cancelled."""
        if not self._config.streams.channels:
            return
        await self._known.wait()
        async with asyncio.TaskGroup() as tasks:
            symbols, assets = dict(self._market.symbols), dict(self._market.assets)
            tasks.create_task(self.live.work(symbols, assets=assets, on_captured=self.healing.note))
            tasks.create_task(self._heal())

    async def _heal(self) -> None:
        """Ask, now and then, for what streams did not hear."""
        while True:
            await self._clock.sleep(HEALING_EVERY_S)
            due = list(self.healing.due(self._market.symbols, now_ns=self._clock.now_ns()))
            if due:
                self._patient.extend(self._fresh(due))
                self._wake.set()

    async def on_instruments_changed(self, message: InstrumentsChanged) -> None:
        """Plan what is missing of these instruments."""
        ids = await self._learn(message.instrument_ids)
        listings = [self._market.listed[one] for one in ids if one in self._market.listed]
        self.extend(listings, end=message.end or self._config.end)
        self._known.set()
        waiting, self._unstarted = self._unstarted, []
        for request in waiting:
            await self.on_backfill_requested(request)

    async def _learn(self, instrument_ids: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Learn the listings of these instruments, or of all, and return the ids that stand for theirs."""
        merges = await self._store.read("merges")
        ids, records = together(instrument_ids, merges)
        wanted = Selection(equal={"instrument_id": records} if records else {})
        listings = redirected(await self._store.read("listings", wanted), merges)
        sessions = await self._store.read("sessions", Selection(columns=("mic", "session")))
        instruments = await self._store.read("instruments", wanted)
        self._market.update(market_of(listings, sessions, instruments))
        return ids

    def extend(self, listings: Iterable[Listed], *, end: date) -> None:
        """Plan rounds for each listing up to session date `end`, inclusive, and wake the work."""
        config = self._config
        rounds = list(
            plan(
                listings,
                self.intervals,
                Wanted("bars", config.timeframe, config.start, end),
                overlap_days=config.overlap_days,
                sessions=self._market.sessions,
            )
        )
        for one in rounds:
            self._market.symbols.setdefault(one.instrument_id, one.symbol)
        self._pairs |= dict(zip(config.pairs, config.pairs, strict=True))
        days = {"start": config.start, "end": end}
        rounds += plan_rates(config.pairs, self.intervals, **days, overlap_days=config.overlap_days)
        self._urgent = deque(widest([*self._urgent, *self._fresh(rounds)]))
        self._remember_debts()
        if self._urgent or self._patient:
            self._wake.set()

    def _fresh(self, rounds: Iterable[Round]) -> list[Round]:
        """Return those of `rounds` that are not planned or running already, counted."""
        known = {one.round_id for queue in (self._urgent, self._patient) for one in queue} | set(self._running)
        fresh = [one for one in rounds if one.round_id not in known]
        self.tally.rounds_planned += len(fresh)
        return fresh

    def _remember_debts(self) -> None:
        due = debts_due(
            self._market.symbols | self._pairs,
            self.intervals,
            providers=self._providers,
            now_ns=self._clock.now_ns(),
            after_s=self._config.debt_after_s,
        )
        self._patient.extend(self._fresh(due))

    async def on_backfill_requested(self, message: BackfillRequested) -> None:
        """Plan the history that is not there yet, behind what is more urgent.

        Raises:
            StoreUnavailable: The listings cannot be read, or the job's row cannot be written now.
        """
        if message.job_id in self.jobs:
            return
        await self._learn()
        if not self._market.listed:
            self._unstarted.append(message)  # nothing is declared yet
            return
        is_rates = message.kind == RATES
        chosen = listed_pairs(message.symbols) if is_rates else self._market.find(message.symbols)
        self._pairs |= {one: one for one, listed in chosen.items() if listed and is_rates}
        rounds = plan(
            [listed for listed in chosen.values() if listed],
            self.intervals,
            Wanted(message.kind, message.timeframe, message.start, message.end),
            overlap_days=0,
            sessions=weekdays(message.start, message.end) if is_rates else self._market.sessions,
            job_id=message.job_id,
        )
        wanted = list(rounds)
        fresh = self._fresh(wanted)
        unknown = tuple(symbol for symbol, listed in chosen.items() if not listed)
        version = self._versions.get(message.job_id, 0)
        job = Job(message, unknown=unknown, planned=len(wanted), version=version)
        self.jobs[message.job_id] = job
        for round_ in wanted:  # also those that somebody else has planned
            self._watched.setdefault(round_.round_id, []).append(job)
        await self._write(job)
        self._patient.extend(fresh)
        self._wake.set()

    async def work(self, *, until_idle: bool = False) -> None:
        """Run planned rounds for ever, or until none is left that somebody answered.

        A round that nobody answered stays planned and is opened again after `retry_round_s`.
        """
        while True:
            self._wake.clear()
            unanswered = await self._run()
            self._urgent = deque(widest([*(one for one in unanswered if not one.job_id), *self._urgent]))
            self._patient.extend(one for one in unanswered if one.job_id)
            if until_idle and not self._wake.is_set():
                return
            await self._rest()

    async def _rest(self) -> None:
        """Wait for new plans; while rounds are unanswered, only until they are worth another try."""
        waits: list[Coroutine[None, None, object]] = [self._wake.wait()]
        if self._urgent or self._patient:
            waits.append(self._clock.sleep(self._config.retry_round_s))
        tasks = [asyncio.create_task(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _run(self) -> list[Round]:
        """Run every planned round, the urgent ones first, and return those that nobody answered."""
        unanswered: list[Round] = []
        tasks: set[asyncio.Task[object]] = set()
        try:
            while self._urgent or self._patient or tasks:
                while (self._urgent or self._patient) and len(tasks) < self._config.concurrent_rounds:
                    round_ = (self._urgent or self._patient).popleft()
                    self._running[round_.round_id] = round_
                    tasks.add(asyncio.create_task(self._acquire(round_, unanswered)))
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return unanswered

    async def _acquire(self, round_: Round, unanswered: list[Round]) -> None:
        series = (round_.instrument_id, round_.kind, round_.timeframe)
        ending, closing = await self._acquisition.run(
            round_,
            asset_class="fx" if round_.kind == RATES else self._market.assets.get(round_.instrument_id, ""),
            settled_basis=self._settled_basis(series),
        )
        self._running.pop(round_.round_id, None)
        if closing is not None:
            self.intervals.close(closing)
            self.healing.close(closing)
        if ending == "unanswered" and not round_.only and not round_.partial:  # what heals is planned anew
            unanswered.append(round_)
        for name in round_.only if closing is None else ():
            self.intervals.put_off(series, name, self._clock.now_ns())
        await self._note(round_, ending)

    def _settled_basis(self, series: Series) -> str:
        """Return what the prices of a series are adjusted for so far; "" while there are none."""
        source = self._providers.get(self.intervals.sources.get(series, ""))
        return basis_of(source.declaration, kind=series[1], timeframe=series[2]) if source else ""

    async def _note(self, round_: Round, ending: Ending) -> None:
        """Note the ending of a round in the jobs that wait for it; rows are written now and then, and at the end."""
        jobs = self._watched.get(round_.round_id, [])
        if ending != "unanswered":
            self._watched.pop(round_.round_id, None)
        for job in jobs:
            job.note(round_.round_id, ending)
            since = self._clock.now_ns() - self._written.get(job.request.job_id, 0)
            if job.state == "running" and since <= JOB_ROWS_EVERY_S * NANOSECONDS:
                continue
            try:
                await self._write(job)
            except StoreUnavailable as error:
                log.warning("ingestion.job_row_unwritten", job=job.request.job_id, reason=str(error))

    async def _write(self, job: Job) -> None:
        now = self._clock.now_ns()
        self._written[job.request.job_id] = now
        row: pl.DataFrame = job.row(now_ns=now)
        await self._store.commit({"jobs": row})
