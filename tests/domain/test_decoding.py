"""Reading bytes into columns: bounds, types, dates, zones and 32-bit prices."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.decoding import Column, Payload, ascending, decoded, instants, label, snapped, traded
from truetape.domain.errors import UndecodablePayload
from truetape.domain.schema import DECODED, check

PAYLOAD = Payload(provider="acme", kind="bars", body=b"[1, 2]")


def test_a_body_over_the_limit_is_not_parsed() -> None:
    """The size is checked before anything reads the body."""
    with pytest.raises(UndecodablePayload, match="6 bytes, the most is 5"):
        Payload(provider="acme", kind="bars", body=b"[1, 2]", limit=5).parse(msgspec.json.Decoder(list[int]))


def test_a_body_of_the_expected_shape() -> None:
    """The decoder's type decides what comes back."""
    assert PAYLOAD.parse(msgspec.json.Decoder(list[int])) == [1, 2]


@pytest.mark.parametrize("values", [["a", 1], [1.5], [2**70]])
def test_a_column_of_mixed_types_names_its_field(values: list[object]) -> None:
    """A value that does not fit the column's type is a defect."""
    with pytest.raises(UndecodablePayload, match="size"):
        PAYLOAD.series(values, pl.Int32(), field="size")


@pytest.mark.parametrize("text", ["Infinity", "-inf", "NaN", "1e999", "abc", "1,5", ""])
def test_only_finite_numbers_pass(text: str) -> None:
    """Words for infinity, and words that are no numbers, are a defect that names field and value."""
    with pytest.raises(UndecodablePayload, match="open"):
        PAYLOAD.numbers(["1.5", text], field="open")


def test_numbers_and_words_for_missing() -> None:
    """Texts become floats; null and the provider's words for missing become null."""
    texts = ["1.5", "None", None, "-2", "-", "1e3"]
    assert PAYLOAD.numbers(texts, field="open", missing=("None", "-")).to_list() == [1.5, None, None, -2.0, None, 1e3]
    assert PAYLOAD.numbers(["NaN", "2"], field="open", missing=("NaN",)).to_list() == [None, 2.0]


@pytest.mark.parametrize(
    "text", ["2024-02-30", "20240229", "2024-2-9", "1799-12-31", "2200-01-01", "9999-01-01", "", "x", None]
)
def test_impossible_dates_are_a_defect(text: str | None) -> None:
    """A date must exist, and lie from 1800 to 2199."""
    with pytest.raises(UndecodablePayload, match="date"):
        PAYLOAD.dates(["2024-02-29", text], field="date")


def test_dates() -> None:
    """Dates in ISO 8601."""
    assert PAYLOAD.dates(["2024-02-29", "1800-01-01"], field="date").to_list() == [date(2024, 2, 29), date(1800, 1, 1)]


@pytest.mark.parametrize(("columns", "named"), [({"o": None}, "o was missing"), ({"o": [1], "h": [1, 2]}, "h had 2")])
def test_parallel_arrays_must_be_there_and_equal(columns: dict[str, list[int] | None], named: str) -> None:
    """The first array that is missing or of another length is named."""
    with pytest.raises(UndecodablePayload, match=named):
        PAYLOAD.aligned(columns, length=1)


def test_wall_clock_of_a_zone() -> None:
    """Sydney's morning is the evening before in UTC, and label gives the local date."""
    stamps = pl.Series([1634079600])  # 2021-10-12 23:00 UTC
    wall = PAYLOAD.localized(stamps, "Australia/Sydney")
    assert wall.to_list() == [datetime(2021, 10, 13, 10)]  # noqa: DTZ001 - wall-clock time
    assert label(wall).to_list() == [datetime(2021, 10, 13, tzinfo=UTC)]
    assert instants(stamps).to_list() == [datetime(2021, 10, 12, 23, tzinfo=UTC)]
    assert PAYLOAD.local_time(1634079600, "Australia/Sydney").hour == 10


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "America"])
def test_no_zone(zone: str) -> None:
    """A name that is no zone is a defect, whatever it points to."""
    with pytest.raises(UndecodablePayload, match="zone"):
        PAYLOAD.localized(pl.Series([0]), zone)
    with pytest.raises(UndecodablePayload, match="zone"):
        PAYLOAD.local_time(0, zone)


@given(st.lists(st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_snapped_prices_are_the_shortest_decimals(prices: list[float | None]) -> None:
    """Each 32-bit float becomes the decimal that numpy prints for it."""
    expected = [None if price is None else float(str(np.float32(price))) for price in prices]
    assert snapped(pl.Series(prices, dtype=pl.Float64)).to_list() == expected


@pytest.mark.parametrize("price", [187.149993, 0.1, 1e300, 123456789.123])
def test_prices_that_are_no_32_bit_floats_stay(price: float) -> None:
    """A 64-bit price is not touched."""
    assert snapped(pl.Series([price])).to_list() == [price]


def test_ascending_keeps_the_last_of_equals() -> None:
    """Rows are sorted; of equal ones the last in the order of arrival wins."""
    frame = pl.DataFrame({"t": [3, 1, 3, 2], "v": [1, 2, 3, 4]})
    assert ascending(frame, by="t").rows() == [(1, 2), (2, 4), (3, 3)]


def test_a_row_with_any_price_is_a_bar() -> None:
    """Rows without all four prices are left out, partly empty ones stay."""
    frame = pl.DataFrame(
        {"open": [1.0, None, None], "high": [1.0, None, 2.0], "low": [1.0, None, None], "close": [1.0, None, None]}
    )
    assert traded(frame)["high"].to_list() == [1.0, 2.0]
    assert traded(frame[:1])["high"].to_list() == [1.0]


def test_decoded_fills_the_columns_that_are_the_same_for_all() -> None:
    """The frame has exactly the kind's columns, also without rows."""
    columns: dict[str, Column] = {"ts_event": instants(pl.Series([0])), "price": [1.5]}
    same = dict.fromkeys(("open", "high", "low", "previous_close", "volume"), None)
    frame = decoded("quotes", columns, symbol="ACME", currency=None, **same)
    assert check(frame, DECODED["quotes"], kind="quotes")["symbol"].to_list() == ["ACME"]
    nothing = {name: values[:0] for name, values in columns.items()}
    assert check(decoded("quotes", nothing, symbol="A", currency=None, **same), DECODED["quotes"], kind="q").is_empty()
