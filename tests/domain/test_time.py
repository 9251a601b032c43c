"""Instants, session dates and how they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.errors import BadInput
from truetape.domain.time import (
    DAY_NS,
    NANOSECONDS,
    day_start_ns,
    from_datetime,
    iso,
    parse_day,
    parse_instant,
    to_datetime,
)

JUNE_10 = 1_717_977_600 * NANOSECONDS  # 2024-06-10T00:00:00Z, from `date -u -d 2024-06-10 +%s`


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(1970, 1, 1), 0), (date(1969, 12, 31), -DAY_NS), (date(2024, 6, 10), JUNE_10)],
)
def test_a_day_starts_at_midnight_utc(day: date, expected: int) -> None:
    """Days before 1970 are negative."""
    assert day_start_ns(day) == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (JUNE_10, "2024-06-10T00:00:00Z"),
        (JUNE_10 + 500_000_000, "2024-06-10T00:00:00.5Z"),
        (JUNE_10 + 1, "2024-06-10T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_iso_shows_as_many_digits_as_there_are(instant: int, expected: str) -> None:
    """No nanosecond is lost, and none is invented."""
    assert iso(instant) == expected


@given(st.integers(min_value=-(10**18), max_value=4 * 10**18))
def test_datetimes_keep_microseconds(instant: int) -> None:
    """There and back loses what is below a microsecond and nothing more."""
    assert from_datetime(to_datetime(instant)) == instant - instant % 1000


def test_any_zone_is_turned_to_utc() -> None:
    """16:00 four hours west of Greenwich is 20:00 UTC."""
    new_york = timezone(timedelta(hours=-4))

    assert from_datetime(datetime(2024, 6, 10, 16, tzinfo=new_york)) == JUNE_10 + 20 * 3600 * NANOSECONDS
    assert to_datetime(JUNE_10) == datetime(2024, 6, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-10", JUNE_10),
        ("2024-06-10T20:00:00Z", JUNE_10 + 20 * 3600 * NANOSECONDS),
        ("2024-06-10T16:00:00-04:00", JUNE_10 + 20 * 3600 * NANOSECONDS),
        ("2024-06-10T00:00:00.123456789Z", JUNE_10 + 123_456_789),
        ("2024-06-09T20:00:00.0000001-04:00", JUNE_10 + 100),
        ("2024-06-10T02:00:00 02:00", JUNE_10),  # a plus sign that a URL has turned into a space
    ],
)
def test_instants_are_read(text: str, expected: int) -> None:
    """A date is its midnight in UTC."""
    assert parse_instant(text, parameter="as_of") == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2024-13-01", "YYYY-MM-DD"),
        ("yesterday", "2024-06-10T20:00:00Z"),
        ("2024-06-10T20:00:00", "The zone is missing"),
        ("", "2024-06-10T20:00:00Z"),
    ],
)
def test_what_is_no_instant_is_refused_with_an_example(text: str, words: str) -> None:
    """The error names the parameter, the value and the fix."""
    with pytest.raises(BadInput, match=words) as caught:
        parse_instant(text, parameter="as_of")

    assert (caught.value.parameter, caught.value.value) == ("as_of", text)


def test_days_are_read() -> None:
    """Only YYYY-MM-DD is a day."""
    assert parse_day("2005-02-28", parameter="start") == date(2005, 2, 28)
    with pytest.raises(BadInput, match=r"start was '2005-02-29'"):
        parse_day("2005-02-29", parameter="start")
