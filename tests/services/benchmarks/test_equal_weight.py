"""The equal-weight total-return index, by hand."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.schema import INSTANT, TABLES, check
from truetape.services.benchmarks.equal_weight import equal_weight

D1, D2, D3, D4 = (date(2024, 1, day) for day in (2, 3, 4, 5))

# A: 100, 110, then 55 after a split of 2 for 1, 66.           Returns: 1.1, 1.0, 1.2
# B: 50, 45, 54, then 52.92 after a dividend of 1.08.          Returns: 0.9, 1.2, 1.0  (factor 1 - 1.08 / 54 = 0.98)
# C: listed on the second day at 10, no bar on the third, 13.  Returns: none, none, 1.3
BARS = rows(
    "bars",
    instrument_id=["A"] * 4 + ["B"] * 4 + ["C"] * 2,
    timeframe="1d",
    ts_event=[D1, D2, D3, D4, D1, D2, D3, D4, D2, D4],
    close=[100.0, 110.0, 55.0, 66.0, 50.0, 45.0, 54.0, 52.92, 10.0, 13.0],
    ts_known=[1] * 10,
)
FACTORS = rows(
    "factors",
    instrument_id=["A", "B"],
    ex_date=[D3, D4],
    split=[2.0, 1.0],
    dividend=[1.0, 0.98],
    ts_known=[1, 1],
)
# Means: (1.1 + 0.9) / 2 = 1.0, (1.0 + 1.2) / 2 = 1.1, (1.2 + 1.0 + 1.3) / 3 = 3.5 / 3.


def levels(frame: pl.DataFrame) -> list[tuple[date, float, int]]:
    return frame.select(pl.col("ts_event").dt.date(), "level", "members").rows()


def known(frame: pl.DataFrame) -> list[int]:
    return frame["ts_known"].cast(pl.Int64).to_list()


def test_levels_are_those_of_hand_arithmetic() -> None:
    """Three stocks over four days, with a split, a dividend, a late listing and a missing bar."""
    found = check(equal_weight(BARS, FACTORS, index_id="EW3"), TABLES["index_levels"].columns, kind="index_levels")

    assert found["index_id"].to_list() == ["EW3"] * 4
    assert [row[0] for row in levels(found)] == [D1, D2, D3, D4]
    assert [row[1] for row in levels(found)] == pytest.approx([100.0, 100.0, 110.0, 110.0 * 3.5 / 3], rel=1e-14)
    assert [row[2] for row in levels(found)] == [2, 2, 2, 3]


def test_levels_do_not_depend_on_the_order_of_rows() -> None:
    """To the last bit."""
    expected = equal_weight(BARS, FACTORS, index_id="EW3")
    parts = [BARS.filter(instrument_id=name) for name in "ABC"]

    for order in permutations(parts):
        shuffled = pl.concat([part.reverse() for part in order])
        assert expected.equals(equal_weight(shuffled, FACTORS.reverse(), index_id="EW3"))


def test_a_later_day_and_factor_change_no_earlier_level() -> None:
    """What was computed yesterday is exactly today's history."""
    earlier = equal_weight(
        BARS.filter(pl.col("ts_event").dt.date() < D4), FACTORS.filter(pl.col("ex_date") < D4), index_id="EW3"
    )

    assert earlier.equals(equal_weight(BARS, FACTORS, index_id="EW3").head(3))


def test_a_factor_counts_at_the_next_bar() -> None:
    """A split on a day without a bar is in the first return after it; one before the first bar is in none."""
    bars = rows("bars", instrument_id="A", timeframe="1d", ts_event=[D1, D3], close=[100.0, 55.0], ts_known=[1, 1])
    factors = rows(
        "factors",
        instrument_id="A",
        ex_date=[date(2023, 1, 1), D2, D3, D4],
        split=[9.0, 2.0, 1.0, 7.0],
        dividend=[1.0, 1.0, 0.5, 1.0],
        ts_known=[1, 1, 1, 1],
    )

    found = levels(equal_weight(bars, factors, index_id="EW1", base=1000.0))

    assert found == [(D1, 1000.0, 1), (D3, pytest.approx(1000.0 * 0.55 * 2 / 0.5, rel=1e-14), 1)]


def test_what_is_no_price_and_no_factor_does_not_count() -> None:
    """A bar without a positive close is none, and a factor that is not positive is none."""
    bars = rows(
        "bars",
        instrument_id="A",
        timeframe="1d",
        ts_event=[D1, D2, D3, D4],
        close=[100.0, None, 0.0, 120.0],
        ts_known=1,
    )
    factors = rows("factors", instrument_id="A", ex_date=[D4], split=1.0, dividend=-0.5, ts_known=1)

    assert levels(equal_weight(bars, factors, index_id="EW1")) == [(D1, 100.0, 1), (D4, 120.0, 1)]


def test_a_day_of_new_listings_only_leaves_the_level() -> None:
    """Nobody has a return on that day."""
    bars = rows(
        "bars", instrument_id=["A", "B"], timeframe="1d", ts_event=[D1, D2], close=[10.0, 20.0], ts_known=[1, 1]
    )

    assert levels(equal_weight(bars, FACTORS.clear(), index_id="EW2")) == [(D1, 100.0, 1), (D2, 100.0, 0)]


def test_a_level_is_known_once_all_that_made_it_was_known() -> None:
    """The knowledge time is the latest of the bars and factors up to the date; the simulated mark goes the same way."""
    late = BARS.with_columns(
        ts_known=pl.when(instrument_id="C").then(5).otherwise(1).cast(pl.Int64).cast(INSTANT),
        simulated=pl.col("ts_event").dt.date() == D3,
    )
    factors = FACTORS.with_columns(ts_known=pl.Series([3, 9]).cast(INSTANT))

    found = equal_weight(late, factors, index_id="EW3")

    assert known(found) == [1, 5, 5, 9]
    assert found["simulated"].to_list() == [False, False, True, True]


def test_no_bars_are_no_levels() -> None:
    """The index begins with its first bar."""
    assert equal_weight(BARS.clear(), FACTORS, index_id="EW3").rows() == []
