"""Bars on every basis, by hand arithmetic, and against the price that LEAN's own rule gives."""

from __future__ import annotations

from datetime import date
from typing import get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.adjust import factor_table
from truetape.domain.scaling import LEAN_MODES, MODES, Mode, scale

DAYS = [date(2024, 6, day) for day in (3, 4, 5, 6, 7)]
BARS = pl.DataFrame(
    {
        "date": DAYS,
        "open": [90.0, 95.0, 50.0, 40.0, 40.0],
        "close": [80.0, 100.0, 50.0, 40.0, 30.0],
        "volume": [10.0, 10.0, 20.0, 20.0, 20.0],
    }
)
FACTORS = pl.DataFrame(  # two for one on the 5th; 5 of 50 on the 6th; 10 of 40 on the 7th
    {"ex_date": DAYS[2:], "split": [2.0, 1.0, 1.0], "dividend": [1.0, 0.9, 0.75]}
)


def closes(mode: Mode, *, anchor: date | None = None, bars: pl.DataFrame = BARS) -> list[float]:
    return scale(bars, FACTORS, mode=mode, anchor=anchor)["close"].to_list()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("raw", [80, 100, 50, 40, 30]),
        ("split", [40, 50, 50, 40, 30]),
        ("total_return", [27, 33.75, 33.75, 30, 30]),  # 40 x 0.9 x 0.75
        ("forward_split", [80, 100, 100, 80, 60]),
        ("forward_total_return", [80, 100, 100, 80 / 0.9, 60 / 0.675]),
        ("scaled_raw", [27, 33.75, 33.75, 30, 30]),
        ("lean_total_return", [40, 50, 50, 45, 45]),  # 5 from the 6th on, 15 from the 7th
        ("difference", [25, 35, 35, 30, 30]),
        ("forward_difference", [80, 100, 100, 90, 90]),  # 10 and 20 in money of the first day's shares
    ],
)
def test_each_mode(mode: Mode, expected: list[float]) -> None:
    """The closes of five days around a split and two dividends."""
    assert pytest.approx(expected, rel=1e-14) == closes(mode)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("total_return", [88, 110, 121, 132]),
        ("forward_total_return", [80, 100, 110, 120]),
        ("difference", [90, 110, 121, 132]),
        ("forward_difference", [80, 100, 111, 122]),
    ],
)
def test_a_continuous_series_rolls_by_ratio_or_by_difference(mode: Mode, expected: list[float]) -> None:
    """The next contract costs 110 where the one before costs 100; from then on its own prices count."""
    bars = pl.DataFrame({"date": DAYS[:4], "close": [80.0, 100.0, 121.0, 132.0]})
    roll = pl.DataFrame({"ex_date": [DAYS[2]], "type": ["roll"], "value": [110.0], "price": [100.0]})

    factors = factor_table(roll, bars.select("date", "close"))

    assert pytest.approx(expected, rel=1e-14) == scale(bars, factors, mode=mode)["close"].to_list()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("split", [80, 100, 100, 80, 60]),
        ("total_return", [80, 100, 100, 80 / 0.9, 60 / 0.675]),
        ("difference", [80, 100, 100, 90, 90]),
    ],
)
def test_the_anchors_prices_stay_as_traded(mode: Mode, expected: list[float]) -> None:
    """Anchored before the split, backward is forward."""
    assert pytest.approx(expected, rel=1e-14) == closes(mode, anchor=DAYS[1])


def test_an_anchor_between_the_ex_dates() -> None:
    """On the 6th the first dividend has gone and the second has not."""
    assert pytest.approx([36, 45, 45, 40, 40], rel=1e-14) == closes("total_return", anchor=DAYS[3])


def test_scaled_raw_ends_as_traded_although_ex_dates_follow() -> None:
    """Bars until the 6th: 40 is 40, and the dividend of the 7th does not count."""
    assert pytest.approx([36, 45, 45, 40], rel=1e-14) == closes("scaled_raw", bars=BARS.head(4))
    assert pytest.approx([27, 33.75, 33.75, 30], rel=1e-14) == closes("total_return", bars=BARS.head(4))


@pytest.mark.parametrize("mode", [one for one in MODES if one != "raw"])
def test_volume_follows_the_shares_alone(mode: Mode) -> None:
    """Backward the old days have twice the shares, forward the new days half of them."""
    expected = [10, 10, 10, 10, 10] if mode.startswith("forward") else [20, 20, 20, 20, 20]

    assert expected == scale(BARS, FACTORS, mode=mode)["volume"].to_list()


def test_every_price_is_scaled_and_other_columns_stay() -> None:
    """The open with the close; a note and a missing price as they were."""
    noted = BARS.with_columns(note=pl.lit("x"), close=pl.Series([None, 100.0, 50.0, 40.0, 30.0])).drop("volume")

    changed = scale(noted, FACTORS, mode="split")

    assert [45, 47.5, 50, 40, 40] == changed["open"].to_list()
    assert [None, 50, 50, 40, 30] == changed["close"].to_list()
    assert ["x"] * 5 == changed["note"].to_list()


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_changed_without_factors_or_bars(mode: Mode) -> None:
    """The frame comes back as it was."""
    assert BARS.equals(scale(BARS, FACTORS.clear(), mode=mode))
    assert BARS.clear().equals(scale(BARS.clear(), FACTORS, mode=mode))


def test_lean_rounds_cash_to_cents() -> None:
    """3 % of 33.33 are 0.9999, booked as 1.00."""
    bars = pl.DataFrame({"date": DAYS[:2], "close": [33.33, 32.0]})
    factors = pl.DataFrame({"ex_date": [DAYS[1]], "split": [1.0], "dividend": [0.97]})

    assert [33.33, 33.0] == scale(bars, factors, mode="lean_total_return")["close"].to_list()


@pytest.mark.parametrize(("own", "expected"), [(None, 90.0), (80.0, 82.0)], ids=["unknown", "8 of the table's 80"])
def test_a_close_that_the_bars_do_not_have_may_stand_in_the_table(own: float | None, expected: float) -> None:
    """A tenth of it is what the open loses; where nobody knows it, nothing is moved."""
    bars = BARS.head(2).with_columns(close=pl.Series([None, 70.0]))
    factors = pl.DataFrame(
        {"ex_date": [DAYS[1]], "split": [1.0], "dividend": [0.9], "close": pl.Series([own], dtype=pl.Float64)}
    )

    assert [expected, 95.0] == scale(bars, factors, mode="difference")["open"].to_list()


def test_the_price_in_the_table_counts_where_the_bars_have_another() -> None:
    """A tenth of 110 was paid, whatever the bar of the day before says: LEAN's dividends are of its reference price."""
    factors = FACTORS.slice(1, 1).with_columns(close=pl.lit(110.0))

    assert [80, 100, 50, 51, 41] == scale(BARS, factors, mode="lean_total_return")["close"].to_list()


def test_the_modes_are_those_of_the_type_and_lean_names_lead_to_them() -> None:
    """No mode is forgotten."""
    assert get_args(Mode) == MODES
    assert set(LEAN_MODES.values()) <= {*MODES}


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0]), st.floats(0.5, 1.0)), min_size=4, max_size=4),
    st.lists(st.floats(1.0, 500.0), min_size=5, max_size=5),
)
def test_returns_do_not_depend_on_the_anchor(steps: list[tuple[float, float]], prices: list[float]) -> None:
    """Forward, backward and anchored series are one series in other units."""
    bars = pl.DataFrame({"date": DAYS, "close": prices})
    factors = pl.DataFrame(
        [(day, *step) for day, step in zip(DAYS[1:], steps, strict=True)],
        schema={"ex_date": pl.Date, "split": pl.Float64, "dividend": pl.Float64},
        orient="row",
    )
    series = [
        scale(bars, factors, mode="total_return"),
        scale(bars, factors, mode="forward_total_return"),
        *(scale(bars, factors, mode="total_return", anchor=day) for day in DAYS),
    ]

    first = series[0]["close"] / series[0]["close"][0]

    for one in series[1:]:
        assert (one["close"] / one["close"][0]).to_list() == pytest.approx(first.to_list(), rel=1e-12)
