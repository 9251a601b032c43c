"""One round: providers are asked as its policy says, and it is closed when that is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from truetape.domain.failures import FailureClass
from truetape.domain.messages import GaveUp, RoundClosed
from truetape.domain.plans import Budget
from truetape.ports.archive import Archive
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.provider import Provider
from truetape.services.ingestion.candidates import candidates
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.enquiry import Enquiry, Errand
from truetape.services.ingestion.rounds import Round
from truetape.services.ingestion.routing import (
    Candidate,
    Choice,
    Policy,
    choose,
    enough,
    free_first,
    ordered,
)
from truetape.services.ingestion.tally import Tally

log = structlog.get_logger()

Ending = Literal["closed", "empty", "refused", "unanswered"]


@dataclass
class Course:
    """How far a round has come."""

    delivered: list[str] = field(default_factory=list)
    gave_up: dict[str, GaveUp] = field(default_factory=dict)
    running: dict[asyncio.Task[GaveUp | None], str] = field(default_factory=dict)

    def failed(self) -> dict[str, str]:
        """Return who was given up, with the reason in words."""
        return {name: f"{one.failure_class}: {one.words}" for name, one in self.gave_up.items()}


class Acquisition:
    """Run rounds."""

    def __init__(
        self,
        *,
        bus: Bus,
        archive: Archive,
        clock: Clock,
        providers: Mapping[str, Provider],
        enquiry: Enquiry,
        budgets: Mapping[str, Budget],
        config: IngestionConfig,
        tally: Tally,
    ) -> None:
        self._bus = bus
        self._archive = archive
        self._clock = clock
        self._providers = providers
        self._enquiry = enquiry
        self._budgets = budgets
        self._config = config
        self._tally = tally
        self.turn = asyncio.Lock()  # to journal something and tell it, in one order

    async def run(
        self, round_: Round, *, asset_class: str = "", settled_basis: str = ""
    ) -> tuple[Ending, RoundClosed | None]:
        """Ask until the policy has enough, and close the round.

        Args:
            round_: What is asked; pages that it holds already are not asked for again.
            asset_class: Of its instrument; "" where it is not known.
            settled_basis: What the series' prices are adjusted for so far; "" while it has none.

        Returns:
            How it ended, and what was told. A round is "unanswered" if nobody delivered and somebody may do so later,
            "refused" if nobody ever will, "empty" if those who know the instrument have no rows.
        """
        policy = self._config.policy(round_.kind)
        order = self._order(policy, round_, asset_class=asset_class, settled_basis=settled_basis)
        if not order:
            return "refused", None
        course = await self._course(policy, order, round_)
        gave_up = tuple(course.gave_up.values())
        if course.delivered:
            return "closed", await self._close(round_, sorted(course.delivered), gave_up)
        classes = {one.failure_class for one in gave_up}
        if FailureClass.EMPTY in classes and not classes & {FailureClass.QUOTA, FailureClass.TRANSIENT, *_OTHERS}:
            words = "; ".join(f"{one.provider}: {one.words}" for one in gave_up)
            return "empty", await self._close(round_, [], gave_up, empty=words)
        self._tally.rounds_unanswered += 1
        log.warning("ingestion.unanswered", symbol=round_.symbol, reasons=[one.words for one in gave_up])
        return ("refused" if classes <= {FailureClass.PERMANENT} else "unanswered"), None

    def _order(self, policy: Policy, round_: Round, *, asset_class: str, settled_basis: str) -> list[Candidate]:
        today = self._config.today(self._clock.now_ns(), end=round_.end)
        declarations = {name: provider.declaration for name, provider in self._providers.items()}
        able, unable = candidates(round_, declarations, self._budgets, asset_class=asset_class, today=today)
        order = ordered(policy, free_first(able, patient=round_.patient), settled_basis=settled_basis)
        if not order:
            others = {one.name: "its prices would be mixed with others, or the policy leaves it out" for one in able}
            words = "; ".join(f"{name}: {why}" for name, why in {**unable, **others}.items())
            self._tally.leave_out(f"{round_.symbol} {round_.timeframe}", words or "no provider is enabled")
            log.warning("ingestion.nobody_to_ask", symbol=round_.symbol, reasons=words)
        return order

    async def _course(self, policy: Policy, order: Sequence[Candidate], round_: Round) -> Course:
        """Ask providers until it is enough, or until nobody is left; who is still being asked then is let go."""
        course, silent = Course(), False
        try:
            while not enough(policy, order, course.delivered):
                choices = choose(
                    policy,
                    order,
                    delivered=course.delivered,
                    failed=course.failed(),
                    running=course.running.values(),
                    silent=silent,
                )
                for choice in choices:
                    task = asyncio.create_task(self._ask(policy, choice, round_, course))
                    course.running[task] = choice.name
                if not course.running:
                    break
                silent = not await self._settle(policy, course)
        finally:
            for task in course.running:
                task.cancel()
            await asyncio.gather(*course.running, return_exceptions=True)
        return course

    async def _ask(self, policy: Policy, choice: Choice, round_: Round, course: Course) -> GaveUp | None:
        tried = tuple(f"{name}: {words}"[:300] for name, words in course.failed().items())
        proofread = not policy.asks_everybody or bool(round_.only)
        errand = Errand(why=choice.why, tried=tried, proofread=proofread, patient=round_.patient)
        return await self._enquiry.ask(self._providers[choice.name], round_, errand)

    async def _settle(self, policy: Policy, course: Course) -> bool:
        """Wait until somebody being asked is done; return False if that took longer than a hedge waits."""
        waiting: set[asyncio.Task[object]] = set(course.running)
        hedge = asyncio.create_task(self._clock.sleep(policy.hedge_s)) if policy.name == "hedged" else None
        try:
            await asyncio.wait({*waiting, hedge} if hedge else waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if hedge:
                hedge.cancel()
        done = [task for task in course.running if task.done()]
        for task in done:
            name = course.running.pop(task)
            outcome = task.result()
            if outcome is None:
                course.delivered.append(name)
            else:
                course.gave_up[name] = outcome
        return bool(done)

    async def _close(
        self, round_: Round, delivered: Sequence[str], gave_up: tuple[GaveUp, ...], *, empty: str = ""
    ) -> RoundClosed:
        captures = tuple(page for name in delivered for page in round_.captured[name])
        closing = RoundClosed(
            round_id=round_.round_id,
            instrument_id=round_.instrument_id,
            kind=round_.kind,
            timeframe=round_.timeframe,
            start=round_.start,
            end=round_.end,
            ts_known=max((capture.ts_known for capture in captures), default=self._clock.now_ns()),
            captured=tuple(capture.key for capture in captures),
            providers=tuple(capture.provider for capture in captures),
            gave_up=gave_up,
            captures=captures,
            simulated=self._config.simulated,
            empty=empty[:500],
            partial=round_.partial,
        )
        async with self.turn:
            await self._enquiry.durably(lambda: self._archive.record(closing))
            self._tally.rounds_closed += 1
            await self._bus.publish(closing)
        return closing


_OTHERS = (FailureClass.THROTTLED, FailureClass.AUTH, FailureClass.BLOCKED, FailureClass.CONFLICT)
