"""The mathematics of quotas, judged by keeping every single request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.errors import BadInput
from truetape.domain.plans import Allowance, Period, Spending, Window
from truetape.domain.quota import (
    GRAINS,
    NEVER,
    NOTHING,
    Count,
    Full,
    Grain,
    charged,
    concerned,
    corrected,
    cost,
    current,
    decide,
    full,
    name_of,
    refunded,
    resets_ns,
    spent,
)

SECOND = 10**9
MINUTE = 60 * SECOND
ROLLING = Window(limit=5, period="minute", rolling=True)
CALENDAR = Window(limit=5, period="minute")
LENGTHS = {"second": SECOND, "minute": MINUTE, "hour": 60 * MINUTE}


@dataclass
class Tally:
    """Every request that was let go, one by one: slow, and beyond doubt."""

    requests: list[tuple[int, float]] = field(default_factory=list)

    def since(self, first_ns: int) -> float:
        return sum(cost for at_ns, cost in self.requests if at_ns >= first_ns)

    def held(self, window: Window, now_ns: int) -> float:
        length = LENGTHS[window.period] * window.every
        return self.since(now_ns - length + 1 if window.rolling else now_ns - now_ns % length)


def windows(rolling: st.SearchStrategy[bool]) -> st.SearchStrategy[Window]:
    return st.builds(
        Window,
        limit=st.one_of(st.integers(1, 30).map(float), st.floats(0.5, 30)),
        period=st.sampled_from(("second", "minute", "hour")),
        every=st.sampled_from((1, 2, 6)),
        rolling=rolling,
    )


STEPS = st.lists(
    st.tuples(st.one_of(st.integers(0, 3), st.integers(0, 10**11), st.integers(0, 10**13)), st.floats(0.1, 8)),
    max_size=80,
)


@given(windows(st.booleans()), STEPS)
def test_no_window_ever_holds_more_than_its_limit(window: Window, steps: list[tuple[int, float]]) -> None:
    """At any pace and with any weights; and a request that was told to wait goes at the instant that it was told."""
    tally, count, now_ns = Tally(), NOTHING, 0
    for pause, price in steps:
        now_ns += pause
        count = current(count, window, now_ns=now_ns)
        wait = full(count, window, cost=price, kept=0.0)
        if wait is not None and wait.until_ns < NEVER:
            assert wait.until_ns > now_ns
            assert not full(current(count, window, now_ns=wait.until_ns), window, cost=price, kept=0.0)
            early = current(count, window, now_ns=wait.until_ns - 1)
            assert full(early, window, cost=price, kept=0.0)
        elif wait is None:
            count = charged(count, window, cost=price, now_ns=now_ns)
            tally.requests.append((now_ns, price))
        assert tally.held(window, now_ns) <= window.limit * (1 + 1e-6)
        assert (wait is not None and wait.until_ns == NEVER) == (price > window.limit * (1 + 1e-9))


@given(windows(st.just(value=True)), STEPS)
def test_a_rolling_window_is_hardly_longer_than_it_is(window: Window, steps: list[tuple[int, float]]) -> None:
    """It never counts what is older than 65/64 of its length, and needs at most 66 grains."""
    tally, count, now_ns = Tally(), NOTHING, 0
    length = LENGTHS[window.period] * window.every
    for pause, price in steps:
        now_ns += pause
        count = charged(current(count, window, now_ns=now_ns), window, cost=price, now_ns=now_ns)
        tally.requests.append((now_ns, price))
        assert count.used >= tally.held(window, now_ns) * (1 - 1e-9)
        assert count.used <= tally.since(now_ns - length - length // GRAINS) * (1 + 1e-9)
        assert len(count.grains) <= GRAINS + 2


def test_a_rolling_window_that_is_always_full_uses_98_percent() -> None:
    """Asked each millisecond for a minute and more, 60 a second let at least 98 % of an exact window's requests go."""
    window = Window(limit=60, period="second", rolling=True)
    count, let = NOTHING, 0
    for millisecond in range(100_000):
        now_ns = millisecond * 1_000_000
        count = current(count, window, now_ns=now_ns)
        if full(count, window, cost=1.0, kept=0.0) is None:
            count, let = charged(count, window, cost=1.0, now_ns=now_ns), let + 1
    assert 0.98 <= let / (60 * 100) <= 1.0


@pytest.mark.parametrize(
    ("unit", "endpoint", "expected"),
    [
        ("calls", "", 2.0),
        ("credits", "", 7.0),
        ("bytes", "", 1.0),
        ("symbols", "", 0.0),
        ("calls", "bars", 2.0),
        ("calls", "chain", 0.0),
    ],
)
def test_what_a_request_costs_in_a_window(unit: str, endpoint: str, expected: float) -> None:
    """By its unit, in windows for its endpoint or all; an unknown size is one byte."""
    spending = Spending(provider="acme", account="", endpoint="bars", calls=2, credits=7, symbols=("A",))
    assert cost(Window(limit=1, period="day", unit=unit, endpoint=endpoint), spending) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("calls", [-1.0, float("nan"), float("inf")])
def test_a_cost_is_a_number_of_0_or_more(calls: float) -> None:
    """Anything else is named."""
    with pytest.raises(BadInput, match=f"calls was {calls}"):
        cost(CALENDAR, Spending(provider="acme", account="", calls=calls))


def test_which_windows_a_providers_word_is_about() -> None:
    """Those of its unit and period for all endpoints; of these the one with its limit, where there is one."""
    ten = Window(limit=20, period="minute", every=10)
    others = (
        Window(limit=5, period="minute", unit="credits"),
        Window(limit=5, period="day"),
        Window(limit=5, period="minute", endpoint="bars"),
    )
    for limit, expected in ((None, (CALENDAR, ten)), (20, (ten,)), (7, (CALENDAR, ten))):
        told = Allowance(unit="calls", period="minute", left=0, limit=limit)
        assert concerned((CALENDAR, ten, *others), told) == expected


def test_sums_that_are_off_by_rounding_still_end() -> None:
    """Where the grains do not add up to what must go, the last of them ends the wait."""
    count = Count(used=6.0, grains=(Grain(0, 1.0, 0), Grain(1, 1.0, 7)))
    assert full(count, ROLLING, cost=5, kept=0.0) == Full(window=ROLLING, until_ns=MINUTE + 7)


def test_when_a_window_resets() -> None:
    """A calendar one with its period, a rolling one with its oldest request, one that was told with the told reset."""
    calendar = current(NOTHING, CALENDAR, now_ns=MINUTE)
    rolling = charged(charged(NOTHING, ROLLING, cost=1, now_ns=7), ROLLING, cost=1, now_ns=MINUTE - 1)
    told = corrected(rolling, ROLLING, allowance(left=0, resets_in_s=3), now_ns=MINUTE)
    assert resets_ns(calendar, CALENDAR, now_ns=MINUTE) == 2 * MINUTE
    assert resets_ns(rolling, ROLLING, now_ns=MINUTE) == MINUTE + 7
    assert resets_ns(told, ROLLING, now_ns=MINUTE) == MINUTE + 3 * SECOND


def test_names_tell_windows_apart() -> None:
    """All but the limit is in the name."""
    ones = [
        Window(limit=1, period="day"),
        Window(limit=1, period="day", zone="Europe/Warsaw"),
        Window(limit=1, period="day", rolling=True),
        Window(limit=1, period="day", every=2),
        Window(limit=1, period="hour"),
        Window(limit=1, period="day", unit="credits"),
        Window(limit=1, period="day", endpoint="bars"),
    ]
    assert len({name_of(one) for one in ones}) == len(ones)
    assert name_of(Window(limit=2, period="day")) == name_of(ones[0]) == "calls/1 day/UTC/"


def test_a_kept_share_is_left_unless_nothing_would_ever_go() -> None:
    """Half of five leaves room for two; a request of three goes then only into an unused window."""
    assert full(NOTHING, ROLLING, cost=2, kept=0.5) is None
    two = charged(NOTHING, ROLLING, cost=2, now_ns=0)
    assert full(two, ROLLING, cost=1, kept=0.5) == Full(window=ROLLING, until_ns=MINUTE)
    assert full(two, ROLLING, cost=3, kept=0.5) == Full(window=ROLLING, until_ns=MINUTE)
    assert full(NOTHING, ROLLING, cost=3, kept=0.5) is None


def test_several_windows_are_charged_together() -> None:
    """The window that is full for longest is told; one in which the request costs nothing is left alone."""
    day = Window(limit=2, period="day")
    charged_once = decide({}, (CALENDAR, day, ROLLING), (1.0, 2.0, 0.0), now_ns=0)
    assert isinstance(charged_once, dict)
    assert {name: count.used for name, count in charged_once.items()} == {name_of(CALENDAR): 1.0, name_of(day): 2.0}
    answers = [
        decide(charged_once, order, costs, now_ns=0)
        for order, costs in (
            ((CALENDAR, day), (5.0, 1.0)),
            ((day, CALENDAR), (1.0, 5.0)),
            ((day, CALENDAR), (1.0, 1.0)),
        )
    ]
    assert answers == [Full(window=day, until_ns=1440 * MINUTE)] * 3


@pytest.mark.parametrize("window", [ROLLING, CALENDAR], ids=["rolling", "calendar"])
def test_giving_back(window: Window) -> None:
    """A request that was not sent is as if it never was; of a period or grain that is gone nothing is given back."""
    count = charged(charged(NOTHING, window, cost=1, now_ns=0), window, cost=2, now_ns=0)
    count = current(count, window, now_ns=0) if window.rolling else Count(end_ns=MINUTE, used=3.0)
    assert refunded(count, window, cost=1, at_ns=0).used == 2.0
    assert refunded(count, window, cost=9, at_ns=0).used == 0.0
    assert refunded(count, window, cost=-4, at_ns=0).used == 7.0
    assert refunded(count, window, cost=1, at_ns=2 * MINUTE).used == 3.0


def test_an_emptied_grain_is_forgotten() -> None:
    """A rolling window from which all was given back resets at once."""
    count = refunded(charged(NOTHING, ROLLING, cost=1, now_ns=7), ROLLING, cost=1, at_ns=7)
    assert (count.grains, resets_ns(count, ROLLING, now_ns=9)) == ((), 9)


def test_what_was_told_is_used_up_and_given_back_with_our_own() -> None:
    """Told that two of five are left, one goes and is given back: two are left."""
    told = corrected(current(NOTHING, CALENDAR, now_ns=0), CALENDAR, allowance(left=2), now_ns=0)
    one = charged(told, CALENDAR, cost=1, now_ns=1)
    back = refunded(one, CALENDAR, cost=1, at_ns=1)
    assert [(count.used, count.told) for count in (told, one, back)] == [(0.0, 3.0), (1.0, 4.0), (0.0, 3.0)]
    assert full(one, CALENDAR, cost=2, kept=0.0) == Full(window=CALENDAR, until_ns=MINUTE)


def test_a_correction_never_shortens_an_earlier_one() -> None:
    """Of two resets the later one stands."""
    count = current(NOTHING, CALENDAR, now_ns=0)
    for seconds in (100, 10):
        count = corrected(count, CALENDAR, allowance(left=0, resets_in_s=seconds), now_ns=0)
    assert (count.told_until_ns, resets_ns(count, CALENDAR, now_ns=0)) == (100 * SECOND, 100 * SECOND)
    assert current(count, CALENDAR, now_ns=100 * SECOND).told_until_ns == 0


@pytest.mark.parametrize(
    ("window", "at_ns", "expected"),
    [
        (CALENDAR, MINUTE - 1, False),
        (CALENDAR, MINUTE, True),
        (ROLLING, MINUTE + 6, False),
        (ROLLING, MINUTE + 7, True),
    ],
)
def test_what_may_be_forgotten(window: Window, at_ns: int, expected: bool) -> None:
    """A window that is over, and about which the provider has said nothing that still holds."""
    count = charged(current(NOTHING, window, now_ns=7), window, cost=1, now_ns=7)
    assert spent(count, window, now_ns=at_ns) == expected
    told = corrected(count, window, allowance(left=0, resets_in_s=110), now_ns=7)
    assert [spent(told, window, now_ns=at_ns), spent(told, window, now_ns=120 * SECOND)] == [False, True]


def allowance(
    *, left: float, period: Period = "minute", resets_in_s: float | None = None, resets_at_s: float | None = None
) -> Allowance:
    return Allowance(unit="calls", period=period, left=left, resets_in_s=resets_in_s, resets_at_s=resets_at_s)


@pytest.mark.parametrize(
    ("told", "until_ns"),
    [
        (allowance(left=0), MINUTE),
        (allowance(left=0, resets_at_s=59.5), 59 * SECOND + SECOND // 2),
        (allowance(left=0, resets_in_s=125), MINUTE),
        (allowance(left=0, resets_in_s=1, resets_at_s=50), 11 * SECOND),
        (allowance(left=0, resets_at_s=10), 0),
        (allowance(left=float("inf")), 0),
        (allowance(left=6), 0),
    ],
)
def test_until_when_a_providers_word_holds(told: Allowance, until_ns: int) -> None:
    """Ten seconds into the minute: until its reset if that can be, never for one that is over."""
    now_ns = int(datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC).timestamp()) * SECOND
    count = corrected(current(NOTHING, CALENDAR, now_ns=now_ns), CALENDAR, told, now_ns=now_ns)
    assert count.told_until_ns == until_ns
