"""Pages, budgets, breakers, debts: how one provider is asked, and when it is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from test_ingestion_backfill import backfill

from pipeline_doubles import FRIDAY, MONDAY, NOW, Script, refuse
from routed_room import FAILOVER, GOOD, Routed
from truetape.domain.asks import Answer, Ask
from truetape.domain.capability import Offer
from truetape.domain.errors import StoreUnavailable
from truetape.domain.failures import FailureClass
from truetape.domain.messages import RawCaptured
from truetape.domain.plans import Allowance, Budget, Plan, Spending, Window
from truetape.domain.time import NANOSECONDS
from truetape.ports.archive import Attempted
from truetape.ports.ledger import Denial, Grant, Standing
from truetape.services.ingestion.breaker import BreakerRules
from truetape.services.ingestion.rounds import Listed
from truetape.services.ingestion.routing import Policy

DOWN = refuse(FailureClass.TRANSIENT)


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
        self.kept: list[float] = []
        self.used, self.looked = 0.0, 0

    async def reserve(self, spending: Spending, windows: Sequence[Window], *, kept: float = 0.0) -> Grant | Denial:
        self.reserved.append(spending)
        self.kept.append(kept)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            return Denial(window=windows[0], until_ns=outcome)
        return Grant(grant_id=str(len(self.reserved)), spending=spending)

    async def standing(self, provider: str, account: str, windows: Sequence[Window]) -> tuple[Standing, ...]:
        self.looked += 1
        return tuple(
            Standing(window=one, used=self.used, left=one.limit - self.used, resets_at_ns=0) for one in windows
        )

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


@pytest.mark.parametrize(
    ("used", "evenly", "asked", "slept"),
    [
        pytest.param(0.0, True, 1, [], id="the day has begun: a tenth of it may go"),
        pytest.param(1.5, True, 1, [], id="and no more"),
        pytest.param(1.51, True, 1, [35], id="a little later it may"),
        pytest.param(12.0, True, 0, [], id="half of the day is too long to wait for"),
        pytest.param(12.0, False, 1, [], id="unless evenness is not wanted"),
    ],
)
async def test_a_backfill_spends_a_day_evenly(used: float, evenly: bool, asked: int, slept: list[float]) -> None:
    """At midnight, with 25 calls for the day: patient questions keep to their share, and leave a tenth to others."""
    room = Routed(FAILOVER, p=Script(GOOD))
    ledger = purse(room)
    ledger.used = used
    room.service = room.build(spend_evenly=evenly)
    room.service._market.listed["ins_a"] = Listed("ins_a", "A")

    await room.service.on_backfill_requested(backfill("ins_a", start=MONDAY))
    await room.service.work(until_idle=True)

    assert {"p": asked} == room.asked()
    assert slept == [round(one) for one in room.clock.slept]
    assert [0.1] * asked == ledger.kept
    if not asked:
        assert "kept for later" in room.recorded(Attempted)[0].words


async def test_an_urgent_question_asks_nobody_about_evenness() -> None:
    """It may use all that is left."""
    room = Routed(FAILOVER, p=Script(GOOD))
    ledger = purse(room)
    ledger.used = 24.0

    await room.run()

    assert ({"p": 1}, [0.0], 0) == (room.asked(), ledger.kept, ledger.looked)


async def test_a_backfill_costs_nothing_where_somebody_is_free() -> None:
    """A paid provider answers the urgent question first, but is not asked for what can wait for a free one."""
    budgets = {"p": Budget(account="x", plan=Plan(price_per_call=0.01)), "q": Budget(account="y", plan=Plan())}
    room = Routed(FAILOVER, budgets=budgets, p=Script(GOOD), q=Script(DOWN, DOWN, GOOD))
    room.service._market.listed["ins_a"] = Listed("ins_a", "A")

    await room.service.on_backfill_requested(backfill("ins_a", start=MONDAY))
    await room.service.work(until_idle=True)
    assert {"p": 0, "q": 2} == room.asked()
    await room.run([Listed("ins_b", "B")])

    assert 1 == room.asked()["p"]


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
    await service.on_backfill_requested(backfill(*(one.instrument_id for one in old)))
    await service.work(until_idle=True)

    assert ["old0", "old1", "new", "old2", "old3"] == [ask.symbol for ask in room.scripts["p"].asks]
