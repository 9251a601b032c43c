"""The watch over a stream: what it finds by hand, and the same whatever the portions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.schema import TABLES
from truetape.domain.time import NANOSECONDS
from truetape.services.quality.monitor import Calendars, Monitor, Rows
from truetape.services.quality.monitor_findings import Found, tick_findings, words
from truetape.services.quality.price_tracks import Limits
from truetape.services.quality.recent_ids import REMEMBERED

START = 1_718_026_200 * NANOSECONDS  # 2024-06-10T13:30:00Z
NAMES = ("a", "b", "c")
QUICK = Limits(least_burst=4, burst_rates=2.0, warm=2)
Trade = tuple[int, float, float]  # instrument, seconds after START, price
CALENDAR = pl.DataFrame({"mic": ["XNYS"], "open": [START], "close": [START + 23_400 * NANOSECONDS]}).with_columns(
    pl.col("open", "close").cast(pl.Datetime("ns", "UTC"))
)


def rows(trades: Sequence[Trade], *, heard: float | None = None, **more: Any) -> Rows:
    """Return trades as rows; they are heard a hundredth of a second after they happen, or all at `heard`."""
    at = np.array([START + round(second * NANOSECONDS) for _, second, _ in trades], np.int64)
    known = at + 10**7 if heard is None else np.full(len(at), START + round(heard * NANOSECONDS))
    return Rows(
        who=np.array([one[0] for one in trades], np.int64),
        at=at,
        known=known,
        price=np.array([one[2] for one in trades], float),
        **more,
    )


FORM = {"few": 8}


@pytest.fixture(scope="module", params=[0, 8, 1000], autouse=True)
def form(request: pytest.FixtureRequest) -> None:
    """Rows are judged all at once, one by one, or as it comes: what is found is the same."""
    FORM["few"] = request.param


def monitor(**changes: Any) -> Monitor:
    return Monitor(**{"provider": "p", "kind": "trades", "limits": QUICK, **FORM, **changes})


def told(found: Sequence[Found]) -> list[tuple[str, str, float]]:
    return [(one.check, one.instrument, round((one.at - START) / NANOSECONDS, 3)) for one in found]


def test_a_stray_price_is_found_and_does_not_move_the_market() -> None:
    """1 % is allowed at first: 120 after 100 strays, so 100.5 does not, and neither does what follows."""
    one = monitor()
    found = one.hear(NAMES, rows([(0, 0, 100), (0, 1, 120), (0, 2, 100.5), (0, 62, 50), (0, 63, 100.2)]))

    assert [("off_market", "a", 1.0), ("off_market", "a", 62.0)] == told(found)
    assert pytest.approx(math.log(100)) == found[0].reference
    assert 0.01 == found[0].limit
    assert {"off_market": 2} == {name: count for name, count in one.counts.items() if count}


def test_a_market_that_has_moved_is_believed() -> None:
    """After three seconds of nothing but 120 the market is there; then 100 strays."""
    found = monitor().hear(NAMES, rows([(0, 0, 100), *((0, at, 120) for at in (61, 62, 63, 64, 65)), (0, 125, 100)]))

    assert [("off_market", "a", 61.0), ("off_market", "a", 125.0)] == told(found)


def test_a_lively_price_may_move_farther() -> None:
    """It has gone up and down by 0.9 % each second for a minute: 5 % more is nothing; a calm one may not."""
    lively = [(0, at, 100.0 * (1.009 if at % 2 else 1.0)) for at in range(60)]
    calm = [(1, at, 100.0) for at in range(60)]

    assert [("off_market", "b", 60.0)] == told(
        monitor().hear(NAMES, rows([*lively, *calm, (0, 60, 105), (1, 60, 105)]))
    )


def test_a_minute_tells_a_check_once() -> None:
    """Five strays in one minute and one in the next are two findings, in whatever portions."""
    one, strays = monitor(), [(0, at, 50.0) for at in (30.0, 30.1, 30.2)]
    found = one.hear(NAMES, rows([(0, 0, 100), *strays]))
    found += one.hear(NAMES, rows([(0, 30.3, 50.0), (0, 30.4, 50.0), (0, 31, 100), (0, 90, 50.0)]))

    assert [30.0, 90.0] == [at for _, _, at in told(found)]
    assert 6 == one.counts["off_market"]


def test_order_and_clocks() -> None:
    """Three seconds late is out of order, one is not; six seconds ahead of us is the future and is not remembered."""
    one = monitor()
    found = one.hear(NAMES, rows([(0, 10, 100), (0, 9, 100), (0, 7, 100), (1, 7, 100)], heard=10))
    found += one.hear(NAMES, rows([(0, 16.1, 100), (0, 10, 100)], heard=11))

    assert [("out_of_order", "a", 7.0), ("in_future", "a", 16.1)] == told(found)


@pytest.mark.parametrize("price", [0.0, -1.0, math.inf])
def test_prices_that_are_none(price: float) -> None:
    """They are found, and move nothing."""
    one = monitor()
    found = one.hear(NAMES, rows([(0, 0, 100), (0, 1, price), (0, 2, 100)]))

    assert [("not_positive", "a", 1.0)] == told(found)
    assert [] == told(one.hear(NAMES, rows([(0, 3, 0.0)])))


def test_a_burst_is_far_more_than_usual() -> None:
    """Two seconds of one trade, then nine in one: four are allowed, the fifth is told."""
    trades = [(0, 0, 1.0), (0, 1, 1.0), (0, 2, 1.0), *((0, 3 + part / 10, 1.0) for part in range(9))]

    assert [("burst", "a", 3.4)] == told(monitor().hear(NAMES, rows(trades)))


def test_ids_that_come_twice() -> None:
    """Of the same instrument, among its last thirty-two; also over portions."""
    one, many = monitor(), REMEMBERED + 2
    first = rows([(0, 0, 1.0), (1, 0, 1.0), (0, 1, 1.0)], ids=np.array([7, 7, 7], np.uint64))
    assert [("duplicate_id", "a", 1.0)] == told(one.hear(NAMES, first))
    later = rows([(1, 60 + at, 1.0) for at in range(many)], ids=np.array([7, *range(100, 99 + many)], np.uint64))
    assert [("duplicate_id", "b", 60.0)] == told(one.hear(NAMES, later))
    assert [] == told(one.hear(NAMES, rows([(1, 300, 1.0)], ids=np.array([7], np.uint64))))


def test_sessions_with_the_hours_around_them() -> None:
    """From five and a half hours before 13:30 to four hours after 20:00; unknown venues are not judged."""
    one = monitor()
    one.hear(NAMES[:1], rows([(0, -19_801, 1.0)]))
    one.set_calendars(Calendars.of(CALENDAR), {"a": "XNYS", "c": "XNYS"})
    trades = [(who, at, 1.0) for who in (0, 1, 2) for at in (-19_801.0, -19_800.0, 37_800.0, 37_801.0)]
    found = one.hear(NAMES, rows(trades))

    assert [(name, at) for name in "ac" for at in (-19_801.0, 37_801.0)] == [
        (name, at) for check, name, at in told(found) if check == "outside_session"
    ]


def test_instruments_that_come_one_after_the_other_know_their_venue() -> None:
    """Five, each later than the one before: all are judged by the calendar."""
    one, names = monitor(), [f"i{number}" for number in range(5)]
    one.set_calendars(Calendars.of(CALENDAR), dict.fromkeys(names, "XNYS"))
    found = [one.hear([name], rows([(0, 40_000, 1.0)])) for name in names]

    assert [[("outside_session", name, 40_000.0)] for name in names] == [told(one) for one in found]


def test_books_that_are_crossed_or_locked() -> None:
    """Quotes without a middle have no price to judge."""
    spread = np.array([0.1, -0.1, 0.0, np.nan])
    quotes = rows([(0, 0, 100.0), (0, 1, 100.0), (0, 2, 100.0), (0, 3, np.nan)], spread=spread)
    one = monitor(kind="quotes")

    assert [("crossed", "a", 1.0), ("locked", "a", 2.0)] == sorted(told(one.hear(NAMES, quotes)))
    assert [] == told(one.hear(NAMES, rows([(0, 4, np.nan)], spread=np.array([np.nan]))))


def test_a_silent_feed_is_told_once_and_when_it_speaks_again() -> None:
    """One trade a second is silent after a minute, in the session only; the close ends a silence."""
    one = monitor()
    one.set_calendars(Calendars.of(CALENDAR), {"a": "XNYS", "b": "XNYS"})
    one.hear(NAMES, rows([(0, at, 1.0) for at in range(10)] + [(2, at, 1.0) for at in range(10)]))
    at = [START + seconds * NANOSECONDS for seconds in (60, 80, 90, 140, 24_000)]

    assert ([], []) == one.silent(at[0])
    begun, over = one.silent(at[1])
    assert [("stale_feed", "a", 9.01)] == told(begun)
    assert ([], [], []) == (over, *one.silent(at[2]))
    one.hear(NAMES, rows([(0, 139, 1.0)]))
    assert [("resumed", "a", 139.01)] == told(one.silent(at[3])[1])
    assert [("stale_feed", "a", 139.01)] == told(one.silent(START + 400 * NANOSECONDS)[0])
    assert [("resumed", "a", 139.01)] == told(one.silent(at[4])[1])


def test_what_is_silent_for_longest_is_forgotten() -> None:
    """Of at most two instruments one and a tenth less are kept when a third comes."""
    one = monitor(most=2)
    for who, at in ((0, 0.0), (1, 1.0), (2, 2.0)):
        one.hear(NAMES, rows([(who, at, 100.0)]))

    assert ["c"] == one.last_heard()["instrument_id"].to_list()
    assert [("off_market", "c", 3.0)] == told(one.hear(NAMES, rows([(2, 3, 50.0), (0, 3, 50.0)])))


def test_when_each_was_heard_last() -> None:
    """By our clock; nothing heard is nothing found."""
    one = monitor()
    assert [] == one.hear(NAMES, rows([]))
    one.hear(NAMES, rows([(0, 5, 1.0), (0, 3, 1.0)], heard=6))
    heard = one.last_heard()

    assert [("a", "trades", START + 6 * NANOSECONDS)] == [
        row for row in heard.with_columns(pl.col("last").cast(pl.Int64)).iter_rows() if row[0] == "a"
    ]


FOUND = [
    (Found("off_market", "a", START, START, 110.0, math.log(100), 0.01), "110 is +10.00% off 100; up to 1.01% was"),
    (Found("not_positive", "a", START, START, -1.0), "a price of -1 is none"),
    (Found("not_positive", "a", START + 1, START, math.inf), "a price of inf is none"),
    (Found("in_future", "a", START + 61 * NANOSECONDS, START), "it is said to happen 1 min 1 s after"),
    (Found("crossed", "a", START, START), "the bid is above the ask"),
    (Found("locked", "a", START, START), "the bid equals the ask"),
    (Found("out_of_order", "a", START, START), "it is older than what was heard before it"),
    (Found("outside_session", "a", START, START), "there is no session at 2024-06-10T13:30:00Z"),
    (Found("burst", "a", START, START), "far more came in one second than usual"),
    (Found("duplicate_id", "a", START, START), "its id was heard shortly before"),
    (Found("stale_feed", "a", START, START + 90 * NANOSECONDS), "nothing came for 1 min 30 s, far longer"),
    (Found("resumed", "a", START, START), "the silence is over"),
]


@pytest.mark.parametrize(("found", "start"), FOUND, ids=[one.check for one, _ in FOUND])
def test_findings_are_told_in_words(found: Found, start: str) -> None:
    """With the numbers that matter."""
    assert words(found).startswith(start)


def test_findings_are_rows() -> None:
    """Of the table, once each; of a stray price with what was to be expected."""
    frame = tick_findings([one for one, _ in FOUND] * 2, provider="p", kind="trades", simulated=True)

    assert TABLES["findings"].columns == dict(frame.schema)
    assert len(FOUND) == len(frame)
    assert {("p", "trades", "monitor", True)} == set(
        frame.select("provider", "timeframe", "round_id", "simulated").rows()
    )
    first = frame.row(0, named=True)
    assert ("price", 110.0, pytest.approx(100 * math.exp(-0.01)), pytest.approx(100 * math.exp(0.01))) == tuple(
        first[name] for name in ("field", "value", "expected_low", "expected_high")
    )
    assert monitor().findings([], simulated=False).is_empty()


prices = st.sampled_from([100.0, 100.2, 100.9, 101.5, 99.0, 130.0, 50.0, 0.0])
steps = st.sampled_from([0.0, 0.01, 0.3, 1.0, 2.0, 45.0, -0.5, -3.0])
DAYS = st.lists(st.tuples(st.integers(0, 2), steps, prices, st.integers(0, 5)), min_size=1, max_size=80)


@given(DAYS, st.lists(st.integers(1, 79), max_size=6))
@settings(max_examples=25)
def test_portions_do_not_matter(day: list[tuple[int, float, float, int]], cuts: list[int]) -> None:
    """A day at once, in any portions, and a trade at a time give the same findings and the same counts."""
    trades, at = [], 0.0
    for who, step, price, _ in day:
        at += max(step, 0.0)
        trades.append((who, at + min(step, 0.0), price))
    ids = np.array([one[3] for one in day], np.uint64)
    known = np.maximum.accumulate(rows(trades).at) + 10**7
    every = []
    portions = sorted({0, *(cut for cut in cuts if cut < len(day)), len(day)})
    for few, bounds in ((0, [0, len(day)]), (8, portions), (8, range(len(day) + 1))):
        one = monitor(few=few)
        one.set_calendars(Calendars.of(CALENDAR), {"a": "XNYS"})
        found: list[Found] = []
        for first, last in pairwise(bounds):
            part = rows(trades[first:last], ids=ids[first:last])
            found += one.hear(NAMES, Rows(part.who, part.at, known[first:last], part.price, part.ids))
        every.append((sorted(found, key=repr), one.counts))

    assert repr(every[0]) == repr(every[1]) == repr(every[2])


@given(st.lists(st.tuples(steps, prices), min_size=1, max_size=60))
@settings(max_examples=25)
def test_strays_are_those_of_a_plain_loop(day: list[tuple[float, float]]) -> None:
    """One instrument, a trade at a time, by the sentences of the module's head."""
    at, trades = 0.0, []
    for step, price in day:
        at += max(step, 0.0)
        trades.append((0, at, price or 100.0))
    one = monitor()
    one.hear(NAMES, rows(trades))

    assert plain_strays(trades) == one.counts["off_market"]


def plain_strays(trades: Sequence[Trade]) -> int:
    reference, move, second, gap, limit, strays = math.nan, 0.01 / 15, None, 1, math.inf, 0
    last = strayed = math.nan
    lost = 0
    for _, at, price in trades:
        now = math.floor(at)
        if now != second:
            if second is not None:
                if not math.isnan(last):
                    if not math.isnan(reference):
                        move += 0.05 * (abs(last - reference) / math.sqrt(gap) - move)
                    reference, lost = last, 0
                else:
                    lost += 1
                    if lost >= 3:
                        reference, lost = strayed, 0
            gap = min(now - second, 900) if second is not None else 1
            second, last = now, math.nan
            limit = max(0.01, 15 * move * math.sqrt(gap))
        if abs(math.log(price) - reference) > limit:
            strays, strayed = strays + 1, math.log(price)
        else:
            last = math.log(price)
    return strays
