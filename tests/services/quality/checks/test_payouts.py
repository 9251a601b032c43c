"""Dividends against those before and after them, and against what other providers declare."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from evidence_doubles import found


def paid(*values: float, provider: str = "p", kind: str = "dividend") -> pl.DataFrame:
    """Return quarterly actions."""
    days = [date(2020 + number // 4, 1 + 3 * (number % 4), 10) for number in range(len(values))]
    return pl.DataFrame({"ex_date": days, "value": list(values)}).with_columns(
        pl.lit("a").alias("instrument_id"), pl.lit(provider).alias("provider"), pl.lit(kind).alias("type")
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.5, 0.52, 52.0, 0.54), [(2, 0.01)]),
        ((0.5, 0.52, 0.0052, 0.54), [(2, 100.0)]),
        ((0.64, 0.64, 0.64, 0.0064), []),  # cut, or in another unit: the next one will tell
        ((0.64, 0.64, 0.64, 0.01, 0.01), []),  # cut, as in a crisis
        ((0.5, 0.5, 15.0, 0.5), []),  # special, thirty times
        ((0.5, 50.0), []),  # which of the two is wrong?
    ],
)
def test_a_dividend_may_be_in_another_unit(values: tuple[float, ...], expected: list[tuple[int, float]]) -> None:
    """A hundred times the usual one, or a hundredth that is followed by a usual one again."""
    told = found("odd_dividend", paid(*values), kind="actions")

    assert [row for row, _ in expected] == told["row"].to_list()
    assert pytest.approx([number for _, number in expected]) == told["repair_value"].to_list()


def test_an_odd_dividend_is_told_with_the_usual_one() -> None:
    """The median of the four is 0.53."""
    (row,) = found("odd_dividend", paid(0.5, 0.52, 52.0, 0.54), kind="actions").rows(named=True)

    assert row["explanation"] == "a dividend of 52.0; the usual one of the series is 0.53"
    assert (row["repair"], row["expected_high"]) == ("scale_dividend", pytest.approx(26.5))


def test_splits_are_no_dividends() -> None:
    """A split of a hundred for one is not odd beside others."""
    assert found("odd_dividend", paid(1.0, 1.0, 100.0, 1.0, kind="split"), kind="actions").is_empty()


def test_three_providers_tell_who_is_wrong_about_an_action() -> None:
    """One of three says five dollars where the others say fifty cents; two cannot tell."""
    three = pl.concat([paid(0.5, 0.5), paid(0.5, 5.0, provider="q"), paid(0.5, 0.5, provider="r")])
    (row,) = found("action_disagrees", three, kind="actions").rows(named=True)

    assert ("q", 5.0, "scale_dividend") == (row["provider"], row["value"], row["repair"])
    assert pytest.approx(0.1) == row["repair_value"]
    assert row["explanation"] == "q says 5.0; the median of 3 providers is 0.5"
    assert found("action_disagrees", three.filter(pl.col("provider") != "r"), kind="actions").is_empty()
    assert found("action_disagrees", three.filter(pl.col("ex_date") == date(2020, 1, 10)), kind="actions").is_empty()
