"""Gaps of streams become questions, and are forgotten when somebody has answered them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipeline_doubles import NOW, capture
from truetape.domain.messages import RoundClosed, StreamCaptured
from truetape.domain.ticks import Gap
from truetape.domain.time import DAY_NS, NANOSECONDS
from truetape.services.ingestion.healing import Healing, Span
from truetape.services.ingestion.rounds import Round

MINUTE = 60 * NANOSECONDS
TODAY = date(2024, 6, 10)
SYMBOLS = {"ins_a": "A", "ins_b": "B"}


def healing() -> Healing:
    return Healing(after_s=90.0, days=7, retry_s=300.0)


def segment(*gaps: Gap, provider: str = "p") -> StreamCaptured:
    return StreamCaptured(
        provider=provider,
        connection="p 0",
        number=0,
        key="k",
        ts_known=NOW,
        frames=1,
        channels=("trades",),
        instruments={"A": "ins_a", "a": "ins_a", "B": "ins_b"},
        gaps=gaps,
    )


def gap(since: int, until: int, symbol: str = "A") -> Gap:
    return Gap(symbol=symbol, channel="t", ts_event=until, since=since, words="1, 3")


def closed(**changes: Any) -> RoundClosed:
    given: dict[str, Any] = {
        "round_id": "rnd_1",
        "instrument_id": "ins_a",
        "kind": "bars",
        "timeframe": "1m",
        "start": TODAY,
        "end": TODAY,
        "ts_known": NOW + 10 * MINUTE,
        "captured": (),
        "providers": (),
        "partial": True,
        **changes,
    }
    return RoundClosed(**given)


def asked(one: Healing, now_ns: int) -> list[tuple[str, tuple[str, ...]]]:
    return [(round_.symbol, round_.only) for round_ in one.due(SYMBOLS, now_ns=now_ns)]


def test_gaps_of_one_instrument_are_one() -> None:
    """From the earliest to the latest; a gap of every symbol is one of each instrument."""
    one = healing()
    one.note(segment(gap(NOW, NOW + 5), gap(NOW - 7, NOW - 3)))
    one.note(segment(gap(0, NOW + 1, ""), gap(NOW, NOW + 1, "nobody's")))

    assert {("p", "ins_a"): Span(NOW - 7, NOW + 5), ("p", "ins_b"): Span(NOW + 1, NOW + 1)} == one.open


def test_a_gap_is_asked_for_when_its_last_minute_is_there() -> None:
    """A minute and a half after the end of the minute in which it ended, from the provider alone."""
    one = healing()
    one.note(segment(gap(NOW, NOW + 30 * NANOSECONDS)))

    assert [] == asked(one, NOW + MINUTE + 89 * NANOSECONDS)
    round_ = next(one.due(SYMBOLS, now_ns=NOW + MINUTE + 90 * NANOSECONDS))
    assert Round(round_.round_id, "ins_a", "A", "bars", "1m", TODAY, TODAY, only=("p",), partial=True) == round_


def test_a_gap_that_stays_is_asked_for_again_of_everybody() -> None:
    """After five minutes, ten, twenty."""
    one = healing()
    one.note(segment(gap(NOW, NOW)))
    minutes = [minute for minute in range(60) if asked(one, NOW + minute * MINUTE)]

    assert [3, 8, 18, 38] == minutes
    later = Healing(after_s=0.0, days=7, retry_s=300.0)
    later.note(segment(gap(NOW, NOW)))
    assert [("A", ("p",))] == asked(later, NOW + MINUTE)
    assert [("A", ())] == asked(later, NOW + 6 * MINUTE)


def test_an_answer_heals_what_had_ended_when_it_came() -> None:
    """A gap that came up since then, or on another day, stays."""
    one = healing()
    one.note(segment(gap(NOW, NOW + 5)))
    one.close(closed(ts_known=NOW + MINUTE - 1))
    assert 1 == len(one.open)
    one.close(closed(captures=(capture(ts_known=NOW + 1),)))
    assert 1 == len(one.open)
    one.close(closed(captures=(capture(ts_known=NOW + MINUTE),)))
    assert {} == one.open
    assert [] == asked(one, NOW + 9 * MINUTE)


@pytest.mark.parametrize(
    "changes",
    [
        {"partial": False},
        {"timeframe": "1d"},
        {"kind": "trades"},
        {"instrument_id": "ins_b"},
        {"start": date(2024, 6, 11), "end": date(2024, 6, 11)},
    ],
)
def test_other_rounds_heal_nothing(changes: dict[str, Any]) -> None:
    """Of another kind, timeframe, instrument or day."""
    one = healing()
    one.note(segment(gap(NOW, NOW + 5)))
    one.close(closed(**changes))

    assert 1 == len(one.open)


def test_a_gap_is_healed_a_week_back_and_given_up_after_a_week() -> None:
    """Longer ones are healed from there on."""
    one = healing()
    one.note(segment(gap(NOW - 30 * DAY_NS, NOW)))
    round_ = next(one.due(SYMBOLS, now_ns=NOW + 3 * MINUTE))

    assert (date(2024, 6, 3), TODAY) == (round_.start, round_.end)
    assert [] == asked(one, NOW + 8 * DAY_NS)
    assert {} == one.open


def test_an_instrument_that_is_not_known_waits() -> None:
    """Its gap is asked for when it is."""
    one = healing()
    one.note(segment(gap(NOW, NOW)))

    assert [] == list(one.due({}, now_ns=NOW + 5 * MINUTE))
    assert 1 == len(list(one.due(SYMBOLS, now_ns=NOW + 5 * MINUTE)))
