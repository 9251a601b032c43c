"""The circuit breaker: rests that grow, one probe at a time, and failures that are none of the provider's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.failures import Failure, FailureClass
from truetape.domain.time import NANOSECONDS
from truetape.services.ingestion.breaker import Breaker, BreakerRules

RULES = BreakerRules(failures=3, rest_s=60.0, longest_s=200.0)
DOWN = Failure(failure_class=FailureClass.TRANSIENT, words="HTTP 503")
SECOND = NANOSECONDS


def opened() -> Breaker:
    breaker = Breaker(RULES)
    for _ in range(3):
        assert breaker.admits(0)
        breaker.note(DOWN, 0)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """Two are bad luck, three are a rest of a minute; a success between them starts the count anew."""
    breaker = Breaker(RULES)
    for failure in (DOWN, DOWN, None, DOWN, DOWN):
        breaker.note(failure, 0)
    assert breaker.admits(0)

    breaker.note(DOWN, 0)

    assert not breaker.admits(0)
    assert (60 * SECOND, "HTTP 503") == (breaker.open_until_ns, breaker.words)


def test_one_probe_reopens_it() -> None:
    """After the rest exactly one question passes; its success lets the others pass too."""
    breaker = opened()

    assert [False, True, False, False] == [breaker.admits(at * SECOND) for at in (59, 60, 60, 300)]
    breaker.note(None, 61 * SECOND)

    assert [True, True] == [breaker.admits(62 * SECOND), breaker.admits(62 * SECOND)]
    assert breaker.probes == 1


def test_each_failed_probe_doubles_the_rest() -> None:
    """60, 120, and then no longer than the longest."""
    breaker, now, rests = opened(), 0, []
    for _ in range(4):
        rests.append((breaker.open_until_ns - now) / SECOND)
        now = breaker.open_until_ns
        assert breaker.admits(now)
        breaker.note(DOWN, now)

    assert [60.0, 120.0, 200.0, 200.0] == rests


@pytest.mark.parametrize("failure_class", [FailureClass.AUTH, FailureClass.BLOCKED, FailureClass.CONFLICT])
def test_some_failures_open_it_at_once(failure_class: FailureClass) -> None:
    """A ban, a bad key and a second session are not tried again for long: going on would make them worse."""
    breaker = Breaker(RULES)

    breaker.note(Failure(failure_class=failure_class, words="no"), 0)

    assert [False, True] == [breaker.admits(199 * SECOND), breaker.admits(200 * SECOND)]


@pytest.mark.parametrize(
    "failure_class",
    [
        FailureClass.EMPTY,
        FailureClass.THROTTLED,
        FailureClass.QUOTA,
        FailureClass.ENTITLEMENT,
        FailureClass.PERMANENT,
    ],
)
def test_other_failures_are_no_outage(failure_class: FailureClass) -> None:
    """They neither open it nor hide an outage around them; as the outcome of a probe they show that it lives."""
    said = Failure(failure_class=failure_class, words="no")
    breaker = Breaker(RULES)
    for failure in (DOWN, said, DOWN, said, DOWN):
        breaker.note(failure, 0)
    assert not breaker.admits(0)

    assert breaker.admits(60 * SECOND)
    breaker.note(said, 60 * SECOND)

    assert breaker.admits(60 * SECOND)


def test_a_probe_that_was_never_sent_is_given_back() -> None:
    """Else nobody would ever probe again."""
    breaker = opened()
    assert breaker.admits(60 * SECOND)

    breaker.release()

    assert breaker.admits(60 * SECOND)


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from([None, DOWN])), max_size=60))
def test_while_it_rests_nothing_passes(steps: list[tuple[int, Failure | None]]) -> None:
    """Whatever happens: what passes during a rest is nothing, and a probe is alone."""
    breaker, now = Breaker(RULES), 0
    for seconds, outcome in steps:
        now += seconds * SECOND
        rests = breaker.rests > 0
        if breaker.admits(now):
            assert now >= breaker.open_until_ns
            assert not rests or not breaker.admits(now)
            breaker.note(outcome, now)
        else:
            assert now < breaker.open_until_ns
