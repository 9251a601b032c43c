"""One question to one provider: at its pace and within its budget, page by page, until it delivers or is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

import structlog

from truetape.domain.asks import SIMULATED_HEADER, Answer, Ask
from truetape.domain.errors import ProviderRefused, StoreUnavailable, TruetapeError
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.messages import GaveUp, RawCaptured
from truetape.domain.plans import Budget
from truetape.domain.time import NANOSECONDS, iso
from truetape.ports.archive import Archive, Attempted
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.http import Unreachable
from truetape.ports.ledger import Denial, Grant, Ledger
from truetape.ports.provider import Provider
from truetape.services.ingestion.breaker import Breaker
from truetape.services.ingestion.chunks import limited, page_of, spans
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.costs import cost_of
from truetape.services.ingestion.evenness import may_go_ns
from truetape.services.ingestion.intervals import Span
from truetape.services.ingestion.patience import wait_s
from truetape.services.ingestion.rounds import Round
from truetape.services.ingestion.tally import Tally

log = structlog.get_logger()
T = TypeVar("T")
MOST_PAGES: Final = 100_000  # of one question; a provider that goes on for ever is cut there


@dataclass(frozen=True)
class Errand:
    """Why a provider is asked, and how its answer is read before it counts."""

    why: str = ""
    tried: tuple[str, ...] = ()
    proofread: bool = False  # decode the answer at once: nobody else is asked unless this one is known to be bad
    patient: bool = False  # it can wait: what is more urgent goes before, and quotas are spent evenly


class Enquiry:
    """Ask providers. What they send is archived and journalled before anybody hears of it."""

    def __init__(
        self,
        *,
        bus: Bus,
        archive: Archive,
        clock: Clock,
        ledger: Ledger | None,
        budgets: Mapping[str, Budget],
        config: IngestionConfig,
        tally: Tally,
    ) -> None:
        self._bus = bus
        self._archive = archive
        self._clock = clock
        self._ledger = ledger
        self._budgets = budgets
        self._config = config
        self._tally = tally
        self._turns: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, int] = {}
        self._hosts: dict[tuple[str, str], str] = {}
        self.breakers: dict[tuple[str, str, str], Breaker] = {}

    async def ask(self, provider: Provider, round_: Round, errand: Errand = Errand()) -> GaveUp | None:
        """Ask `provider` for the whole range of `round_`, less the pages that it has delivered before.

        Returns:
            None when it has delivered everything, else why it was given up.
        """
        name = provider.declaration.name
        pages = round_.captured.setdefault(name, [])
        today = self._config.today(self._clock.now_ns(), end=round_.end)
        offer, budget = provider.declaration.offer(round_.kind), self._budgets.get(name)
        if offer is not None and budget is not None:
            offer = limited(offer, budget.plan, timeframe=round_.timeframe)
        rows, empty = 0, None
        for span in spans(offer, timeframe=round_.timeframe, start=round_.start, end=round_.end, today=today):
            ask = _ask(provider, round_, span)
            for _ in range(MOST_PAGES):
                page = page_of(pages, span, ask.page)
                if page is None:
                    got = await self._patiently(provider, round_, ask, errand)
                    if isinstance(got, GaveUp):
                        if got.failure_class != FailureClass.EMPTY:
                            return got
                        empty = got
                        break  # this piece of the range has no rows; the others may
                    page, found = got
                    rows += found
                    pages.append(page)
                else:
                    rows += 1
                if not page.more:
                    break
                ask = _ask(provider, round_, span, page=page.more)
        if not pages and empty is not None:
            return empty
        if errand.proofread and not rows:
            return self._give_up(name, Failure(failure_class=FailureClass.EMPTY, words="it has no rows for it"), 1)
        return None

    async def _patiently(
        self, provider: Provider, round_: Round, ask: Ask, errand: Errand
    ) -> tuple[RawCaptured, int] | GaveUp:
        """Ask for one page until it comes or asking again cannot help; return it and its rows, if they were counted."""
        name, config, attempt = provider.declaration.name, self._config, 0
        while True:
            attempt += 1
            breaker = self._breaker(name, ask.kind)
            if not breaker.admits(self._clock.now_ns()):
                return self._give_up(name, _resting(breaker), attempt - 1)
            answer, failure, rows = await self._once(provider, ask, errand)
            breaker = self._breaker(name, ask.kind)
            breaker.note(failure, self._clock.now_ns())
            if failure is None and answer is not None:
                return await self.capture(provider, round_, ask, answer, errand), rows
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
            await self._record_failure(provider, round_, answer, failure, attempt)
            if wait is None:
                return self._give_up(name, failure, attempt)
            await self._clock.sleep(wait)

    def _give_up(self, name: str, failure: Failure, attempts: int) -> GaveUp:
        self._tally.given_up[name] += 1
        return GaveUp(provider=name, failure_class=failure.failure_class.value, words=failure.words, attempts=attempts)

    def _breaker(self, name: str, kind: str) -> Breaker:
        key = (name, kind, self._hosts.get((name, kind), ""))
        found = self.breakers.get(key)
        if found is None:
            found = self.breakers[key] = Breaker(self._config.breaker)
        return found

    async def _once(self, provider: Provider, ask: Ask, errand: Errand) -> tuple[Answer | None, Failure | None, int]:
        """Send one request; return the answer, what is wrong with it, and its rows if they were counted."""
        name = provider.declaration.name
        allowed = await self._within_budget(provider, ask, errand)
        if isinstance(allowed, Failure):
            return None, allowed, 0
        await self._keep_pace(provider)
        self._tally.asked[name] += 1
        answer = None
        try:
            answer = await provider.client.fetch(ask)
            await self._account(provider, allowed, answer)
            return await self._read(provider, ask, answer, errand)
        except Unreachable as error:
            failure = Failure(failure_class=FailureClass.TRANSIENT, words=error.reason)
        except StoreUnavailable as error:
            failure = Failure(failure_class=FailureClass.TRANSIENT, words=str(error))
        except Exception as error:  # noqa: BLE001  one provider's mistake must not stop the others
            # The error's own text may hold a key.
            log.error("ingestion.defect", provider=name, error=type(error).__name__)  # noqa: TRY400
            words = f"the code that asks {name} failed with {type(error).__name__}; report it to its maintainer"
            failure = Failure(failure_class=FailureClass.PERMANENT, words=words)
        return answer, failure, 0

    async def _read(
        self, provider: Provider, ask: Ask, answer: Answer, errand: Errand
    ) -> tuple[Answer | None, Failure | None, int]:
        if SIMULATED_HEADER in answer.headers and not self._config.simulated:
            words = "the host is a sandbox and sent simulated data; set simulated = true, or name the live host"
            return None, Failure(failure_class=FailureClass.PERMANENT, words=words), 0
        failure = provider.classify(answer)
        if failure is not None or not errand.proofread:
            return answer, failure, 1
        failure, rows = await asyncio.to_thread(_proofread, provider, ask, answer)
        return answer, failure, rows

    async def _within_budget(self, provider: Provider, ask: Ask, errand: Errand) -> Grant | Failure | None:
        """Count the request in every window of the provider's plan, waiting a little where that makes room."""
        budget = self._budgets.get(provider.declaration.name)
        if budget is None or self._ledger is None or not budget.plan.windows:
            return None
        cost = cost_of(provider.declaration, budget, ask)
        until = self._clock.now_ns() + int(self._config.quota_patience_s * NANOSECONDS)
        kept = self._config.reserved_share if errand.patient else 0.0
        while True:
            try:
                ahead = await self._ahead(provider.declaration.name, budget) if errand.patient else 0
                if ahead > until:
                    return _ahead_of_time(ahead, self._clock.now_ns())
                if ahead > self._clock.now_ns():
                    await self._clock.sleep((ahead - self._clock.now_ns()) / NANOSECONDS)
                answer = await self._ledger.reserve(cost, budget.plan.windows, kept=kept)
            except StoreUnavailable as error:
                return Failure(failure_class=FailureClass.TRANSIENT, words=str(error))
            if isinstance(answer, Grant):
                return answer
            if answer.until_ns > until:
                return _spent(answer, self._clock.now_ns())
            await self._clock.sleep(max(0.001, (answer.until_ns - self._clock.now_ns()) / NANOSECONDS))

    async def _ahead(self, name: str, budget: Budget) -> int:
        """Return from when a patient request may go, so that the long windows of the plan are spent evenly."""
        if self._ledger is None or not self._config.spend_evenly:
            return 0
        standings = await self._ledger.standing(name, budget.account, budget.plan.windows)
        return may_go_ns([(one.window, one.used) for one in standings], now_ns=self._clock.now_ns())

    async def _account(self, provider: Provider, grant: Grant | Failure | None, answer: Answer) -> None:
        if not isinstance(grant, Grant) or self._ledger is None:
            return
        await self._ledger.settle(grant, received_bytes=float(len(answer.body)))
        allowances = provider.allowances(answer.headers)
        if allowances:
            windows = self._budgets[provider.declaration.name].plan.windows
            await self._ledger.correct(provider.declaration.name, grant.spending.account, windows, allowances)

    async def _keep_pace(self, provider: Provider) -> None:
        """Wait until this provider may be asked again at its declared pace."""
        name, gap_ns = provider.declaration.name, int(1e9 / provider.declaration.calls_per_second)
        async with self._turns.setdefault(name, asyncio.Lock()):
            # it may be put off while we wait
            while (wait := self._free_at.get(name, 0) - self._clock.now_ns()) > 0:
                await self._clock.sleep(wait / 1e9)
            self._free_at[name] = self._clock.now_ns() + gap_ns

    def _hold(self, name: str, seconds: float) -> None:
        """Ask a provider that feels pressed nothing for `seconds`, whatever the round."""
        self._free_at[name] = max(self._free_at.get(name, 0), self._clock.now_ns() + int(seconds * 1e9))

    async def capture(self, provider: Provider, round_: Round, ask: Ask, answer: Answer, errand: Errand) -> RawCaptured:
        """Archive and journal what came, tell of it, and return what was told."""
        name = provider.declaration.name
        self._hosts[name, ask.kind] = urlsplit(answer.url).hostname or ""
        key = await self.durably(lambda: self._archive.put(answer.body))
        follow = provider.follow(answer, ask)
        capture = RawCaptured(
            provider=name,
            kind=round_.kind,
            key=key,
            ts_known=self._clock.now_ns(),
            round_id=round_.round_id,
            instrument_id=round_.instrument_id,
            symbol=ask.symbol,
            timeframe=round_.timeframe,
            start=ask.start or round_.start,
            end=ask.end or round_.end,
            simulated=self._config.simulated,
            page=ask.page,
            more=follow.page if follow is not None and follow.page != ask.page else "",
            why=errand.why,
            tried=errand.tried,
        )
        await self.durably(lambda: self._archive.record(capture))
        self._tally.delivered[name] += 1
        self._tally.received_bytes[name] += len(answer.body)
        log.info("ingestion.captured", provider=name, symbol=round_.symbol, bytes=len(answer.body), key=key)
        await self._bus.publish(capture)
        return capture

    async def _record_failure(
        self, provider: Provider, round_: Round, answer: Answer | None, failure: Failure, attempt: int
    ) -> None:
        name = provider.declaration.name
        self._tally.failed[name, failure.failure_class.value] += 1
        self._tally.last_failure[name] = failure.words
        body = answer.body if answer else b""
        key = await self.durably(lambda: self._archive.put(body)) if body else ""
        attempted = Attempted(
            provider=name,
            kind=round_.kind,
            round_id=round_.round_id,
            instrument_id=round_.instrument_id,
            symbol=provider.spell(round_.symbol),
            ts_known=self._clock.now_ns(),
            failure_class=failure.failure_class.value,
            words=failure.words[:500],
            status=answer.status if answer else 0,
            attempt=attempt,
            key=key,
            simulated=self._config.simulated,
        )
        await self.durably(lambda: self._archive.record(attempted))
        log.info(
            "ingestion.failed",
            provider=name,
            symbol=round_.symbol,
            failure=failure.failure_class.value,
            attempt=attempt,
        )

    async def durably(self, write: Callable[[], T]) -> T:
        """Return what `write` returns, waiting while the archive cannot take it: bytes are never dropped."""
        wait = self._config.backoff_s
        while True:
            try:
                done = await asyncio.to_thread(write)
            except StoreUnavailable as error:
                self._tally.archive_trouble = str(error)
                log.error("ingestion.archive_unavailable", reason=str(error))  # noqa: TRY400
                await self._clock.sleep(wait)
                wait = min(wait * 2, self._config.backoff_max_s)
            else:
                self._tally.archive_trouble = ""
                return done


def _ask(provider: Provider, round_: Round, span: Span, *, page: str = "") -> Ask:
    return Ask(
        kind=round_.kind,
        symbol=provider.spell(round_.symbol),
        timeframe=round_.timeframe,
        start=span[0],
        end=span[1],
        page=page,
    )


def _proofread(provider: Provider, ask: Ask, answer: Answer) -> tuple[Failure | None, int]:
    """Return what is wrong with the body of an answer that looks like data, and how many rows it has."""
    try:
        return None, len(provider.decode[ask.kind](answer.body, ask))
    except ProviderRefused as error:
        return error.failure, 0
    except TruetapeError as error:
        words = f"an answer of another shape than its decoder knows: {error}"
        return Failure(failure_class=FailureClass.TRANSIENT, words=words), 0


def _resting(breaker: Breaker) -> Failure:
    words = f"left alone until {iso(breaker.open_until_ns)} after {breaker.failures} failures: {breaker.words}"
    return Failure(failure_class=FailureClass.TRANSIENT, words=words)


def _ahead_of_time(until_ns: int, now_ns: int) -> Failure:
    words = f"the rest of its quota is kept for later, so that it lasts: patient questions go on at {iso(until_ns)}"
    return Failure(failure_class=FailureClass.QUOTA, words=words, retry_after_s=(until_ns - now_ns) / NANOSECONDS)


def _spent(denial: Denial, now_ns: int) -> Failure:
    window = denial.window
    period = window.period if window.every == 1 else f"{window.every} {window.period}s"
    words = f"the plan's {window.limit:g} {window.unit} a {period} are spent until {iso(denial.until_ns)}"
    wait = (denial.until_ns - now_ns) / NANOSECONDS
    return Failure(failure_class=FailureClass.QUOTA, words=words, retry_after_s=wait)
