"""Amounts in pence, cents and agorot are brought to pounds, rands and shekels."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.units import PARTS, in_whole_units

AMOUNTS = ("close", "value")


def rows(*pairs: tuple[float | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(list(pairs), schema={"close": pl.Float64, "currency": pl.String}, orient="row").with_columns(
        volume=pl.lit(100.0)
    )


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (512.2, "GBp", (5.122, "GBP")),
        (512.2, "GBX", (5.122, "GBP")),
        (512.2, "GBpence", (5.122, "GBP")),
        (5.122, "GBP", (5.122, "GBP")),
        (23.1, "ZAc", (0.231, "ZAR")),
        (23.1, "ZAX", (0.231, "ZAR")),
        (12_345_678.9, "ILA", (123_456.789, "ILS")),
        (0.1, "ILX", (0.001, "ILS")),
        (450.25, "USX", (4.5025, "USD")),
        (321.0, "KWF", (0.321, "KWD")),
        (187.15, "USD", (187.15, "USD")),
        (7.0, None, (7.0, None)),
        (7.0, "???", (7.0, "???")),
        (None, "GBp", (None, "GBP")),
    ],
)
def test_amounts_in_parts_become_whole(
    amount: float | None, currency: str | None, expected: tuple[float | None, str | None]
) -> None:
    """As the shortest number, with the ISO code of the currency; the volume stays."""
    found = in_whole_units(rows((amount, currency)), amounts=AMOUNTS)

    assert [(*expected, 100.0)] == found.rows()


def test_each_row_says_its_own_unit() -> None:
    """A dividend in pounds beside prices in pence is not divided again."""
    dividends = pl.DataFrame({"value": [9.0, 0.045], "currency": ["GBp", "GBP"]})

    assert [(0.09, "GBP"), (0.045, "GBP")] == in_whole_units(dividends, amounts=AMOUNTS).rows()


@settings(max_examples=50)
@given(
    pairs=st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 1e9)), st.sampled_from([*PARTS, "GBP", "USD", None])))
)
def test_twice_is_once(pairs: list[tuple[float | None, str | None]]) -> None:
    """What is in whole units stays."""
    once = in_whole_units(rows(*pairs), amounts=AMOUNTS)

    assert once.equals(in_whole_units(once, amounts=AMOUNTS))
