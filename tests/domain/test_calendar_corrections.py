"""What is believed of single days, before and after corrections were known."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.calendar_corrections import CORRECTION, HOURS, KINDS, TOLD, believed, in_force
from truetape.domain.time import from_datetime

MONDAY, TUESDAY, WEDNESDAY = date(2024, 6, 10), date(2024, 6, 11), date(2024, 6, 12)
ANNOUNCED = datetime(2024, 6, 8, 12, tzinfo=UTC)
BEFORE, AFTER = from_datetime(ANNOUNCED) - 1, from_datetime(ANNOUNCED)


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def hours(*days: date, close: int = 16) -> pl.DataFrame:
    """Return days from 9 to 16 o'clock with lunch from 12 to 13."""
    rows = [(day, at(day, 9), at(day, close), at(day, 12), at(day, 13)) for day in days]
    return pl.DataFrame(rows, schema=HOURS, orient="row")


def said(day: date, what: str, **told: object) -> dict[str, object]:
    return {"mic": "XNYS", "session": day, "what": what, "why": "w", "source": "s", **told}


def corrections(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in CORRECTION} for row in rows], schema=CORRECTION)


def test_a_closure_is_believed_from_its_announcement_on() -> None:
    """An instant before, Tuesday is a session as the rules say; from that instant on it is none."""
    closed = corrections(said(TUESDAY, "closed", known=ANNOUNCED))
    ruled = hours(MONDAY, TUESDAY)

    found = {as_of: believed(ruled, closed, usual=hours(TUESDAY), as_of=as_of) for as_of in (BEFORE, AFTER, None)}

    assert [MONDAY, TUESDAY] == found[BEFORE]["session"].to_list()
    assert [MONDAY] == found[AFTER]["session"].to_list() == found[None]["session"].to_list()
    assert [*HOURS, *TOLD] == found[BEFORE].columns == found[AFTER].columns


def test_rules_that_know_more_than_was_known_are_overruled() -> None:
    """The rules, written later, know the closure; before its announcement the day was to be one like others."""
    told = corrections(said(TUESDAY, "open"), said(TUESDAY, "closed", known=ANNOUNCED))
    ruled = hours(MONDAY, WEDNESDAY)

    before = believed(ruled, told, usual=hours(TUESDAY), as_of=BEFORE)

    assert hours(MONDAY, TUESDAY, WEDNESDAY).equals(before.select(list(HOURS)))
    assert [None, None, None] == before["known"].to_list()
    assert [None, "w", None] == before["why"].to_list()
    assert ruled.equals(believed(ruled, told, usual=hours(TUESDAY)).select(list(HOURS)))


def test_hours_that_are_not_told_are_those_of_every_day() -> None:
    """An early close before the end of lunch ends the break with the day; without a break, none is left."""
    early = corrections(said(MONDAY, "open", close=at(MONDAY, 13)), said(TUESDAY, "no_break", open=at(TUESDAY, 10)))

    found = believed(hours(MONDAY, TUESDAY), early, usual=hours(MONDAY, TUESDAY))

    assert [
        (MONDAY, at(MONDAY, 9), at(MONDAY, 13), None, None),
        (TUESDAY, at(TUESDAY, 10), at(TUESDAY, 16), None, None),
    ] == found.select(list(HOURS)).rows()


def test_another_break_is_told_with_its_times() -> None:
    """Lunch from 11 to 12 on one day."""
    moved = corrections(said(MONDAY, "open", break_start=at(MONDAY, 11), break_end=at(MONDAY, 12)))

    found = believed(hours(MONDAY), moved, usual=hours(MONDAY))

    assert [(at(MONDAY, 11), at(MONDAY, 12))] == found.select("break_start", "break_end").rows()


def test_hours_that_cannot_be_are_no_session() -> None:
    """A close before the open of every day makes none, as does a day whose usual hours nobody knows."""
    wrong = corrections(said(MONDAY, "open", close=at(MONDAY, 8)), said(TUESDAY, "open"))

    assert believed(hours(MONDAY), wrong, usual=hours(MONDAY)).is_empty()


@pytest.mark.parametrize(("as_of", "expected"), [(BEFORE, ["open"]), (AFTER, ["no_break"]), (None, ["no_break"])])
def test_of_corrections_known_at_once_the_last_counts(as_of: int | None, expected: list[str]) -> None:
    """Since ever comes before any instant; at one instant, the row that stands last is it."""
    told = corrections(
        said(MONDAY, "closed", known=ANNOUNCED), said(MONDAY, "no_break", known=ANNOUNCED), said(MONDAY, "open")
    )

    assert expected == in_force(told, as_of=as_of)["what"].to_list()


def since(told: tuple[date, str, int | None]) -> int:
    return -1 if told[2] is None else told[2]


@given(
    st.lists(
        st.tuples(st.sampled_from([MONDAY, TUESDAY, WEDNESDAY]), st.sampled_from(KINDS), st.integers(0, 9) | st.none()),
        max_size=12,
    ),
    st.integers(-1, 10),
)
def test_what_was_believed_follows_from_what_was_known(told: list[tuple[date, str, int | None]], as_of: int) -> None:
    """As of any time the sessions are those of a calendar that never heard of what came later."""
    rows = [said(day, what, known=known) for day, what, known in told]
    known = [one for one in rows if one["known"] is None or int(str(one["known"])) <= as_of]
    every = hours(MONDAY, TUESDAY, WEDNESDAY)
    ruled = hours(MONDAY, WEDNESDAY)

    then = believed(ruled, corrections(*rows), usual=every, as_of=as_of)

    assert then.equals(believed(ruled, corrections(*known), usual=every))
    heard = sorted((one for one in told if since(one) <= as_of), key=since)
    last = {day: what for day, what, _ in heard}
    open_ = [
        day for day in (MONDAY, TUESDAY, WEDNESDAY) if last.get(day, "closed" if day == TUESDAY else "") != "closed"
    ]
    assert open_ == then["session"].to_list()
