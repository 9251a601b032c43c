"""Rounds under policies: who is asked, what counts as an answer, pages, budgets, breakers and debts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from ingestion_room import LISTING, Room
from pipeline_doubles import BOTH, FRIDAY, MONDAY, NOW, Script, refuse
from truetape.domain.asks import Answer, Ask
from truetape.domain.capability import Offer
from truetape.domain.errors import StoreUnavailable
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.messages import RawCaptured, RoundClosed
from truetape.domain.plans import Allowance, Budget, Plan, Spending, Window
from truetape.domain.time import NANOSECONDS
from truetape.ports.archive import Attempted
from truetape.ports.ledger import Denial, Grant
from truetape.services.ingestion.breaker import BreakerRules
from truetape.services.ingestion.rounds import Listed
from truetape.services.ingestion.routing import Policy
from truetape.services.ingestion.service import IngestionService

GOOD, GARBLED, NOTHING = b"raw,10,11,12,13,14", b"garbled", b"raw"
DOWN = refuse(FailureClass.TRANSIENT)
SLOW = 3600.0
UNREADABLE = "The payload of p was not readable as bars: it is no list of closes."


class Routed(Room):
    """A room whose providers' answers can be decoded, under a policy for bars."""

    def __init__(self, policy: Policy, *, budgets: dict[str, Budget] | None = None, **scripts: Script) -> None:
        super().__init__(None, **scripts)  # type: ignore[arg-type]
        self.policy = policy
        self.budgets = budgets or {}
        self.ledger: Any = None
        self.providers = {name: replace(one, decode=BOTH) for name, one in self.providers.items()}
        self.service = self.build()

    def build(self, **config: Any) -> IngestionService:
        if not hasattr(self, "policy"):
            return super().build(**config)
        given: dict[str, Any] = {"start": MONDAY, "end": FRIDAY, "attempts": 2, "backoff_s": 0.5, **config}
        from truetape.services.ingestion.config import IngestionConfig

        return IngestionService(
            bus=self.bus,
            store=self.store,
            archive=self.archive,
            clock=self.clock,
            providers=self.providers,
            config=IngestionConfig(policies={"bars": self.policy}, **given),
            ledger=self.ledger,
            budgets=self.budgets,
        )

    def declare(self, name: str, **changes: Any) -> None:
        one = self.providers[name]
        self.providers[name] = replace(one, declaration=msgspec.structs.replace(one.declaration, **changes))
        self.service = self.build()

    async def run(self, listings: list[Listed] | None = None, *, end: date = FRIDAY) -> None:
        await self.acquire(listings or LISTING, end=end)

    def asked(self) -> dict[str, int]:
        return {name: len(script.asks) for name, script in self.scripts.items()}

    @property
    def captures(self) -> list[RawCaptured]:
        return self.bus.of(RawCaptured)

    @property
    def closings(self) -> list[RoundClosed]:
        return self.bus.of(RoundClosed)


FAILOVER = Policy(name="failover")


async def test_failover_asks_one_and_records_why() -> None:
    """The first choice delivers, nobody else is asked."""
    room = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD))

    await room.run()

    assert {"p": 1, "q": 0} == room.asked()
    assert [("p", "first choice", ())] == [(one.provider, one.why, one.tried) for one in room.captures]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (DOWN, "transient: no: transient"),
        (refuse(FailureClass.QUOTA), "quota: no: quota"),
        (refuse(FailureClass.ENTITLEMENT), "entitlement: no: entitlement"),
        (refuse(FailureClass.PERMANENT), "permanent: no: permanent"),
        (NOTHING, "empty: it has no rows for it"),
        (b"refused", "quota: no: quota"),
        (
            GARBLED,
            "transient: an answer of another shape than its decoder knows: " + UNREADABLE,
        ),
    ],
)
async def test_failover_goes_on_for_every_kind_of_failure(event: bytes | Failure, words: str) -> None:
    """HTTP 200 is not success: an answer without rows, a refusal in a body and a changed schema count as failures."""
    room = Routed(FAILOVER, p=Script(event), q=Script(GOOD))

    await room.run()

    (captured,) = [one for one in room.captures if one.provider == "q"]
    assert ("next after p", (f"p: {words}",)) == (captured.why, captured.tried)
    assert ("q",) == room.closings[0].providers
    assert "p" == room.closings[0].gave_up[0].provider


async def test_unreadable_bytes_are_kept_all_the_same() -> None:
    """What a provider's schema drifted to is evidence."""
    room = Routed(FAILOVER, p=Script(GARBLED), q=Script(GOOD))

    await room.run()

    assert {GARBLED} == {room.archive.get(one.key) for one in room.recorded(Attempted)}


async def test_a_policy_can_forbid_to_fall_through() -> None:
    """Then the round stays open rather than to be answered by somebody else."""
    room = Routed(Policy(name="failover", fall_through=False), p=Script(DOWN), q=Script(GOOD))

    await room.run()

    assert 0 == room.asked()["q"]
    assert [] == room.closings
    assert room.service.tally.rounds_unanswered == 1


async def test_a_quorum_stops_when_it_has_enough() -> None:
    """Two of three are asked at once; the third only because one of them failed."""
    room = Routed(Policy(quorum=2), p=Script(GOOD), q=Script(DOWN), r=Script(GOOD), s=Script(GOOD))

    await room.run()

    assert {"p": 1, "q": 2, "r": 1, "s": 0} == room.asked()
    assert ("p", "r") == room.closings[0].providers
    assert {"p": "2 of 4 are to agree", "r": "2 of 4 are to agree; q failed"} == {
        one.provider: one.why for one in room.captures
    }


class Sleeper(Script):
    """A provider that takes an hour for every answer."""

    async def fetch(self, ask: Ask) -> Answer:
        answered = await super().fetch(ask)
        assert self.clock is not None
        until = self.clock.now + int(SLOW * NANOSECONDS)
        import asyncio

        while self.clock.now < until:  # noqa: ASYNC110 - the clock under test has no event for this
            await asyncio.sleep(0)
        return answered


async def test_a_hedge_asks_another_when_the_first_is_silent() -> None:
    """The first answer counts; the silent request is let go, and nothing of it is lost or counted twice."""
    room = Routed(Policy(name="hedged", hedge_s=2.0), p=Sleeper(GOOD), q=Script(GOOD))

    await room.run()

    assert {"p": 1, "q": 1} == room.asked()
    assert [("q", "p silent for 2 s")] == [(one.provider, one.why) for one in room.captures]
    assert ("q",) == room.closings[0].providers


async def test_the_cheapest_is_asked_first() -> None:
    """Money decides, whatever the order of the settings."""
    dear, free = Plan(price_per_call=0.01), Plan()
    budgets = {"p": Budget(account="x", plan=dear), "q": Budget(account="y", plan=free)}
    room = Routed(Policy(name="cheapest"), budgets=budgets, p=Script(GOOD), q=Script(GOOD))

    await room.run()

    assert {"p": 0, "q": 1} == room.asked()
    assert "cheapest choice" == room.captures[0].why


async def test_who_has_nothing_of_it_is_not_asked() -> None:
    """A provider without the timeframe or the asset costs no call."""
    room = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD))
    room.declare("p", offers=(Offer(kind="bars", timeframes=("1m",)),))

    await room.run()

    assert {"p": 0, "q": 1} == room.asked()
    assert "first choice" == room.captures[0].why


async def test_a_series_goes_on_in_its_basis() -> None:
    """After raw prices an adjusted source is no alternative, also after a restart: the gap stays open instead."""
    room = Routed(FAILOVER, p=Script(GOOD, DOWN), q=Script(GOOD))
    room.declare("q", basis="all")
    await room.run()

    later = Routed(FAILOVER, p=Script(DOWN), q=Script(GOOD))
    later.archive.entries = room.archive.entries
    later.declare("q", basis="all")
    await later.service.resume()
    await later.run(end=date(2024, 6, 14))

    assert {"p": 2, "q": 0} == later.asked()
    assert ["rnd"] == sorted({one.round_id[:3] for one in later.closings})
    assert 1 == later.service.tally.rounds_unanswered


async def test_an_empty_range_is_settled_with_its_reason() -> None:
    """All who know the symbol have no rows: it is remembered, and nobody is asked again, also after a restart."""
    room = Routed(
        FAILOVER, p=Script(NOTHING), q=Script(refuse(FailureClass.EMPTY)), r=Script(refuse(FailureClass.PERMANENT))
    )
    await room.run()

    again = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD), r=Script(GOOD))
    again.archive.entries = room.archive.entries
    await again.service.resume()
    await again.run()

    (closed,) = room.closings
    assert ((), (), "p: it has no rows for it; q: no: empty; r: no: permanent") == (
        closed.providers,
        closed.captures,
        closed.empty,
    )
    assert {"p": 0, "q": 0, "r": 0} == again.asked()
    assert "it has no rows" in again.service.intervals.empty["ins_a", "bars", "1d"][0][1]


async def test_an_outage_beside_an_empty_answer_leaves_it_open() -> None:
    """Who could not be reached may have rows."""
    room = Routed(FAILOVER, p=Script(NOTHING), q=Script(DOWN))

    await room.run()

    assert [] == room.closings
    assert 1 == room.service.tally.rounds_unanswered


class Paged(Script):
    """A provider that sends one close a page; pages are marked by number."""

    async def fetch(self, ask: Ask) -> Answer:
        answered = await super().fetch(ask)
        return msgspec.structs.replace(answered, headers={"page": ask.page or "1"})

    def follow(self, answered: Answer, ask: Ask) -> Ask | None:
        following = int(answered.headers["page"]) + 1
        return msgspec.structs.replace(ask, page=str(following)) if following <= 3 else None


def paged(room: Routed, name: str, script: Paged) -> None:
    room.providers[name] = replace(room.providers[name], follow=script.follow)
    room.service = room.build()


async def test_pages_are_captured_one_by_one() -> None:
    """Each is archived and told as soon as it came, with the mark of the next; the closing names them all."""
    script = Paged(b"raw,10", b"raw,11", b"raw,12")
    room = Routed(FAILOVER, p=script)
    paged(room, "p", script)

    await room.run()

    assert [("", "2"), ("2", "3"), ("3", "")] == [(one.page, one.more) for one in room.captures]
    assert ["", "2", "3"] == [ask.page for ask in script.asks]
    assert ("p", "p", "p") == room.closings[0].providers


async def test_a_crash_between_pages_costs_no_page_twice() -> None:
    """The next process goes on behind the last page that was captured."""
    script = Paged(b"raw,10", b"raw,11", b"raw,12")
    room = Routed(FAILOVER, p=script)
    paged(room, "p", script)
    await room.run()
    kept = [one for one in room.archive.entries if isinstance(one, RawCaptured)][:2]

    rest = Paged(b"raw,12")
    after = Routed(FAILOVER, p=rest)
    paged(after, "p", rest)
    after.archive.entries = list(kept)
    await after.service.resume()
    await after.run()

    assert ["3"] == [ask.page for ask in rest.asks]
    assert 3 == len(after.closings[0].captures)


async def test_a_provider_that_repeats_a_page_for_ever_is_not_followed() -> None:
    """The same mark again is the end."""
    script = Paged(GOOD)
    room = Routed(FAILOVER, p=script)
    room.providers["p"] = replace(
        room.providers["p"], follow=lambda _, ask: msgspec.structs.replace(ask, page=ask.page)
    )
    room.service = room.build()

    await room.run()

    assert 1 == len(script.asks)


async def test_a_long_range_is_asked_in_pieces() -> None:
    """Two days at a time, as the provider's table says."""
    room = Routed(FAILOVER, p=Script(GOOD))
    room.declare("p", offers=(Offer(kind="bars", timeframes=("1d",), span_days={"1d": 2}),))

    await room.run()

    assert [(3, 4), (5, 6), (7, 7)] == [
        (ask.start.day, ask.end.day) for ask in room.scripts["p"].asks if ask.start and ask.end
    ]


async def test_a_piece_without_rows_does_not_hide_the_others() -> None:
    """The provider says "no data" for the first two days only."""
    room = Routed(FAILOVER, p=Script(refuse(FailureClass.EMPTY), GOOD))
    room.declare("p", offers=(Offer(kind="bars", timeframes=("1d",), span_days={"1d": 2}),))

    await room.run()

    assert [5, 7] == [one.start.day for one in room.closings[0].captures]
    assert ["empty"] == [one.failure_class for one in room.recorded(Attempted)]


class Purse:
    """A ledger that grants so many requests, denies the rest until a time, and remembers what it was told."""

    def __init__(self, *outcomes: int | Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.reserved: list[Spending] = []
        self.told: list[Any] = []

    async def reserve(self, spending: Spending, windows: Sequence[Window], *, kept: float = 0.0) -> Grant | Denial:
        self.reserved.append(spending)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            return Denial(window=windows[0], until_ns=outcome)
        return Grant(grant_id=str(len(self.reserved)), spending=spending)

    async def settle(self, grant: Grant, *, sent: bool = True, received_bytes: float = 0.0) -> None:
        self.told.append((grant.grant_id, sent, received_bytes))

    async def correct(self, provider: str, account: str, windows: object, allowances: Sequence[Allowance]) -> None:
        self.told.append((provider, account, *allowances))


BUDGET = Budget(account="acc", plan=Plan(windows=(Window(limit=25, period="day"),), weights={"bars": 2.0}))


def purse(room: Routed, *outcomes: int | Exception | None) -> Purse:
    room.budgets, room.ledger = {"p": BUDGET}, Purse(*outcomes)
    room.service = room.build()
    ledger: Purse = room.ledger
    return ledger


async def test_every_request_is_counted_before_it_is_sent() -> None:
    """Also the one that fails; the bytes that came are told, and what the provider says of itself."""
    left = Allowance(unit="calls", period="day", left=3)
    room = Routed(FAILOVER, p=Script(DOWN, GOOD))
    room.providers["p"] = replace(room.providers["p"], allowances=lambda _: (left,))
    ledger = purse(room)

    await room.run()

    assert [2.0, 2.0] == [one.credits for one in ledger.reserved]
    assert [("1", True, 13.0), ("p", "acc", left), ("2", True, 18.0), ("p", "acc", left)] == ledger.told


async def test_a_spent_window_is_waited_for_if_that_is_soon() -> None:
    """Half a minute is; the request goes out then, once."""
    room = Routed(FAILOVER, p=Script(GOOD))
    purse(room, NOW + 30 * NANOSECONDS)

    await room.run()

    assert [30.0] == [round(wait, 3) for wait in room.clock.slept]
    assert {"p": 1} == room.asked()


async def test_a_day_that_is_spent_is_not_waited_for() -> None:
    """The next provider is asked, and the first owes it; nothing went out to it."""
    room = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD))
    purse(room, NOW + 86_400 * NANOSECONDS)

    await room.run()

    words = "the plan's 25 calls a day are spent until 2024-06-11T00:00:00Z"
    assert {"p": 0, "q": 1} == room.asked()
    assert (f"p: quota: {words}",) == room.captures[0].tried
    assert words == room.service.intervals.debts["ins_a", "bars", "1d"]["p"].words


async def test_without_the_ledger_nothing_is_asked() -> None:
    """Rather no answer than one that breaks a quota."""
    room = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD))
    broken = StoreUnavailable(path="quota.db", reason="the disk is full")
    purse(room, broken, broken)

    await room.run()

    assert {"p": 0, "q": 1} == room.asked()
    assert "The store at quota.db could not be used" in room.captures[0].tried[0]


async def test_a_breaker_spares_a_provider_that_is_down() -> None:
    """Three failures open it; the other rounds do not ask at all, and say why."""
    room = Routed(FAILOVER, p=Script(DOWN), q=Script(GOOD))
    room.service = room.build(concurrent_rounds=1, breaker=BreakerRules(failures=3, rest_s=60.0))

    await room.run([Listed(f"ins_{number}", "A") for number in range(6)])

    assert {"p": 3, "q": 6} == room.asked()
    assert "left alone until 2024-06-10T00:01:00.501Z after 3 failures" in room.captures[-1].tried[0]


async def test_one_probe_reopens_it() -> None:
    """When the rest is over one round tries it, and after its success all do."""
    room = Routed(FAILOVER, p=Script(DOWN, DOWN, GOOD), q=Script(GOOD))
    room.service = room.build(concurrent_rounds=1, breaker=BreakerRules(failures=2, rest_s=60.0))
    await room.run([Listed("ins_1", "A"), Listed("ins_2", "A")])
    room.clock.now += 61 * NANOSECONDS

    await room.run([Listed(f"ins_{number}", "A") for number in range(3, 6)])

    assert {"p": 5, "q": 2} == room.asked()
    (breaker,) = [one for key, one in room.service.enquiry.breakers.items() if one.probes]
    assert 1 == breaker.probes


async def test_debts_are_paid_when_the_provider_is_back() -> None:
    """Of a consensus the one that failed is asked for its part later, alone, and its claims join the others'."""
    room = Routed(Policy(), p=Script(GOOD), q=Script(DOWN, DOWN, GOOD))
    room.service = room.build(debt_after_s=3600.0)
    await room.run()
    await room.run()
    assert {"p": 1, "q": 2} == room.asked()
    room.clock.now += 3601 * NANOSECONDS

    await room.run()
    await room.run()

    assert {"p": 1, "q": 3} == room.asked()
    assert [("p",), ("q",)] == [one.providers for one in room.closings]
    assert {} == room.service.intervals.debts


async def test_a_debt_that_cannot_be_paid_yet_is_not_asked_for_at_once() -> None:
    """Each try waits again."""
    room = Routed(Policy(), p=Script(GOOD), q=Script(DOWN))
    room.service = room.build(debt_after_s=3600.0)
    for _ in range(3):
        await room.run()
        room.clock.now += 3601 * NANOSECONDS
        await room.run()
        await room.run()

    assert {"p": 1, "q": 8} == room.asked()


async def test_new_sessions_go_before_a_backfill() -> None:
    """A long backfill does not keep the newest prices waiting."""
    room = Routed(FAILOVER, p=Script(GOOD))
    room.service = room.build(concurrent_rounds=1)
    service = room.service
    first = room.scripts["p"].fetch

    async def fetch(ask: Ask) -> Answer:
        if ask.symbol == "old1":
            service.extend([Listed("ins_new", "NEW")], end=FRIDAY)
        return await first(ask)

    room.scripts["p"].fetch = fetch  # type: ignore[method-assign]
    old = [Listed(f"ins_{number}", f"OLD{number}") for number in range(4)]
    service._market.listed |= {one.instrument_id: one for one in old}
    from test_ingestion_backfill import backfill

    await service.on_backfill_requested(backfill(*(one.instrument_id for one in old)))
    await service.work(until_idle=True)

    assert ["old0", "old1", "new", "old2", "old3"] == [ask.symbol for ask in room.scripts["p"].asks]
