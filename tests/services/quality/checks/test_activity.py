"""How much is traded."""

from __future__ import annotations

import polars as pl
import pytest

from evidence_doubles import around, bars, broken, found

CLOSES = [100.0 + number % 2 for number in range(63)]


def volumes(**at: float) -> list[float]:
    """Return volumes of 1000 and 1500 in turn, those of rows named `x30` times a factor."""
    factors = {int(name[1:]): factor for name, factor in at.items()}
    return [(1000.0 + 500.0 * (number % 2)) * factors.get(number, 1.0) for number in range(63)]


@pytest.mark.parametrize(
    ("at", "rows"),
    [
        ({"x30": 50.0}, [30]),
        ({"x30": 0.02}, [30]),
        ({"x30": 5.0}, []),  # less than ten times
        ({"x30": 50.0, "x31": 50.0}, []),  # two days in a row are no slip
        ({"x30": 0.0}, []),  # no volume at all is another check's matter
    ],
)
def test_a_volume_may_not_be_many_times_the_usual_one(at: dict[str, float], rows: list[int]) -> None:
    """On one day alone, at an ordinary move."""
    assert rows == broken("odd_volume", bars(CLOSES, volume=volumes(**at)))


def test_an_odd_volume_is_told_with_the_usual_one() -> None:
    """50,000 where the regime's turnover is the median of 100,000 and 151,500, so 1,000 to 1,515 at 100."""
    (row,) = found("odd_volume", bars(CLOSES, volume=volumes(x30=50.0))).rows(named=True)

    assert (row["field"], row["value"], row["repair"]) == ("volume", 50_000.0, "rebuild")
    assert row["expected_low"] * 10 == pytest.approx(row["expected_high"] / 10)
    assert 1_000.0 <= row["expected_low"] * 10 <= 1_515.0


def test_series_that_trade_by_fits_and_starts_may_have_bursts() -> None:
    """Volumes of 1000 and 30,000 in turn have a spread that covers fifty times."""
    wild = [1000.0 * (30.0 if number % 2 else 1.0) * (50.0 if number == 31 else 1.0) for number in range(63)]

    assert [] == broken("odd_volume", bars(CLOSES, volume=wild))


def test_a_burst_with_a_jump_is_news() -> None:
    """Volume and price moved together."""
    closes = [close * (1.2 if number >= 30 else 1.0) for number, close in enumerate(CLOSES)]

    assert [] == broken("odd_volume", bars(closes, volume=volumes(x30=50.0)))


def test_what_others_traded_too_is_no_slip() -> None:
    """Two providers have the same burst."""
    records = pl.concat([bars(CLOSES, volume=volumes(x30=50.0), provider=name) for name in "ab"])

    assert [] == broken("odd_volume", records)


def test_prices_do_not_move_without_volume() -> None:
    """One bar of no volume among others that have some; where none trades, or nothing moved, nothing is said."""
    highs = [close + 1 for close in CLOSES]
    (row,) = found("no_volume", bars(CLOSES, high=highs, volume=volumes(x30=0.0))).rows(named=True)

    assert (30, "rebuild") == (row["row"], row["repair"])
    assert row["explanation"] == "no volume, though prices went from 100.0 to 101.0, and the bars beside it have some"
    assert [] == broken("no_volume", bars(CLOSES, volume=volumes(x30=0.0)))
    assert [] == broken("no_volume", bars(CLOSES, high=highs, volume=volumes(x30=0.0, x31=0.0)))


@pytest.mark.parametrize(("still", "rows"), [(4, []), (5, [31, 32, 33, 34])])
def test_a_close_may_not_stand_still_for_long(still: int, rows: list[int]) -> None:
    """A cent is 0.68 % of a sigma, so a close repeats by a chance of 0.0027: four times are too many."""
    closes = CLOSES[:31] + [100.0] * (still - 1) + CLOSES[31:]

    assert rows == broken("flat_run", bars(closes))


def test_a_run_is_told_with_its_chance() -> None:
    """log10 of (0.4 x 0.01 / (100 x 0.01475)) ^ 4 is -10.3; in steps of 1 it is -0.6 each, which is nothing."""
    closes = CLOSES[:31] + [100.0] * 4 + CLOSES[31:]

    assert (
        "the close is 100.0 for 5 bars in a row; the chance of that is 10 to the power of -10"
        == (found("flat_run", bars(closes))["explanation"][0])
    )
    assert [] == broken("flat_run", bars(closes), around(increment=1.0))
    assert [] == broken("flat_run", bars(closes, volume=[0.0] * len(closes)))
