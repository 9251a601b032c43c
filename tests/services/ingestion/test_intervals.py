"""The interval ledger: dates settled, dates empty with a reason, and what is still owed."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_doubles import NOW, capture, closing
from truetape.domain.messages import GaveUp, RoundClosed
from truetape.services.ingestion.intervals import (
    Debt,
    IntervalLedger,
    Span,
    covers,
    has_session,
    merged,
    without,
)

ORIGIN = date(2024, 1, 1)
SERIES = ("ins_a", "bars", "1d")


def day(number: int) -> date:
    return ORIGIN + timedelta(days=number)


def span(first: int, last: int) -> Span:
    return day(first), day(last)


def days_of(spans: list[Span]) -> set[date]:
    return {first + timedelta(days=step) for first, last in spans for step in range((last - first).days + 1)}


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda one: span(one[0], one[0] + one[1])))


@given(SPANS)
def test_merged_spans_are_the_same_dates(spans: list[Span]) -> None:
    """The fewest spans: between two of them there is a date that is in none."""
    result = merged(spans)

    assert days_of(spans) == days_of(result)
    assert all(after[0] > before[1] + timedelta(days=1) for before, after in itertools.pairwise(result))


@given(st.tuples(st.integers(-5, 60), st.integers(0, 70)), SPANS)
def test_gaps_are_what_is_left(wanted: tuple[int, int], spans: list[Span]) -> None:
    """A date of the range is in a gap or settled, never both."""
    asked = span(wanted[0], wanted[0] + wanted[1])

    gaps = without(asked, merged(spans))

    assert days_of([asked]) - days_of(spans) == days_of(gaps)
    assert gaps == merged(gaps)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(span(5, 6), False, id="a weekend"),
        pytest.param(span(4, 6), True, id="from Friday on"),
        pytest.param(span(5, 7), True, id="until Monday"),
        pytest.param(span(-1, 0), True, id="before what is known"),
        pytest.param(span(8, 9), True, id="behind what is known"),
    ],
)
def test_whether_a_gap_has_a_session(asked: Span, expected: bool) -> None:
    """The calendar knows Monday 1 January to Monday 8 January."""
    sessions = [day(number) for number in (0, 1, 2, 3, 4, 7)]

    assert expected is has_session(asked, sessions)


def test_without_a_calendar_any_date_may_be_a_session() -> None:
    """An unknown venue is asked about."""
    assert has_session(span(5, 6), [])


def test_covering() -> None:
    """A span covers itself and what lies within."""
    assert [True, True, False] == [covers(span(1, 5), one) for one in (span(1, 5), span(2, 3), span(2, 6))]


def closed(first: int, last: int, *providers: str, gave_up: tuple[GaveUp, ...] = (), **changes: Any) -> RoundClosed:
    pages = [capture(name, start=day(first), end=day(last), round_id=f"rnd_{first}_{last}") for name in providers]
    given = {"gave_up": gave_up, **changes}
    if pages:
        return closing(*pages, **given)
    empty = capture("nobody", start=day(first), end=day(last), round_id=f"rnd_{first}_{last}")
    return closing(empty, captured=(), providers=(), captures=(), **given)


def failed(name: str, failure_class: str = "quota") -> GaveUp:
    return GaveUp(provider=name, failure_class=failure_class, words="25 a day", attempts=1)


def test_a_closed_round_settles_its_range() -> None:
    """And forgets the pages that it is made of; the first provider tells in which basis the series stands."""
    ledger = IntervalLedger()
    ledger.capture(capture("p", round_id="rnd_0_4"))
    ledger.close(closed(0, 4, "p"))
    ledger.close(closed(5, 9, "q"))

    assert {SERIES: [span(0, 9)]} == ledger.settled
    assert {SERIES: "p"} == ledger.sources
    assert {} == ledger.captures


def test_an_empty_range_is_remembered_with_its_reason() -> None:
    """It is settled too: nobody needs to be asked again."""
    ledger = IntervalLedger()

    ledger.close(closed(0, 4, empty="p: it has no rows for it"))

    assert {SERIES: [(span(0, 4), "p: it has no rows for it")]} == ledger.empty
    assert [] == without(span(0, 4), ledger.settled[SERIES])
    assert {} == ledger.sources


@pytest.mark.parametrize("failure_class", ["quota", "throttled", "transient", "blocked", "conflict"])
def test_who_could_not_deliver_owes_it(failure_class: str) -> None:
    """What may pass is a debt, with its range and since when; further ones are added to it."""
    ledger = IntervalLedger()
    ledger.close(closed(0, 4, "p", gave_up=(failed("q", failure_class),)))
    ledger.close(closed(5, 9, "p", gave_up=(failed("q", failure_class),)))

    assert {SERIES: {"q": Debt(span(0, 9), NOW, "25 a day")}} == ledger.debts


@pytest.mark.parametrize("failure_class", ["permanent", "entitlement", "auth", "empty"])
def test_what_will_not_pass_is_no_debt(failure_class: str) -> None:
    """Asking again would cost money and bring nothing."""
    ledger = IntervalLedger()

    ledger.close(closed(0, 4, "p", gave_up=(failed("q", failure_class),)))

    assert {} == ledger.debts


def test_a_delivery_pays_the_debt() -> None:
    """Only one that covers all of it."""
    ledger = IntervalLedger()
    ledger.close(closed(0, 4, "p", gave_up=(failed("q"), failed("r"))))
    ledger.close(closed(1, 4, "q"))
    assert {"q", "r"} == set(ledger.debts[SERIES])

    ledger.close(closed(0, 4, "q", "r"))

    assert {} == ledger.debts


def test_the_same_page_again_stands_for_the_one_before() -> None:
    """Pages are told apart by range and mark; captures of no round are not remembered."""
    ledger = IntervalLedger()
    old, new, other = capture("p"), capture("p", body=b"again"), capture("p", page="2")
    for one in (old, other, new, capture("p", round_id="")):
        ledger.capture(one)

    assert {"rnd_1": {"p": [other, new]}} == ledger.captures


def test_a_debt_can_be_put_off() -> None:
    """It stays what it was, but for since when."""
    ledger = IntervalLedger()
    ledger.close(closed(0, 4, "p", gave_up=(failed("q"),)))

    ledger.put_off(SERIES, "q", NOW + 5)
    ledger.put_off(SERIES, "nobody", NOW + 5)

    assert {SERIES: {"q": Debt(span(0, 4), NOW + 5, "25 a day")}} == ledger.debts
