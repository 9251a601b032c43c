"""Instants of feeds: RFC 3339 text to the nanosecond, and seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.instants import from_seconds, instant

NOON = 1_709_899_200_000_000_000  # 2024-03-08T12:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-08T12:00:00Z", NOON),
        ("2024-03-08T12:00:07.5Z", NOON + 7_500_000_000),
        ("2024-03-08T12:00:00.123456789Z", NOON + 123_456_789),
        ("2024-03-08T12:00:00.1234567891234Z", NOON + 123_456_789),
        ("2024-03-08 12:00:00.000001Z", NOON + 1_000),
        ("2024-03-08T07:00:00-05:00", NOON),
        ("2024-03-08T17:30:00.25+05:30", NOON + 250_000_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_text_becomes_nanoseconds(text: str, expected: int) -> None:
    """Every decimal that is given counts, up to nine; offsets are undone."""
    assert expected == instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "2024-03-08",
        "2024-03-08T12:00:00",
        "2024-03-08T12:00Z",
        "2024-03-08T12:00-00Z",
        "2024-03-08T12:00:0xZ",
        "2024-03-08T12:00:00.Z",
        "2024-03-08T12:00:00,5Z",
        "2024-03-08T12:00:00.5aZ",
        "2024-03-08T12:00:00.٣Z",
        "2024-03-08T12:00:٣٣Z",
        "2024-13-08T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "2262-01-01T00:00:00Z",
        "2024-03-08T12:00:00+5:30",
        "2024-03-08T12:00:00+ab:cd",
        "2024-03-08T12:00:00 05:30",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    """Dates alone, instants without a zone, other digits and other centuries are no instants."""
    with pytest.raises(ValueError, match=r"."):
        instant(text)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2261, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001 - naive on purpose
def test_text_and_the_standard_library_agree(moment: datetime, offset: int) -> None:
    """Whatever instant is written with whatever offset is read to the same microsecond."""
    zone = timezone(timedelta(minutes=offset))
    aware = moment.replace(tzinfo=zone)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)

    assert since // timedelta(microseconds=1) * 1_000 == instant(aware.isoformat())


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, 0), (1618678133.365913, 1_618_678_133_365_913_000), (1.5, 1_500_000_000)],
)
def test_seconds_become_nanoseconds(seconds: float, expected: int) -> None:
    """Microseconds are kept exactly."""
    assert expected == from_seconds(seconds)


@pytest.mark.parametrize("seconds", [-1.0, 1e11])
def test_other_centuries_are_refused(seconds: float) -> None:
    """Before 1970 and after 2262 there are no nanoseconds."""
    with pytest.raises(ValueError, match="1970"):
        from_seconds(seconds)
