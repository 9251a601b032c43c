"""Calendar periods in any zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.errors import BadInput
from truetape.domain.periods import length_ns, period_ns
from truetape.domain.plans import Period, Window

SECOND = 10**9
EXAMPLES = [  # period, every, zone, an instant, the start and the end of its window
    ("second", 1, "UTC", "2026-03-02T12:00:00.5", "2026-03-02T12:00:00", "2026-03-02T12:00:01"),
    ("minute", 1, "UTC", "2026-03-02T12:00:59", "2026-03-02T12:00:00", "2026-03-02T12:01:00"),
    ("minute", 10, "UTC", "2026-03-02T12:19:59", "2026-03-02T12:10:00", "2026-03-02T12:20:00"),
    ("hour", 1, "Asia/Kolkata", "2026-03-02T12:00:00", "2026-03-02T11:30:00", "2026-03-02T12:30:00"),
    ("hour", 6, "America/New_York", "2026-01-02T16:00:00", "2026-01-02T11:00:00", "2026-01-02T17:00:00"),
    ("day", 1, "UTC", "2026-03-02T00:00:00", "2026-03-02T00:00:00", "2026-03-03T00:00:00"),
    ("day", 1, "America/New_York", "2026-03-02T04:59:59", "2026-03-01T05:00:00", "2026-03-02T05:00:00"),
    # 23 hours in spring, 25 in autumn; the quarter day that ends it is an hour shorter, or one more hour follows
    ("day", 1, "America/New_York", "2026-03-08T12:00:00", "2026-03-08T05:00:00", "2026-03-09T04:00:00"),
    ("day", 1, "America/New_York", "2026-11-01T12:00:00", "2026-11-01T04:00:00", "2026-11-02T05:00:00"),
    ("hour", 6, "America/New_York", "2026-03-09T03:00:00", "2026-03-08T23:00:00", "2026-03-09T04:00:00"),
    ("hour", 6, "America/New_York", "2026-11-02T04:30:00", "2026-11-02T04:00:00", "2026-11-02T05:00:00"),
    # In Cairo the clocks go from 24:00 to 01:00: the day begins at 01:00. In Havana midnight comes twice: at the first.
    ("day", 1, "Africa/Cairo", "2026-04-24T12:00:00", "2026-04-23T22:00:00", "2026-04-24T21:00:00"),
    ("day", 1, "America/Havana", "2026-11-01T12:00:00", "2026-11-01T04:00:00", "2026-11-02T05:00:00"),
    # Two days are counted from 1970-01-01: 2026-03-02 is day 20514 since.
    ("day", 2, "UTC", "2026-03-03T12:00:00", "2026-03-02T00:00:00", "2026-03-04T00:00:00"),
    ("month", 1, "UTC", "2024-02-29T23:59:59", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
    ("month", 1, "Europe/Warsaw", "2026-03-31T21:59:59", "2026-02-28T23:00:00", "2026-03-31T22:00:00"),
    ("month", 1, "UTC", "2025-12-31T23:59:59", "2025-12-01T00:00:00", "2026-01-01T00:00:00"),
    ("month", 3, "UTC", "2026-05-31T00:00:00", "2026-04-01T00:00:00", "2026-07-01T00:00:00"),
    # What does not divide a day is counted from 1970 in UTC: 7 h * 70335 = 2026-03-02T09:00; so are 48 hours.
    ("hour", 7, "America/New_York", "2026-03-02T12:00:00", "2026-03-02T09:00:00", "2026-03-02T16:00:00"),
    ("hour", 48, "UTC", "2026-03-03T12:00:00", "2026-03-02T00:00:00", "2026-03-04T00:00:00"),
]


def instant(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND + moment.microsecond * 1000


@pytest.mark.parametrize(("period", "every", "zone", "at", "start", "end"), EXAMPLES)
def test_the_period_that_holds_an_instant(period: Period, every: int, zone: str, at: str, start: str, end: str) -> None:
    """By hand, also on the days when the clocks change."""
    window = Window(limit=1, period=period, every=every, zone=zone)
    assert period_ns(window, at_ns=instant(at)) == (instant(start), instant(end))


ZONES = ("UTC", "America/New_York", "Europe/Warsaw", "Asia/Kolkata", "Africa/Cairo", "Australia/Lord_Howe")
WINDOWS = st.builds(
    Window,
    limit=st.just(1.0),
    period=st.sampled_from(("second", "minute", "hour", "day", "month")),
    every=st.integers(1, 50),
    zone=st.sampled_from(ZONES),
)
INSTANTS = st.integers(0, instant("2040-01-01T00:00:00"))


@given(WINDOWS, INSTANTS)
def test_periods_follow_each_other(window: Window, at_ns: int) -> None:
    """Every instant lies in the one period that all its instants name, and the next begins where it ends."""
    start, end = period_ns(window, at_ns=at_ns)
    assert start <= at_ns < end
    assert period_ns(window, at_ns=start) == period_ns(window, at_ns=end - 1) == (start, end)
    assert period_ns(window, at_ns=end)[0] == end


@given(INSTANTS, st.sampled_from(ZONES))
def test_days_are_local_dates(at_ns: int, zone: str) -> None:
    """The first and the last instant of a day show its date on a wall clock there, the instants beside it do not."""
    window = Window(limit=1, period="day", zone=zone)
    start, end = period_ns(window, at_ns=at_ns)
    dates = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)).astimezone(ZoneInfo(zone)).date()
        for ns in (start - 1000, start, at_ns, end - 1000, end)
    ]
    assert dates[0] < dates[1] == dates[2] == dates[3] < dates[4]


@pytest.mark.parametrize(
    ("period", "every", "seconds"),
    [("second", 1, 1), ("minute", 10, 600), ("hour", 1, 3600), ("day", 1, 86_400), ("month", 1, 2_678_400)],
)
def test_the_length_of_a_rolling_window(period: Period, every: int, seconds: int) -> None:
    """A month has 31 days, so that the window covers every month."""
    assert length_ns(Window(limit=1, period=period, every=every)) == seconds * SECOND


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "America", "\0"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    """Also what is a folder, or no name at all."""
    with pytest.raises(BadInput, match="IANA zone"):
        period_ns(Window(limit=1, period="day", zone=zone), at_ns=0)
