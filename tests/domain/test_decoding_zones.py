"""Unix seconds as wall-clock times, compared with the standard library's own zones; dates that may be missing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload

PAYLOAD = Payload(provider="acme", kind="bars", body=b"")
ZONES = ("America/New_York", "Europe/London", "Australia/Sydney", "Pacific/Apia", "Africa/Casablanca", "UTC")
seconds = st.integers(
    int(datetime(1920, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2036, 1, 1, tzinfo=UTC).timestamp())
)


@given(st.sampled_from(ZONES), st.lists(seconds, min_size=1, max_size=50))
def test_any_second_of_a_century(zone: str, stamps: list[int]) -> None:
    """Every instant has the wall-clock time that zoneinfo gives it."""
    walls = [datetime.fromtimestamp(stamp, ZoneInfo(zone)).replace(tzinfo=None) for stamp in stamps]
    assert PAYLOAD.localized(pl.Series(stamps), zone).to_list() == walls


@pytest.mark.parametrize(
    ("stamp", "zone", "wall"),
    [
        (1710053999, "America/New_York", "2024-03-10 01:59:59"),
        (1710054000, "America/New_York", "2024-03-10 03:00:00"),
        (1730613599, "America/New_York", "2024-11-03 01:59:59"),
        (1730613600, "America/New_York", "2024-11-03 01:00:00"),
        (1325239199, "Pacific/Apia", "2011-12-29 23:59:59"),
        (1325239200, "Pacific/Apia", "2011-12-31 00:00:00"),
    ],
)
def test_the_second_in_which_clocks_change(stamp: int, zone: str, wall: str) -> None:
    """An hour is leapt over in spring and comes twice in autumn; Samoa skipped a day."""
    assert PAYLOAD.localized(pl.Series([stamp]), zone).dt.to_string("%Y-%m-%d %H:%M:%S").to_list() == [wall]


@pytest.mark.parametrize("stamp", [-5_364_662_400, 7_258_118_399])
def test_the_first_and_last_second_that_a_stamp_may_be(stamp: int) -> None:
    """The bounds of stamps are inside."""
    assert PAYLOAD.localized(pl.Series([stamp]), "UTC").dt.epoch("s").to_list() == [stamp]


def test_dates_with_words_for_missing() -> None:
    """Null and the provider's words for missing become null; anything else is still a defect."""
    texts = ["2024-02-29", "null", None, ""]
    assert PAYLOAD.dates(texts, field="day", missing=("null", "")).to_list() == [date(2024, 2, 29), None, None, None]
    with pytest.raises(UndecodablePayload, match="day was 'none'"):
        PAYLOAD.dates(["none", None], field="day", missing=("null",))
