"""Jumps without an action, and actions without a jump."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from evidence_doubles import around, bars, broken, day, found

QUIET = [100.0 + (number % 3) for number in range(30)]  # moves by 1 % or 2 %


NEWS = [1000.0] * 30 + [20_000.0] + [1000.0] * 9


def after(jump: float, *, volume: float | list[float] = 1.0, **given: Any) -> pl.DataFrame:
    """Thirty quiet bars, then ten at `jump` times their level, with `volume` times as many shares, or those volumes."""
    closes = QUIET + [price * jump for price in QUIET[:10]]
    shares = volume if isinstance(volume, list) else [1000.0] * 30 + [1000.0 * volume] * 10
    return bars(closes, **{"volume": shares, **given})


@pytest.mark.parametrize(
    ("records", "shares"),
    [
        pytest.param(after(1 / 2, volume=2.0), 2.0, id="2 for 1"),
        pytest.param(after(1 / 7, volume=7.0), 7.0, id="7 for 1"),
        pytest.param(after(2 / 3, volume=1.5), 1.5, id="3 for 2"),
        pytest.param(after(20.0, volume=0.05), 0.05, id="1 for 20"),
        pytest.param(after(1 / 2).with_columns(volume=pl.lit(None, dtype=pl.Float64)), 2.0, id="the volumes unknown"),
    ],
)
def test_a_jump_that_fits_a_ratio_proposes_a_split(records: pl.DataFrame, shares: float) -> None:
    """The first bar at the new level is the ex-date."""
    (row,) = found("undeclared_split", records).rows(named=True)

    assert (row["row"], row["repair"], round(row["repair_value"], 9)) == (30, "add_split", shares)
    assert row["explanation"].endswith(f"a split of {shares} new shares for one old is not declared")
    assert broken("unexplained_jump", records) == []


@pytest.mark.parametrize(
    ("records", "jumps"),
    [
        pytest.param(after(0.42), [30], id="no ratio is near"),
        pytest.param(after(1 / 2, volume=NEWS), [30], id="ten times the usual turnover: news"),
        pytest.param(bars([*QUIET, 50.0, *QUIET[:9]]), [30, 31], id="it comes back: a bad bar"),
        pytest.param(bars([10.0, 5.0, 5.0]), [1], id="nobody knows what is usual"),
        pytest.param(after(1 / 2).with_columns(open=pl.col("close").shift(1)), [30], id="it opened where it was"),
    ],
)
def test_other_jumps_are_left_unexplained(records: pl.DataFrame, jumps: list[int]) -> None:
    """Each reason by itself speaks against a split."""
    assert broken("undeclared_split", records) == []
    assert broken("unexplained_jump", records, least=0.51) == jumps


def test_declared_actions_explain_jumps() -> None:
    """A split of 4, and a dividend of three quarters."""
    records = after(1 / 4, volume=4.0)

    for action in ((day(30), "split", 4.0), (day(30), "dividend", 76.5)):
        known = around(actions=[action])
        assert broken("undeclared_split", records, known) == []
        assert broken("unexplained_jump", records, known) == []
    assert broken("unexplained_jump", records, around(actions=[(day(30), "split", 20.0)]), turnover=0.0) == [30]


def test_an_unexplained_jump_says_what_was_expected() -> None:
    """From 100 to 40: at least 50 were expected."""
    (row,) = found("unexplained_jump", bars([100.0, 40.0])).rows(named=True)

    assert (row["value"], row["expected_low"], row["expected_high"]) == (40.0, 50.0, 200.0)
    assert row["explanation"] == "the close went from 100.0 to 40.0, and no action explains it"


def test_a_declared_split_moves_prices_as_traded() -> None:
    """Prices that are split-adjusted stay where they are."""
    split = around(actions=[(day(30), "split", 4.0)])
    (row,) = found("split_without_jump", bars(QUIET + QUIET[:10], basis="raw"), split).rows(named=True)

    assert (row["row"], row["value"], row["expected_low"], row["repair"]) == (30, 100.0, 102.0 / 4, "drop_split")
    assert broken("split_without_jump", after(1 / 4, basis="raw"), split) == []
    assert broken("split_without_jump", bars(QUIET + QUIET[:10], basis="split"), split) == []
    assert broken("split_without_jump", bars(QUIET + QUIET[:10]), split) == []
    assert broken("split_without_jump", bars(QUIET, basis="raw")) == []


def test_a_great_dividend_makes_the_price_fall() -> None:
    """Half of the price is paid, and the price does not fall: a hundredfold of half a percent."""
    known = around(actions=[(day(1), "dividend", 50.0)])
    (row,) = found("dividend_without_fall", bars([100.0, 101.0]), known).rows(named=True)

    assert (row["row"], row["value"], row["repair"], row["repair_value"]) == (1, 50.0, "scale_dividend", 0.01)
    assert broken("dividend_without_fall", bars([100.0, 52.0]), known) == []
    assert broken("dividend_without_fall", bars([100.0, 101.0]), around(actions=[(day(1), "dividend", 2.0)])) == []
    assert broken("dividend_without_fall", bars([100.0, 101.0])) == []
    assert broken("dividend_without_fall", bars([100.0, 1.0]), around(actions=[(day(1), "dividend", 120.0)])) == [1]


def test_prices_below_nothing_fit_no_split() -> None:
    """An open below 0 has no ratio; that it is wrong is told elsewhere."""
    records = after(1 / 4, volume=4.0).with_columns(open=pl.when(pl.col("close") < 50).then(-1.0).otherwise("open"))

    assert broken("undeclared_split", records) == []
    assert broken("unexplained_jump", records) == [30]
