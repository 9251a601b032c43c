"""Sessions of venues."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from truetape.domain.errors import BadInput
from truetape.domain.schema import INSTANT
from truetape.services.reference.calendars import (
    GREAT_VENUES,
    breaks,
    covered,
    follows_calendar,
    has_calendar,
    keeper_of,
    known_mics,
    schedule,
    sessions,
)


def utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def test_a_holiday_week_is_as_the_venue_published_it() -> None:
    """Thanksgiving 2012: closed on Thursday the 22nd, and on Friday at 13:00 in New York."""
    found = sessions("XNYS", start=date(2012, 11, 21), end=date(2012, 11, 25))

    assert found.schema == {"mic": pl.String, "session": pl.Date, "open": INSTANT, "close": INSTANT}
    wednesday, friday = date(2012, 11, 21), date(2012, 11, 23)
    assert found.rows() == [
        ("XNYS", wednesday, utc(wednesday, 14, 30), utc(wednesday, 21)),
        ("XNYS", friday, utc(friday, 14, 30), utc(friday, 18)),
    ]


def test_lunch_breaks_are_as_the_venue_publishes_them() -> None:
    """Tokyo rests from 11:30 to 12:30, which is 02:30 to 03:30 UTC; New York does not, and no weekend has one."""
    friday = date(2024, 6, 14)

    found = breaks("XTKS", start=friday, end=date(2024, 6, 16))

    assert found.schema == {"mic": pl.String, "session": pl.Date, "break_start": INSTANT, "break_end": INSTANT}
    assert [("XTKS", friday, utc(friday, 2, 30), utc(friday, 3, 30))] == found.rows()
    assert breaks("XNYS", start=friday, end=friday).is_empty()
    assert breaks("XTKS", start=friday, end=date(2024, 6, 13)).is_empty()


def test_a_schedule_over_decades_is_that_of_its_days() -> None:
    """Sessions and breaks together, whichever decades the range touches."""
    start, end = date(1999, 12, 28), date(2010, 1, 8)

    found = schedule("XTKS", start=start, end=end)

    assert found.select("mic", "session", "open", "close").equals(sessions("XTKS", start=start, end=end))
    lunch = found.select("mic", "session", "break_start", "break_end").drop_nulls()
    assert lunch.equals(breaks("XTKS", start=start, end=end))
    assert schedule("XNYS", start=date(2024, 6, 8), end=date(2024, 6, 9)).is_empty()


@pytest.mark.parametrize(
    ("mic", "start", "end", "expected"),
    [
        pytest.param("XNAS", date(2024, 6, 10), date(2024, 6, 10), 1, id="one session"),
        pytest.param("XNYS", date(2024, 6, 8), date(2024, 6, 9), 0, id="a weekend"),
        pytest.param("XNYS", date(2024, 6, 11), date(2024, 6, 10), 0, id="start after end"),
        pytest.param("XNYS", date(2001, 9, 10), date(2001, 9, 17), 2, id="the closure of September 2001"),
        pytest.param("XSHG", date(2023, 1, 23), date(2023, 1, 25), 0, id="the middle of the new year's holidays"),
        pytest.param("XTKS", date(1990, 1, 1), date(1996, 12, 31), 0, id="before the calendar begins"),
        pytest.param("XSHG", date(1900, 1, 1), date(1990, 12, 19), 13, id="from before it begins"),
        pytest.param("XNYS", date(1, 1, 1), date(1799, 12, 31), 0, id="before there were calendars"),
    ],
)
def test_a_range_may_be_short_or_unknown(mic: str, start: date, end: date, expected: int) -> None:
    """No range is refused: what the calendar does not know is not shown."""
    assert len(sessions(mic, start=start, end=end)) == expected


def test_an_unknown_mic_is_refused_with_the_known_ones() -> None:
    """The error names the MIC and what could be written instead; nicknames of venues are no MICs."""
    with pytest.raises(BadInput, match=r"mic was 'NYSE'.*XNAS.*XNYS") as refused:
        covered("NYSE", start=date(2024, 1, 1), end=date(2024, 1, 2))

    assert "NYSE" not in known_mics()
    assert refused.value.value == "NYSE"


def test_the_great_venues_have_calendars() -> None:
    """What is answered without loading the library is what the library would say."""
    assert set(known_mics()) >= GREAT_VENUES
    assert [has_calendar(mic) for mic in ("XNAS", "XTKS", "XKRX", "XXXX")] == [True, True, True, False]
    assert [follows_calendar(mic) for mic in ("XNAS", "IEXG", "XCME", "XLOM")] == [True, True, True, False]


def test_venues_may_follow_the_calendar_of_another() -> None:
    """Markets of Nasdaq and CME do; one that never closes has a name of its own; others are refused."""
    assert ["XNAS", "CMES", "24/7", "us_futures"] == [keeper_of(one) for one in ("XNGS", "XCME", "24-7", "us_futures")]
    assert "XLON" == keeper_of("XLOM", borrowing={"XLOM": "XLON"})
    with pytest.raises(BadInput, match=r"mic was 'XLOM'.*XLON.*24/7"):
        keeper_of("XLOM")
