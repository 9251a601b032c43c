"""Wall-clock texts of a zone become instants, or are named as what they are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.schema import INSTANT

PAYLOAD = Payload(provider="acme", kind="bars", body=b"")


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2024-01-05 09:30:00", "America/New_York", datetime(2024, 1, 5, 14, 30, tzinfo=UTC)),
        ("2024-07-05 09:30:00", "America/New_York", datetime(2024, 7, 5, 13, 30, tzinfo=UTC)),
        ("2024-11-03 01:30:00", "America/New_York", datetime(2024, 11, 3, 5, 30, tzinfo=UTC)),  # comes twice
        ("2024-01-05 09:00:00", "Asia/Tokyo", datetime(2024, 1, 5, tzinfo=UTC)),
        ("2199-12-31 23:59:59", "UTC", datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_wall_times_are_of_their_zone(text: str, zone: str, instant: datetime) -> None:
    """Summer time counts, and of the hour that comes twice the first is meant."""
    column = PAYLOAD.wall_times([text], zone=zone, field="date")
    assert INSTANT == column.dtype
    assert [instant] == column.to_list()


def test_no_texts_are_no_instants() -> None:
    """An empty column keeps its type."""
    column = PAYLOAD.wall_times([], zone="UTC", field="date")
    assert (INSTANT, []) == (column.dtype, column.to_list())


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-05",
        "2024-03-10 02:30:00",
        "2024-1-05 09:30:000",
        "9999-01-01 00:00:00",
        "1799-12-31 00:00:00",
        "",
        None,
    ],
)
def test_other_texts_are_named(text: str | None) -> None:
    """A date alone, an hour that is leapt over, a year out of bounds or nothing at all."""
    with pytest.raises(UndecodablePayload) as caught:
        PAYLOAD.wall_times(["2024-01-05 09:30:00", text], zone="America/New_York", field="date")
    assert f"a value of date was {str(text)!r}, no date and time of America/New_York" == caught.value.reason


def test_a_zone_that_is_none_is_named() -> None:
    """The reason says which zone it was."""
    with pytest.raises(UndecodablePayload, match="the time zone was 'Mars', no IANA zone"):
        PAYLOAD.wall_times(["2024-01-05 09:30:00"], zone="Mars", field="date")
