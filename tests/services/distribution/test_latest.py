"""The latest bar as the cache keeps it."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.schema import INSTANT
from truetape.services.distribution.latest import COLUMNS, cached_day, encode_latest, latest_key

BARS = rows(
    "bars",
    instrument_id="ins_a",
    timeframe="1d",
    ts_event=[date(2024, 6, 7), date(2024, 6, 10)],
    open=1.0,
    high=2.5,
    low=0.5,
    close=[2.0, 2.25],
    currency="USD",
    flags=2,
    version=[1, 3],
    ts_known=None,
).with_columns(ts_known=pl.lit(1_718_050_000_000_000_007).cast(INSTANT))


def test_the_last_row_is_kept_as_json() -> None:
    """Instants are ISO 8601 to the nanosecond, missing values null."""
    assert json.loads(encode_latest(BARS.select(COLUMNS))) == {
        "instrument_id": "ins_a",
        "timeframe": "1d",
        "ts_event": "2024-06-10T00:00:00Z",
        "open": 1.0,
        "high": 2.5,
        "low": 0.5,
        "close": 2.25,
        "volume": None,
        "currency": "USD",
        "flags": 2,
        "ts_known": "2024-06-10T20:06:40.000000007Z",
        "version": 3,
        "simulated": False,
    }


def test_the_day_of_a_cached_bar_is_its_session_date() -> None:
    """It comes back from the bytes that were kept."""
    assert cached_day(encode_latest(BARS.select(COLUMNS))) == date(2024, 6, 10)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{}",
        b"\xff\x00",
        b"[1,2]",
        encode_latest(BARS.select(COLUMNS)).replace(b"2024-06-10T00:00:00Z", b"yesterday"),
    ],
)
def test_what_cannot_be_read_has_no_day(value: bytes | None) -> None:
    """A cache may hold anything; it is never an error."""
    assert cached_day(value) is None


def test_the_key_names_instrument_and_timeframe() -> None:
    """So that readers find it."""
    assert latest_key("ins_a", "1d") == "latest/ins_a/1d"
