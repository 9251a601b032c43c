"""Prices that 32-bit numbers pushed off their step are put back, and no other."""

from __future__ import annotations

import struct

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.price_steps import USUAL, Steps, may_be_off, on_steps

HONG_KONG: Steps = ((0.0, 0.001), (0.25, 0.005), (0.5, 0.01), (10.0, 0.02), (20.0, 0.05), (100.0, 0.1), (1000.0, 1.0))
TOKYO: Steps = ((0.0, 1.0), (3000.0, 5.0))


def single(value: float) -> float:
    """The 32-bit number nearest to a value."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def put(value: float | None, steps: Steps = USUAL) -> float | None:
    table = pl.DataFrame({"price": [value]}, schema={"price": pl.Float64})
    found: float | None = table.select(on_steps(pl.col("price"), steps=steps)).item()
    return found


@pytest.mark.parametrize(
    ("price", "steps", "expected"),
    [
        (187.14999389648438, USUAL, 187.15),
        (single(0.0123), USUAL, 0.0123),
        (single(0.12345), USUAL, single(0.12345)),  # no price below a dollar has five decimals
        (single(1.0), USUAL, 1.0),
        (187.145, USUAL, 187.145),
        (187.14999, USUAL, 187.14999),  # near, but no 32-bit number
        (single(187.1499), USUAL, single(187.1499)),  # further off than an artefact
        (single(123_456.78), USUAL, single(123_456.78)),  # 32 bits cannot say which cent was meant
        (single(0.251), HONG_KONG, single(0.251)),
        (single(0.255), HONG_KONG, 0.255),
        (single(19.98), HONG_KONG, 19.98),
        (single(380.2), HONG_KONG, 380.2),
        (single(3005.0), TOKYO, 3005.0),
        (single(3005.0001), TOKYO, single(3005.0001)),
        (0.0, USUAL, 0.0),
        (None, USUAL, None),
    ],
)
def test_only_artefacts_move(price: float | None, steps: Steps, expected: float | None) -> None:
    """To the step that was meant, in the band of the price."""
    assert expected == put(price, steps)


@settings(max_examples=100)
@given(cents=st.integers(100, 100_000))
def test_every_price_in_cents_comes_back_from_32_bits(cents: int) -> None:
    """Up to a thousand dollars."""
    assert cents / 100 == put(single(cents / 100))


@settings(max_examples=100)
@given(price=st.floats(0, 1e6))
def test_twice_is_once(price: float) -> None:
    """A price on its step stays there."""
    assert put(price) == put(put(price))


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([187.15, 0.0123, 187.5, 187.14999], False),
        ([187.5, None], False),
        ([187.15, single(187.15)], True),
        ([], False),
    ],
)
def test_only_32_bit_numbers_may_be_off(prices: list[float | None], expected: bool) -> None:
    """Prices in cents, halves and 64-bit numbers are not looked at twice."""
    assert expected == may_be_off(pl.Series(prices, dtype=pl.Float64))


@settings(max_examples=100)
@given(price=st.floats(0, 1e5, width=32))
def test_what_may_not_be_off_stays(price: float) -> None:
    """Nothing that would move is passed over."""
    assert may_be_off(pl.Series([price])) or price == put(price)
