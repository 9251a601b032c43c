"""Adjustment of many instruments at once, beside that of one at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from truetape.domain.adjust import ADJUSTMENTS, adjust
from truetape.domain.adjust_panel import adjust_panel

FIRST = date(2024, 1, 1)
FACTORS = {"instrument_id": pl.String(), "ex_date": pl.Date(), "split": pl.Float64(), "dividend": pl.Float64()}


def _bars(**days: list[int]) -> pl.DataFrame:
    rows = [(name, FIRST + timedelta(days=day)) for name, every in days.items() for day in every]
    frame = pl.DataFrame(rows, schema={"instrument_id": pl.String(), "ts_event": pl.Date()}, orient="row")
    stamps = pl.col("ts_event").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    return frame.with_columns(stamps, close=100.0, volume=10.0)


def _factors(*rows: tuple[str, int, float, float]) -> pl.DataFrame:
    dated = [(name, FIRST + timedelta(days=day), split, dividend) for name, day, split, dividend in rows]
    return pl.DataFrame(dated, schema=FACTORS, orient="row")


def test_each_instrument_has_its_own_factors() -> None:
    """A split 2-for-1 of one on day 2 halves its two bars before; the others stay, with factors or without bars."""
    bars = _bars(a=[0, 1, 2], b=[0, 1], c=[0, 5])
    factors = _factors(("c", 3, 1.0, 0.9), ("a", 2, 2.0, 1.0), ("z", 1, 9.0, 0.1), ("b", 0, 3.0, 0.5))
    done = adjust_panel(bars, factors, adjustment="all")
    assert [50.0, 50.0, 100.0, 100.0, 100.0, 90.0, 100.0] == done["close"].to_list()
    assert [20.0, 20.0, 10.0, 10.0, 10.0, 10.0, 10.0] == done["volume"].to_list()
    assert 100.0 == adjust_panel(bars, factors, adjustment="split")["close"][5]


@pytest.mark.parametrize(
    ("bars", "factors", "adjustment"),
    [
        (_bars(a=[0]), _factors(("a", 1, 2.0, 1.0)), "raw"),
        (_bars(a=[0]), _factors(), "all"),
        (_bars(), _factors(("a", 1, 2.0, 1.0)), "all"),
        (_bars(a=[0]), _factors(("b", 1, 2.0, 1.0)), "all"),
    ],
)
def test_nothing_changes_without_cause(bars: pl.DataFrame, factors: pl.DataFrame, adjustment: Any) -> None:
    """Raw bars, no factors, no bars, or factors of others only."""
    assert_frame_equal(bars, adjust_panel(bars, factors, adjustment=adjustment))


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        (pl.concat([_bars(a=[0]), _bars(b=[0]), _bars(a=[1])]), "do not stand together"),
        (_bars(a=[1, 0]), "order of time"),
    ],
)
def test_rows_out_of_order_are_refused(bars: pl.DataFrame, words: str) -> None:
    """Silently wrong prices would follow."""
    with pytest.raises(ValueError, match=words):
        adjust_panel(bars, _factors(("a", 2, 2.0, 1.0)), adjustment="all")


DAYS = st.lists(st.integers(0, 40), unique=True, max_size=12).map(sorted)
STEPS = st.lists(
    st.tuples(st.integers(0, 45), st.sampled_from([1.0, 2.0, 0.25, 7.0]), st.sampled_from([1.0, 0.99, 0.5])),
    max_size=6,
    unique_by=lambda step: step[0],
)


@given(st.dictionaries(st.sampled_from("abcde"), st.tuples(DAYS, STEPS)), st.sampled_from(ADJUSTMENTS))
def test_many_are_adjusted_as_each_alone(market: dict[str, tuple[list[int], Any]], adjustment: Any) -> None:
    """Whatever bars and factors there are, before, between and behind each other."""
    bars = _bars(**{name: market[name][0] for name in sorted(market)})
    factors = _factors(*((name, *step) for name, (_, steps) in market.items() for step in steps))
    alone = [
        adjust(
            bars.filter(instrument_id=name),
            factors.filter(instrument_id=name).sort("ex_date"),
            adjustment=adjustment,
        )
        for name in sorted(market)
    ]
    assert_frame_equal(
        pl.concat([bars.clear(), *alone]), adjust_panel(bars, factors, adjustment=adjustment), check_exact=True
    )
