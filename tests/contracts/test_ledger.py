"""What every ledger promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from truetape.adapters.redis_ledger import RedisLedger
from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.domain.errors import BadInput
from truetape.domain.plans import Allowance, Spending, Window
from truetape.domain.quota import NEVER
from truetape.ports.ledger import Denial, Grant, Ledger

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


NOON = instant("2026-03-02T12:00:00")


class Closing(Ledger, Protocol):
    async def close(self) -> None: ...


Open = Callable[[SetClock], Closing]


@pytest.fixture(params=["sqlite", "redis"])
async def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Open a ledger of this test with a clock; each call is a process of its own over the same accounts."""
    opened: list[Closing] = []
    url = request.getfixturevalue("redis").url if request.param == "redis" else ""
    prefix = uuid.uuid4().hex

    def build(clock: SetClock) -> Closing:
        ledger: Closing = (
            RedisLedger(url, prefix=prefix, clock=clock) if url else SqliteLedger(tmp_path / "ledger", clock=clock)
        )
        opened.append(ledger)
        return ledger

    yield build
    for ledger in opened:
        await ledger.close()


def spend(calls: float = 1, **more: object) -> Spending:
    values = {"provider": "acme", "account": "k", "calls": calls, "credits": calls} | more
    return Spending(**values)  # type: ignore[arg-type]


async def granted(ledger: Ledger, windows: tuple[Window, ...], *, tries: int, kept: float = 0.0) -> int:
    answers = [await ledger.reserve(spend(), windows, kept=kept) for _ in range(tries)]
    return sum(isinstance(answer, Grant) for answer in answers)


ROLLING = Window(limit=5, period="minute", rolling=True)
CALENDAR = Window(limit=5, period="minute")


@pytest.mark.parametrize("window", [ROLLING, CALENDAR], ids=["rolling", "calendar"])
async def test_a_window_never_holds_more_than_its_limit(open_ledger: Open, window: Window) -> None:
    """Five of seven requests go; the others are told when the window has room again, and then they go."""
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    assert await granted(ledger, (window,), tries=7) == 5
    assert await ledger.reserve(spend(), (window,)) == Denial(window=window, until_ns=NOON + MINUTE)
    clock.advance(59.999)
    assert await granted(ledger, (window,), tries=1) == 0
    clock.set(NOON + MINUTE)
    assert await granted(ledger, (window,), tries=7) == 5


async def test_a_rolling_window_frees_as_it_was_filled(open_ledger: Open) -> None:
    """One each 10 s from noon on: the sixth waits for the first to fall out, and one that costs 2 for the second."""
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    for _ in range(5):
        await ledger.reserve(spend(), (ROLLING,))
        clock.advance(10)
    assert await ledger.reserve(spend(), (ROLLING,)) == Denial(window=ROLLING, until_ns=NOON + MINUTE)
    assert await ledger.reserve(spend(2), (ROLLING,)) == Denial(window=ROLLING, until_ns=NOON + MINUTE + 10 * SECOND)
    clock.set(NOON + MINUTE)
    assert await granted(ledger, (ROLLING,), tries=3) == 1


async def test_a_request_is_counted_in_every_window_or_in_none(open_ledger: Open) -> None:
    """What the day refuses does not use up the second; the wait that is told is the longest."""
    second, day = Window(limit=2, period="second"), Window(limit=3, period="day")
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    assert await granted(ledger, (second, day), tries=3) == 2
    clock.advance(1)
    assert await granted(ledger, (second, day), tries=3) == 1
    assert [one.used for one in await ledger.standing("acme", "k", (second, day))] == [1.0, 3.0]
    midnight = instant("2026-03-03T00:00:00")
    assert await ledger.reserve(spend(2), (second, day)) == Denial(window=day, until_ns=midnight)


async def test_calendar_windows_begin_in_their_own_zone(open_ledger: Open) -> None:
    """A day in New York that ends by daylight saving time ends at 04:00 UTC, the month of UTC at its own midnight."""
    day = Window(limit=1, period="day", zone="America/New_York")
    month = Window(limit=9, period="month")
    clock = SetClock(instant("2026-03-08T05:00:00"))  # midnight in New York, two hours before the clocks change
    ledger = open_ledger(clock)
    assert await granted(ledger, (day, month), tries=2) == 1
    standing = await ledger.standing("acme", "k", (day, month))
    assert [(one.used, one.left, one.resets_at_ns) for one in standing] == [
        (1.0, 0.0, instant("2026-03-09T04:00:00")),
        (1.0, 8.0, instant("2026-04-01T00:00:00")),
    ]
    clock.set(instant("2026-03-09T04:00:00"))
    assert await granted(ledger, (day, month), tries=2) == 1


async def test_weights_and_endpoints(open_ledger: Open) -> None:
    """Credits are counted by weight, calls by one; a window for another endpoint does not count the request."""
    credits_, chain = Window(unit="credits", limit=8, period="minute"), Window(limit=1, period="hour", endpoint="chain")
    ledger = open_ledger(SetClock(NOON))
    answers = [
        await ledger.reserve(spend(1, credits=5.0, endpoint=endpoint), (credits_, chain))
        for endpoint in ("bars", "bars", "chain")
    ]
    assert [isinstance(answer, Grant) for answer in answers] == [True, False, False]
    assert [one.used for one in await ledger.standing("acme", "k", (credits_, chain))] == [5.0, 0.0]
    await ledger.reserve(spend(1, credits=3.0, endpoint="chain"), (credits_, chain))
    assert [one.used for one in await ledger.standing("acme", "k", (credits_, chain))] == [8.0, 1.0]


async def test_a_request_larger_than_its_limit_never_goes(open_ledger: Open) -> None:
    """It is told to wait for ever, and counts nowhere."""
    ledger = open_ledger(SetClock(NOON))
    assert await ledger.reserve(spend(6), (CALENDAR,)) == Denial(window=CALENDAR, until_ns=NEVER)
    assert (await ledger.standing("acme", "k", (CALENDAR,)))[0].used == 0.0


async def test_a_share_is_kept_for_urgent_requests(open_ledger: Open) -> None:
    """With 40 % of five kept three go, then urgent ones take the rest; a limit of one is usable all the same."""
    single = Window(limit=1, period="minute", endpoint="")
    ledger = open_ledger(SetClock(NOON))
    assert await granted(ledger, (CALENDAR,), tries=5, kept=0.4) == 3
    assert await granted(ledger, (CALENDAR,), tries=5) == 2
    other = open_ledger(SetClock(NOON))
    answers = [await other.reserve(spend(account="two"), (single,), kept=0.5) for _ in range(2)]
    assert [isinstance(answer, Grant) for answer in answers] == [True, False]


@pytest.mark.parametrize("rolling", [True, False], ids=["rolling", "calendar"])
async def test_symbols_are_counted_once(open_ledger: Open, rolling: bool) -> None:
    """Of three distinct symbols each may be asked for as often as you like, a fourth in the next window."""
    window = Window(unit="symbols", limit=3, period="hour", rolling=rolling)
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    asked = [("A", "B"), ("A",), ("B", "A", "A"), ("C", "D"), ("C",), ("D",), ("B",)]
    answers = [await ledger.reserve(spend(symbols=symbols), (window,)) for symbols in asked]
    assert [isinstance(answer, Grant) for answer in answers] == [True, True, True, False, True, False, True]
    assert await ledger.reserve(spend(symbols=("D",)), (window,)) == Denial(window=window, until_ns=NOON + HOUR)
    clock.advance(3599)
    await ledger.reserve(spend(symbols=("C",)), (window,))
    clock.advance(1)
    asked = [("D",), ("E",), ("F",), ("C",)]
    answers = [await ledger.reserve(spend(symbols=symbols), (window,)) for symbols in asked]
    assert [isinstance(answer, Grant) for answer in answers] == [True, True, not rolling, rolling]
    assert (await ledger.standing("acme", "k", (window,)))[0].used == 3.0


async def test_symbols_of_another_endpoint_are_not_counted(open_ledger: Open) -> None:
    """Only those that its own endpoint was asked for."""
    window = Window(unit="symbols", limit=1, period="hour", endpoint="chain")
    ledger = open_ledger(SetClock(NOON))
    asked = [("bars", "A"), ("bars", "B"), ("chain", "C"), ("chain", "D"), ("bars", "D")]
    answers = [await ledger.reserve(spend(endpoint=name, symbols=(symbol,)), (window,)) for name, symbol in asked]
    assert [isinstance(answer, Grant) for answer in answers] == [True, True, True, False, True]
    assert (await ledger.standing("acme", "k", (window,)))[0].used == 1.0


async def test_symbols_that_were_never_asked_for_are_given_back(open_ledger: Open) -> None:
    """Unless another request used them meanwhile."""
    window = Window(unit="symbols", limit=3, period="hour")
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    first = await ledger.reserve(spend(symbols=("A", "B")), (window,))
    clock.advance(1)
    await ledger.reserve(spend(symbols=("B",)), (window,))
    assert isinstance(first, Grant)
    await ledger.settle(first, sent=False)
    assert (await ledger.standing("acme", "k", (window,)))[0].used == 1.0
    assert isinstance(await ledger.reserve(spend(symbols=("C", "D")), (window,)), Grant)


@pytest.mark.parametrize("window", [ROLLING, CALENDAR], ids=["rolling", "calendar"])
async def test_a_request_that_was_never_sent_is_given_back_once(open_ledger: Open, window: Window) -> None:
    """Settled twice, or settled as sent, gives back nothing."""
    ledger = open_ledger(SetClock(NOON))
    one, two = [await ledger.reserve(spend(2), (window,)) for _ in range(2)]
    assert isinstance(one, Grant)
    assert isinstance(two, Grant)
    await ledger.settle(one, sent=False)
    await ledger.settle(one, sent=False)
    await ledger.settle(two)
    await ledger.settle(two, sent=False)
    assert (await ledger.standing("acme", "k", (window,)))[0].used == 2.0


async def test_nothing_is_given_back_to_a_window_that_began_anew(open_ledger: Open) -> None:
    """A request of the last minute does not make room in this one."""
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    old = await ledger.reserve(spend(5), (CALENDAR,))
    assert isinstance(old, Grant)
    clock.advance(60)
    assert await granted(ledger, (CALENDAR,), tries=5) == 5
    await ledger.settle(old, sent=False)
    assert await granted(ledger, (CALENDAR,), tries=1) == 0


@pytest.mark.parametrize("rolling", [True, False], ids=["rolling", "calendar"])
async def test_bytes_are_counted_as_they_came(open_ledger: Open, rolling: bool) -> None:
    """Expected ones until the answer is there; an unknown size counts one byte; nothing goes once they are used up."""
    window = Window(unit="bytes", limit=1000, period="month", rolling=rolling)
    ledger = open_ledger(SetClock(NOON))
    used = []
    for expected, received in ((400.0, 100.0), (0.0, 300.0), (500.0, 0.0)):
        grant = await ledger.reserve(spend(bytes=expected), (window,))
        assert isinstance(grant, Grant)
        await ledger.settle(grant, received_bytes=received)
        used.append((await ledger.standing("acme", "k", (window,)))[0].used)
    assert used == [100.0, 400.0, 900.0]
    grant = await ledger.reserve(spend(bytes=50.0), (window,))
    assert isinstance(grant, Grant)
    await ledger.settle(grant, received_bytes=5000.0)
    assert isinstance(await ledger.reserve(spend(), (window,)), Denial)
    assert (await ledger.standing("acme", "k", (window,)))[0].left == 0.0


LATER = Allowance(unit="calls", period="minute", left=1, limit=5, resets_in_s=90)
CORRECTIONS = {
    "lower": (Allowance(unit="calls", period="minute", left=1), 1, None),
    "none left": (Allowance(unit="calls", period="minute", left=0), 0, NOON + MINUTE),
    "below none": (Allowance(unit="calls", period="minute", left=-3), 0, NOON + MINUTE),
    "higher": (Allowance(unit="calls", period="minute", left=5), 3, None),
    "no number": (Allowance(unit="calls", period="minute", left=float("nan")), 3, None),
    "another period": (Allowance(unit="calls", period="hour", left=0), 3, None),
    "another unit": (Allowance(unit="credits", period="minute", left=0), 3, None),
    "a sooner reset": (Allowance(unit="calls", period="minute", left=0, resets_in_s=5), 0, NOON + 5 * SECOND),
    "a later reset": (LATER, 1, None),
    "a reset as an instant": (
        Allowance(unit="calls", period="minute", left=0, resets_at_s=NOON / SECOND + 7),
        0,
        NOON + 7 * SECOND,
    ),
    "a reset that is over": (Allowance(unit="calls", period="minute", left=0, resets_in_s=-1), 3, None),
    "a reset that cannot be": (
        Allowance(unit="calls", period="minute", left=0, resets_at_s=float("inf")),
        0,
        NOON + MINUTE,
    ),
}


@pytest.mark.parametrize("window", [ROLLING, CALENDAR], ids=["rolling", "calendar"])
@pytest.mark.parametrize("name", CORRECTIONS)
async def test_a_providers_word_only_lowers_what_is_left(open_ledger: Open, window: Window, name: str) -> None:
    """Two of five are used; then the provider says something. The wait is until its reset, if that can be."""
    allowance, left, until_ns = CORRECTIONS[name]
    ledger = open_ledger(SetClock(NOON))
    await granted(ledger, (window,), tries=2)
    await ledger.correct("acme", "k", (window,), (allowance,))
    assert (await ledger.standing("acme", "k", (window,)))[0].left == left
    if until_ns is not None:
        assert await ledger.reserve(spend(), (window,)) == Denial(window=window, until_ns=until_ns)
    assert await granted(ledger, (window,), tries=5) == left


async def test_a_correction_ends_with_its_window(open_ledger: Open) -> None:
    """After the provider's reset, which it put later than ours, the whole limit is there again."""
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    await ledger.correct("acme", "k", (CALENDAR,), (LATER,))
    assert await granted(ledger, (CALENDAR,), tries=5) == 1
    clock.advance(89)
    assert await granted(ledger, (CALENDAR,), tries=5) == 0
    assert (await ledger.standing("acme", "k", (CALENDAR,)))[0].resets_at_ns == NOON + 90 * SECOND
    clock.advance(1)
    assert await granted(ledger, (CALENDAR,), tries=6) == 5


async def test_a_correction_is_not_undone_by_a_request_from_before_it(open_ledger: Open) -> None:
    """The provider does not count what was never sent: giving that back leaves its figure, a later one lowers it."""
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    before = await ledger.reserve(spend(), (CALENDAR,))
    clock.advance(1)
    await ledger.correct("acme", "k", (CALENDAR,), (Allowance(unit="calls", period="minute", left=2),))
    clock.advance(1)
    after = await ledger.reserve(spend(), (CALENDAR,))
    assert isinstance(before, Grant)
    assert isinstance(after, Grant)
    await ledger.settle(before, sent=False)
    assert (await ledger.standing("acme", "k", (CALENDAR,)))[0].left == 1.0
    await ledger.settle(after, sent=False)
    assert (await ledger.standing("acme", "k", (CALENDAR,)))[0].left == 2.0


async def test_the_limit_tells_which_of_two_windows_a_provider_means(open_ledger: Open) -> None:
    """Of 5 a minute and 20 in ten minutes, "0 of 20" means the second."""
    ten = Window(limit=20, period="minute", every=10)
    ledger = open_ledger(SetClock(NOON))
    await ledger.correct("acme", "k", (CALENDAR, ten), (Allowance(unit="calls", period="minute", left=0, limit=20),))
    assert [one.left for one in await ledger.standing("acme", "k", (CALENDAR, ten))] == [5.0, 0.0]


@pytest.mark.parametrize("window", [ROLLING, CALENDAR], ids=["rolling", "calendar"])
async def test_a_clock_that_steps_back_frees_nothing(open_ledger: Open, window: Window) -> None:
    """Another process whose clock is an hour or a day behind finds the window as full as it is."""
    assert await granted(open_ledger(SetClock(NOON)), (window,), tries=5) == 5
    for behind in (1, HOUR, 24 * HOUR):
        assert await granted(open_ledger(SetClock(NOON - behind)), (window,), tries=1) == 0
    assert await granted(open_ledger(SetClock(NOON + MINUTE)), (window,), tries=6) == 5


async def test_what_was_granted_is_counted_after_a_restart(open_ledger: Open) -> None:
    """A new ledger over the same place knows it; an old grant is not given back, since it may have been sent."""
    first = open_ledger(SetClock(NOON))
    grant = await first.reserve(spend(3), (CALENDAR,))
    assert isinstance(grant, Grant)
    await first.close()
    second = open_ledger(SetClock(NOON + 1))
    await second.settle(grant, sent=False)
    assert await granted(second, (CALENDAR,), tries=5) == 2


async def test_a_limit_may_change(open_ledger: Open) -> None:
    """What was used under the old limit is used under the new one."""
    ledger = open_ledger(SetClock(NOON))
    await granted(ledger, (CALENDAR,), tries=5)
    assert await granted(ledger, (Window(limit=8, period="minute"),), tries=5) == 3


async def test_accounts_are_counted_apart(open_ledger: Open) -> None:
    """Another key and another provider have budgets of their own."""
    ledger = open_ledger(SetClock(NOON))
    await granted(ledger, (CALENDAR,), tries=5)
    for other in (spend(account="other"), spend(provider="other")):
        assert isinstance(await ledger.reserve(other, (CALENDAR,)), Grant)


async def test_two_that_ask_at_once_share_the_limit(open_ledger: Open) -> None:
    """Of 200 requests by two ledgers side by side 50 go."""
    window = Window(limit=50, period="day")
    clock = SetClock(NOON)
    ledgers = [open_ledger(clock), open_ledger(clock)]
    answers = await asyncio.gather(*(ledgers[turn % 2].reserve(spend(), (window,)) for turn in range(200)))
    assert sum(isinstance(answer, Grant) for answer in answers) == 50


async def test_money_is_counted_by_minutes(open_ledger: Open) -> None:
    """What was never sent costs nothing; a sum begins with the minute that it is asked from."""
    clock = SetClock(NOON)
    ledger = open_ledger(clock)
    grants = []
    for paid in (0.25, 0.5, 1.0):
        grants.append(await ledger.reserve(spend(money=paid), ()))
        clock.advance(24 * 3600)
    sums = [await ledger.money("acme", since_ns=NOON + days * 24 * HOUR + 59 * SECOND) for days in (0, 1, 2, 3)]
    assert sums == [1.75, 1.5, 1.0, 0.0]
    assert await ledger.money("other", since_ns=0) == 0.0
    assert isinstance(grants[-1], Grant)
    await ledger.settle(grants[-1], sent=False)
    assert await ledger.money("acme", since_ns=0) == 0.75


@pytest.mark.parametrize("calls", [-1.0, float("nan"), float("inf")])
async def test_a_cost_that_is_no_cost_is_refused(open_ledger: Open, calls: float) -> None:
    """And spoils nothing for others."""
    ledger = open_ledger(SetClock(NOON))
    bad, good = await asyncio.gather(
        ledger.reserve(spend(calls), (CALENDAR,)), ledger.reserve(spend(), (CALENDAR,)), return_exceptions=True
    )
    assert isinstance(bad, BadInput)
    assert isinstance(good, Grant)


async def test_an_unknown_zone_is_named(open_ledger: Open) -> None:
    """It would be no use to go on without."""
    with pytest.raises(BadInput, match="Mars/Olympus"):
        await open_ledger(SetClock(NOON)).reserve(spend(), (Window(limit=1, period="day", zone="Mars/Olympus"),))
