"""A series against its market, and a provider against others."""

from __future__ import annotations

import polars as pl
import pytest

from evidence_doubles import bars, broken, found


def crowd(count: int, *, last: float) -> pl.DataFrame:
    """Return `count` series, half of them at 100 and 101 in turn and half the other way, the last ending at `last`."""
    rows = [[100.0 + (number + which) % 2 for number in range(30)] for which in range(count)]
    rows[-1][-1] *= last
    return pl.concat([bars(closes, instrument_id=f"i{number:02d}") for number, closes in enumerate(rows)])


def test_a_move_that_the_market_does_not_know_is_noted() -> None:
    """Of 26 others half moved up and half down by 0.674 sigmas: their median is 0.674, their spread twice 1 sigma."""
    (row,) = found("out_of_market", crowd(27, last=1.3), sigmas=5.0).rows(named=True)
    # 100 -> 130 x 1.00 or 131.3: the last series, of even number, ends at 101 x 1.3 after 100
    own = 18.45  # ln 1.313 / 0.014752

    assert row["row"] == 27 * 30 - 1
    assert row["explanation"] == (
        f"the move from 100.0 to 131.3 is {round((own - 0.6745) / 2.0, 1)} sigmas from those of 27 series of its market"
    )


def test_few_series_are_no_crowd_and_calm_ones_no_finding() -> None:
    """Nineteen are too few to have a spread; nobody who moved as usual is looked at."""
    assert [] == broken("out_of_market", crowd(19, last=1.3), sigmas=5.0)
    assert [] == broken("out_of_market", crowd(27, last=1.0), sigmas=5.0)


def told(*closes: float, **given: object) -> pl.DataFrame:
    """Return one bar of each provider at its close."""
    return pl.concat(bars([close], provider=f"p{number}", **given) for number, close in enumerate(closes))


def test_who_is_off_the_others_is_named() -> None:
    """105 against 100 and 100: within a percent of the median would be fine."""
    (row,) = found("off_the_others", told(100.0, 105.0, 100.0)).rows(named=True)

    assert ("p1", "open", 105.0) == (row["provider"], row["field"], row["value"])
    assert ("set_field", 100.0) == (row["repair"], row["repair_value"])
    assert [pytest.approx(100 / 1.01005), pytest.approx(101.005)] == [row["expected_low"], row["expected_high"]]
    assert row["explanation"] == (
        "p1 says open 105.0; the median of 3 providers is 100.0, and no usual difference is so large"
    )


def test_two_cannot_tell_who_is_wrong() -> None:
    """Neither can one, nor nobody; and small differences are no matter."""
    assert [] == broken("off_the_others", told(100.0, 105.0))
    assert [] == broken("off_the_others", told(100.0))
    assert [] == broken("off_the_others", told(100.0).clear())
    assert [] == broken("off_the_others", told(100.0, 100.9, 100.0))
