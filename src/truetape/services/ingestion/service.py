"""The ingestion room: opens rounds, asks every provider, archives first, then tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import date
from typing import TypeVar

import structlog

from truetape.domain.asks import SIMULATED_HEADER, Answer, Ask
from truetape.domain.errors import StoreUnavailable
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.messages import GaveUp, InstrumentsChanged, RawCaptured, RoundClosed
from truetape.ports.archive import Archive, Attempted
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.http import Unreachable
from truetape.ports.provider import Provider
from truetape.ports.store import Selection, Store
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.patience import wait_s
from truetape.services.ingestion.rounds import History, Round, plan, recall, retold, widest
from truetape.services.ingestion.tally import Tally

log = structlog.get_logger()
T = TypeVar("T")


class IngestionService:
    """Acquire bars and actions of every known instrument from every provider."""

    def __init__(
        self,
        *,
        bus: Bus,
        store: Store,
        archive: Archive,
        clock: Clock,
        providers: Mapping[str, Provider],
        config: IngestionConfig,
    ) -> None:
        self._bus = bus
        self._store = store
        self._archive = archive
        self._clock = clock
        self._providers = providers
        self._config = config
        self._history = History()
        self._pending: list[Round] = []
        self._running: set[str] = set()
        self._wake = asyncio.Event()
        self._turns = {name: asyncio.Lock() for name in providers}
        self._free_at: dict[str, int] = dict.fromkeys(providers, 0)
        self.tally = Tally()

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(InstrumentsChanged, group="ingestion", handler=self.on_instruments_changed)

    async def resume(self) -> None:
        """Read the journal, and tell again what may not have reached the store."""
        self._history = await asyncio.to_thread(lambda: recall(self._archive.journal()))
        stored = await self._store.read("rounds", Selection(columns=("round_id",)))
        for message in retold(self._history, stored=frozenset(stored["round_id"])):
            await self._bus.publish(message)

    async def on_instruments_changed(self, message: InstrumentsChanged) -> None:
        """Plan what is missing of these instruments."""
        listings = await self._store.read("listings", Selection(equal={"instrument_id": message.instrument_ids}))
        current = listings.sort("valid_from", nulls_last=False).unique(
            "instrument_id", keep="last", maintain_order=True
        )
        self.extend(list(current.select("instrument_id", "symbol").iter_rows()), end=message.end or self._config.end)

    def extend(self, listings: list[tuple[str, str]], *, end: date) -> None:
        """Plan rounds for each (instrument id, symbol) up to session date `end`, inclusive, and wake the work."""
        config = self._config
        rounds = plan(
            listings,
            self._history,
            kind="bars",
            timeframe=config.timeframe,
            start=config.start,
            end=end,
            overlap_days=config.overlap_days,
        )
        known = {one.round_id for one in self._pending} | self._running
        fresh = [one for one in rounds if one.round_id not in known]
        if fresh:
            self.tally.rounds_planned += len(fresh)
            self._pending = widest([*self._pending, *fresh])
            self._wake.set()

    async def work(self, *, until_idle: bool = False) -> None:
        """Run planned rounds for ever, or until none is left that somebody answered.

        A round that nobody answered stays planned and is opened again after `retry_round_s`.
        """
        while True:
            self._wake.clear()
            rounds, self._pending = self._pending, []
            self._running = {one.round_id for one in rounds}
            unanswered = await self._run(rounds)
            self._running = set()
            self._pending = widest([*unanswered, *self._pending])
            if until_idle and not self._wake.is_set():
                return
            await self._rest()

    async def _rest(self) -> None:
        """Wait for new plans; while rounds are unanswered, only until they are worth another try."""
        waits: list[Coroutine[None, None, object]] = [self._wake.wait()]
        if self._pending:
            waits.append(self._clock.sleep(self._config.retry_round_s))
        tasks = [asyncio.create_task(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _run(self, rounds: list[Round]) -> list[Round]:
        """Run `rounds`, a few at a time, and return those that nobody answered."""
        seats = asyncio.Semaphore(self._config.concurrent_rounds)

        async def one(round_: Round) -> bool:
            async with seats:
                return await self._acquire(round_)

        answered = await asyncio.gather(*(one(round_) for round_ in rounds))
        return [round_ for round_, done in zip(rounds, answered, strict=True) if not done]

    async def _acquire(self, round_: Round) -> bool:
        """Ask every provider that has not delivered yet, then close the round.

        Returns:
            Whether it is done with: False if nobody delivered and somebody may do so later.
        """
        missing = [name for name in self._providers if name not in round_.captured]
        outcomes = await asyncio.gather(*(self._ask(name, round_) for name in missing))
        gave_up = tuple(outcome for outcome in outcomes if outcome is not None)
        if not round_.captured:
            self.tally.rounds_unanswered += 1
            log.warning("ingestion.unanswered", symbol=round_.symbol, reasons=[one.words for one in gave_up])
            return all(one.failure_class == FailureClass.PERMANENT for one in gave_up)
        await self._close(round_, gave_up)
        return True

    async def _close(self, round_: Round, gave_up: tuple[GaveUp, ...]) -> None:
        captures = [round_.captured[name] for name in sorted(round_.captured)]
        closing = RoundClosed(
            round_id=round_.round_id,
            instrument_id=round_.instrument_id,
            kind=round_.kind,
            timeframe=round_.timeframe,
            start=round_.start,
            end=round_.end,
            ts_known=max(capture.ts_known for capture in captures),
            captured=tuple(capture.key for capture in captures),
            providers=tuple(capture.provider for capture in captures),
            gave_up=gave_up,
            captures=tuple(captures),
            simulated=self._config.simulated,
        )
        await self._durably(lambda: self._archive.record(closing))
        self._history.closed[closing.round_id] = closing
        self.tally.rounds_closed += 1
        await self._bus.publish(closing)

    async def _ask(self, name: str, round_: Round) -> GaveUp | None:
        """Ask one provider until it delivers or asking again cannot help."""
        provider, config = self._providers[name], self._config
        attempt = 0
        while True:
            attempt += 1
            answer, failure = await self._once(provider, round_)
            if failure is None and answer is not None:
                await self._capture(name, round_, answer)
                return None
            assert failure is not None
            wait = wait_s(
                failure,
                attempt=attempt,
                attempts=config.attempts,
                backoff_s=config.backoff_s,
                longest_s=config.backoff_max_s,
            )
            if wait is not None and failure.failure_class is FailureClass.THROTTLED:
                self._hold(name, wait)
            await self._record_failure(name, round_, answer, failure, attempt)
            if wait is None:
                self.tally.given_up[name] += 1
                return GaveUp(
                    provider=name, failure_class=failure.failure_class.value, words=failure.words, attempts=attempt
                )
            await self._clock.sleep(wait)

    async def _once(self, provider: Provider, round_: Round) -> tuple[Answer | None, Failure | None]:
        name = provider.declaration.name
        ask = Ask(
            kind=round_.kind,
            symbol=provider.spell(round_.symbol),
            timeframe=round_.timeframe,
            start=round_.start,
            end=round_.end,
        )
        await self._keep_pace(provider)
        self.tally.asked[name] += 1
        answer = None
        try:
            answer = await provider.client.fetch(ask)
            if SIMULATED_HEADER in answer.headers and not self._config.simulated:
                words = "the host is a sandbox and sent simulated data; set simulated = true, or name the live host"
                return None, Failure(failure_class=FailureClass.PERMANENT, words=words)
            return answer, provider.classify(answer)
        except Unreachable as error:
            return None, Failure(failure_class=FailureClass.TRANSIENT, words=error.reason)
        except Exception as error:  # noqa: BLE001  one provider's mistake must not stop the others
            # The error's own text may hold a key.
            log.error("ingestion.defect", provider=name, error=type(error).__name__)  # noqa: TRY400
            words = f"the code that asks {name} failed with {type(error).__name__}; report it to its maintainer"
            return answer, Failure(failure_class=FailureClass.PERMANENT, words=words)

    async def _keep_pace(self, provider: Provider) -> None:
        """Wait until this provider may be asked again at its declared pace."""
        name, gap_ns = provider.declaration.name, int(1e9 / provider.declaration.calls_per_second)
        async with self._turns[name]:
            while (wait := self._free_at[name] - self._clock.now_ns()) > 0:  # it may be put off while we wait
                await self._clock.sleep(wait / 1e9)
            self._free_at[name] = self._clock.now_ns() + gap_ns

    def _hold(self, name: str, seconds: float) -> None:
        """Ask a provider that feels pressed nothing for `seconds`, whatever the round."""
        self._free_at[name] = max(self._free_at[name], self._clock.now_ns() + int(seconds * 1e9))

    async def _capture(self, name: str, round_: Round, answer: Answer) -> None:
        key = await self._durably(lambda: self._archive.put(answer.body))
        capture = RawCaptured(
            provider=name,
            kind=round_.kind,
            key=key,
            ts_known=self._clock.now_ns(),
            round_id=round_.round_id,
            instrument_id=round_.instrument_id,
            symbol=self._providers[name].spell(round_.symbol),
            timeframe=round_.timeframe,
            start=round_.start,
            end=round_.end,
            simulated=self._config.simulated,
        )
        await self._durably(lambda: self._archive.record(capture))
        round_.captured[name] = capture
        self.tally.delivered[name] += 1
        self.tally.received_bytes[name] += len(answer.body)
        log.info("ingestion.captured", provider=name, symbol=round_.symbol, bytes=len(answer.body), key=key)
        await self._bus.publish(capture)

    async def _record_failure(
        self, name: str, round_: Round, answer: Answer | None, failure: Failure, attempt: int
    ) -> None:
        self.tally.failed[name, failure.failure_class.value] += 1
        self.tally.last_failure[name] = failure.words
        body = answer.body if answer else b""
        key = await self._durably(lambda: self._archive.put(body)) if body else ""
        attempted = Attempted(
            provider=name,
            kind=round_.kind,
            round_id=round_.round_id,
            instrument_id=round_.instrument_id,
            symbol=self._providers[name].spell(round_.symbol),
            ts_known=self._clock.now_ns(),
            failure_class=failure.failure_class.value,
            words=failure.words[:500],
            status=answer.status if answer else 0,
            attempt=attempt,
            key=key,
            simulated=self._config.simulated,
        )
        await self._durably(lambda: self._archive.record(attempted))
        log.info(
            "ingestion.failed",
            provider=name,
            symbol=round_.symbol,
            failure=failure.failure_class.value,
            attempt=attempt,
        )

    async def _durably(self, write: Callable[[], T]) -> T:
        """Return what `write` returns, waiting while the archive cannot take it: bytes are never dropped."""
        wait = self._config.backoff_s
        while True:
            try:
                done = await asyncio.to_thread(write)
            except StoreUnavailable as error:
                self.tally.archive_trouble = str(error)
                log.error("ingestion.archive_unavailable", reason=str(error))  # noqa: TRY400
                await self._clock.sleep(wait)
                wait = min(wait * 2, self._config.backoff_max_s)
            else:
                self.tally.archive_trouble = ""
                return done
