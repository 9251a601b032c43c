"""Rounds: planned from the journal, resumed, superseded, retold."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipeline_doubles import capture, closing
from truetape.domain.identity import round_id
from truetape.domain.messages import DecisionMade, InstrumentsDeclared, RoundClosed
from truetape.services.ingestion.rounds import History, Listed, Round, Wanted, plan, recall, retold, widest

START, END = date(2024, 1, 2), date(2024, 6, 7)
LISTINGS = [Listed("ins_a", "A", "XNYS"), Listed("ins_b", "B")]


def planned(history: History, *, start: date = START, end: date = END, **rest: Any) -> list[Round]:
    return list(plan(LISTINGS, history.ledger, Wanted("bars", "1d", start, end), **{"overlap_days": 10, **rest}))


def ranges(rounds: list[Round]) -> dict[str, tuple[date, date]]:
    return {one.instrument_id: (one.start, one.end) for one in rounds}


def closed(start: date, end: date, *, instrument: str = "ins_a", **changes: Any) -> RoundClosed:
    identity = round_id(instrument=instrument, kind="bars", timeframe="1d", start=start, end=end)
    message = capture(round_id=identity, instrument_id=instrument, start=start, end=end)
    return closing(message, **changes)


def test_without_history_the_whole_range_is_asked() -> None:
    """Each instrument has a round with the id of its question."""
    rounds = planned(History())

    assert ranges(rounds) == {"ins_a": (START, END), "ins_b": (START, END)}
    assert [one.symbol for one in rounds] == ["A", "B"]
    assert rounds[0].round_id == round_id(instrument="ins_a", kind="bars", timeframe="1d", start=START, end=END)
    assert rounds[0].captured == {}


@pytest.mark.parametrize(
    ("covered", "expected"),
    [
        pytest.param([(START, END)], None, id="all of it"),
        pytest.param([(START, date(2024, 6, 14))], None, id="more than it"),
        pytest.param([(START, date(2024, 5, 31))], (date(2024, 5, 21), END), id="but the last week"),
        pytest.param([(START, date(2024, 1, 5))], (START, END), id="the overlap ends at the start"),
        pytest.param(
            [(START, date(2024, 5, 1)), (date(2024, 4, 21), date(2024, 5, 31))],
            (date(2024, 5, 21), END),
            id="in two steps",
        ),
        pytest.param(
            [(date(2024, 3, 1), END)], (START, date(2024, 2, 29)), id="but the time before: the start was moved back"
        ),
    ],
)
def test_what_is_covered_is_asked_again_only_at_its_end(
    covered: list[tuple[date, date]], expected: tuple[date, date] | None
) -> None:
    """Providers still correct their last days; the other instrument has no history."""
    history = recall(closed(start, end) for start, end in covered)

    assert ranges(planned(history)).get("ins_a") == expected
    assert ranges(planned(history))["ins_b"] == (START, END)


@pytest.mark.parametrize("other", [{"kind": "quotes"}, {"timeframe": "1h"}])
def test_other_questions_cover_nothing(other: dict[str, str]) -> None:
    """Hourly bars say nothing about daily ones."""
    assert ranges(planned(recall([closed(START, END, **other)])))["ins_a"] == (START, END)


SESSIONS = {"XNYS": [date(2024, 5, 30), date(2024, 5, 31), date(2024, 6, 3)]}


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        pytest.param(date(2024, 6, 2), [], id="a weekend"),
        pytest.param(date(2024, 6, 3), [(date(2024, 5, 21), date(2024, 6, 3))], id="with the Monday behind it"),
        pytest.param(date(2024, 6, 4), [(date(2024, 5, 21), date(2024, 6, 4))], id="beyond what the calendar knows"),
    ],
)
def test_a_gap_without_a_session_needs_no_round(end: date, expected: list[tuple[date, date]]) -> None:
    """Nobody is asked about a weekend or a holiday; where the calendar ends, any date may be a session."""
    history = recall([closed(START, date(2024, 5, 31))])

    rounds = planned(history, end=end, sessions=SESSIONS)

    assert [(one.start, one.end) for one in rounds if one.instrument_id == "ins_a"] == expected


def test_two_gaps_are_two_rounds() -> None:
    """What lies between them is not asked for again, and a backfill wants no overlap."""
    history = recall([closed(date(2024, 2, 1), date(2024, 2, 29)), closed(date(2024, 4, 1), date(2024, 4, 30))])

    rounds = [(one.start, one.end) for one in planned(history, overlap_days=0) if one.instrument_id == "ins_a"]

    assert rounds == [
        (START, date(2024, 1, 31)),
        (date(2024, 3, 1), date(2024, 3, 31)),
        (date(2024, 5, 1), END),
    ]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param(date(2024, 3, 1), None, [(date(2024, 3, 1), END)], id="listed later"),
        pytest.param(None, date(2024, 3, 1), [(START, date(2024, 3, 1))], id="delisted"),
        pytest.param(date(2024, 7, 1), None, [], id="not listed yet"),
    ],
)
def test_only_the_time_of_the_listing_is_asked(
    first: date | None, last: date | None, expected: list[tuple[date, date]]
) -> None:
    """Before and after it there is nothing to be had."""
    listed = Listed("ins_a", "A", "XNYS", first, last)

    rounds = plan([listed], History().ledger, Wanted("bars", "1d", START, END), overlap_days=10)

    assert [(one.start, one.end) for one in rounds] == expected


def test_a_range_that_ends_before_it_starts_is_empty() -> None:
    """Somebody wants prices from tomorrow on."""
    assert planned(History(), start=date(2024, 6, 8)) == []


def test_a_round_that_a_crash_cut_short_knows_who_has_delivered() -> None:
    """Captures are found by the id of the question; what is no capture and no closing is passed over."""
    whole = round_id(instrument="ins_a", kind="bars", timeframe="1d", start=START, end=END)
    declared = InstrumentsDeclared(listings=(), start=START, end=END, ts_known=1)
    old, new = capture("p", round_id=whole), capture("p", body=b"again", round_id=whole)

    rounds = planned(recall([declared, old, new, capture("q", round_id="rnd_other")]))

    assert rounds[0].captured == {"p": [new]}
    assert rounds[1].captured == {}


def asked(start: int, end: int, *, instrument: str = "ins_a", timeframe: str = "1d") -> Round:
    return Round(
        f"{instrument}{timeframe}{start}-{end}",
        instrument,
        "A",
        "bars",
        timeframe,
        date(2024, 6, start),
        date(2024, 6, end),
    )


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([asked(1, 5), asked(1, 6)], [asked(1, 6)], id="a longer one after"),
        pytest.param([asked(1, 6), asked(2, 5)], [asked(1, 6)], id="a shorter one after"),
        pytest.param([asked(1, 5), asked(1, 5)], [asked(1, 5)], id="the same"),
        pytest.param([asked(1, 2), asked(3, 4), asked(1, 9)], [asked(1, 9)], id="one for two"),
        pytest.param([asked(1, 5), asked(2, 6)], [asked(1, 5), asked(2, 6)], id="overlapping"),
        pytest.param(
            [asked(1, 5), asked(1, 6, instrument="ins_b"), asked(1, 6, timeframe="1h")],
            [asked(1, 5), asked(1, 6, instrument="ins_b"), asked(1, 6, timeframe="1h")],
            id="about something else",
        ),
    ],
)
def test_a_round_within_another_is_not_asked(rounds: list[Round], expected: list[Round]) -> None:
    """While nobody answers, the rounds of many days must not pile up."""
    assert widest(rounds) == expected


def test_what_may_not_have_reached_the_store_is_told_again() -> None:
    """Captures of rounds never closed, then unmarked rounds with their captures; marked rounds are done."""
    open_p = capture("p", round_id="rnd_open")
    done_p = capture("p", round_id="rnd_done")
    lost_p, lost_q = capture("p", round_id="rnd_lost"), capture("q", round_id="rnd_lost")
    done, lost = closing(done_p), closing(lost_p, lost_q)

    told = list(retold(recall([done_p, done, lost_q, lost_p, lost, open_p], stored=frozenset({"rnd_done"}))))

    assert told == [open_p, lost_p, lost_q, lost]


def test_an_old_closing_is_told_with_the_captures_of_the_journal() -> None:
    """Journals written before closings repeated their captures are still complete."""
    p, q = capture("p", round_id="rnd_old"), capture("q", body=b"other", round_id="rnd_old")
    old = closing(p, q, captures=())

    assert list(retold(recall([p, q, old]))) == [p, q, closing(p, q)]


def test_a_closing_without_its_captures_is_told_alone() -> None:
    """A journal that somebody cut at its head still starts."""
    lost = closing(capture("p", round_id="rnd_lost"), captures=())

    assert [lost] == list(retold(recall([lost])))


def test_decisions_that_never_acted_are_told_again_in_their_place() -> None:
    """Between the rounds before and after them; those that the store has marked are not told."""

    def decided(number: int) -> DecisionMade:
        return DecisionMade(
            decision_id=f"dec_{number}",
            target="qua_a_1",
            action="accept",
            instrument_id="ins_a",
            kind="bars",
            timeframe="1d",
            start=date(2024, 6, 3),
            end=date(2024, 6, 3),
            provider="yahoo",
            actor="ann",
            why="w",
            ts_known=number,
        )

    def closed(number: int) -> RoundClosed:
        return RoundClosed(
            round_id=f"rnd_{number}",
            instrument_id="ins_a",
            kind="bars",
            timeframe="1d",
            start=date(2024, 6, 3),
            end=date(2024, 6, 3),
            ts_known=number,
            captured=(),
            providers=(),
        )

    entries = [decided(1), closed(2), decided(3), closed(4)]

    assert entries[1:] == list(retold(recall(entries, stored=frozenset({"dec_1"}))))
