"""Prices in another unit, and splits that were applied to the wrong rows: made faults, and moves that are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs import apply, find_repairs, undo
from walking_series import of, spoilt, told, walk

OHLC = ("open", "high", "low", "close")
QUOTES = (*OHLC, "adj_close")
SPLIT = {100: 4.0}


def same(found: PriceSeries, right: PriceSeries) -> bool:
    """Whether all values agree to nine digits."""
    return all(
        np.allclose(found.values(name), right.values(name), rtol=1e-9, atol=0, equal_nan=True) for name in right.fields
    )


def kinds(series: PriceSeries) -> list[str]:
    return [one.kind for one in find_repairs(series)]


@pytest.mark.parametrize("by", [100, 0.01])
@pytest.mark.parametrize(
    ("names", "rows"),
    [
        pytest.param(QUOTES, slice(0, 120), id="all before a day"),
        pytest.param(QUOTES, slice(50, 90), id="a block"),
        pytest.param(QUOTES, slice(198, 200), id="the newest two"),
        pytest.param(OHLC, slice(60, 70), id="a block that the adjusted close does not share"),
        pytest.param(("open",), slice(70, 71), id="one open"),
        pytest.param(("adj_close",), slice(80, 83), id="adjusted closes alone"),
        pytest.param(("high", "close"), [10], id="two cells of a bar"),
    ],
)
def test_prices_in_another_unit(names: tuple[str, ...], rows: slice | list[int], by: float) -> None:
    """Each comes back to what it was; the repair says by how much, and undo brings the fault back."""
    right = walk()
    bad = spoilt(right, *names, rows=rows, by=by)
    repairs = find_repairs(bad)
    repaired = apply(bad, repairs)

    assert {("unit_flip", round(1 / by, 6))} == {(one.kind, round(one.factor or 0, 6)) for one in repairs}
    assert same(repaired, right)
    assert bad.frame.equals(undo(repaired, repairs).frame)
    assert () == find_repairs(repaired)


def test_a_low_that_was_only_the_unit_becomes_that_of_open_and_close() -> None:
    """Close 0.60 for 60 makes the low 0.60 too; the low of the day cannot have been above its open of 58.5."""
    right = walk(start=60)
    rows = {name: {50: value} for name, value in {"open": 58.5, "high": 61.5, "low": 0.6, "close": 0.6}.items()}
    bad = right
    for name, cells in rows.items():
        bad = told(bad, name, cells)
    repaired = apply(bad, find_repairs(bad)).frame.row(50, named=True)

    assert (58.5, 61.5, 58.5, 60.0) == tuple(round(repaired[name], 9) for name in OHLC)


def test_dinars_have_a_thousand_fils() -> None:
    """The stated currency tells the factor."""
    right = replace(walk(), currency="KWD")
    bad = spoilt(right, *QUOTES, rows=slice(50, 60), by=1000)

    assert same(apply(bad, find_repairs(bad)), right)
    assert "times the prices around" in find_repairs(bad)[0].evidence
    assert [] == kinds(replace(bad, currency="GBP"))


def test_a_number_that_stands_for_weeks_without_a_trade_is_no_price() -> None:
    """Nobody traded at it: it is left as it is, and does not become the level that counts either."""
    bad = walk()
    for name in QUOTES:
        bad = told(bad, name, dict.fromkeys(range(185, 200), 1.0))
    bad = told(bad, "volume", dict.fromkeys(range(185, 200), 0.0))

    assert () == find_repairs(bad)


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(spoilt(walk(), *QUOTES, rows=slice(0, 100), by=60), id="a fall to a sixtieth for good"),
        pytest.param(spoilt(walk(move=0.6), *QUOTES, rows=slice(0, 100), by=100), id="among moves of 60 %"),
        pytest.param(spoilt(walk(), *QUOTES, rows=slice(50, 60), by=50), id="fifty times for some days"),
        pytest.param(of(close=[5.0]), id="one bar"),
        pytest.param(of(close=[None, None]), id="no prices"),
        pytest.param(of(close=[]), id="no bars"),
        pytest.param(of(close=[0.0, -1.0, 2.0]), id="prices that are none"),
    ],
)
def test_moves_that_are_no_unit(series: PriceSeries) -> None:
    """Nothing is repaired."""
    assert () == find_repairs(series)


@pytest.mark.parametrize("ratio", [4.0, 0.25, 1.5])
@pytest.mark.parametrize(
    ("rows", "turn"),
    [
        pytest.param(slice(0, 100), 1, id="not applied"),
        pytest.param(slice(0, 100), -1, id="applied twice"),
        pytest.param(slice(92, 100), 1, id="ends too early"),
        pytest.param(slice(100, 106), -1, id="ends too late"),
        pytest.param(slice(0, 95), -1, id="applied twice, and ends too early"),
    ],
)
def test_splits_on_the_wrong_rows(rows: slice, turn: int, ratio: float) -> None:
    """Prices and volumes come back, whole shares whole."""
    right = walk(split={100: ratio})
    right = told(right, "volume", dict.fromkeys(range(200), 12_000.0))
    bad = spoilt(spoilt(right, *QUOTES, rows=rows, by=ratio**turn), "volume", rows=rows, by=ratio**-turn)
    repairs = find_repairs(bad)

    assert ["split_not_applied"] == [one.kind for one in repairs]
    assert same(apply(bad, repairs), right)


def test_one_bar_on_the_wrong_side_of_a_large_split() -> None:
    """A tenfold bar two days before the split, and its volume."""
    right = walk(split={100: 0.1})
    bad = spoilt(spoilt(right, *QUOTES, rows=[97], by=0.1), "volume", rows=[97], by=10)

    assert same(apply(bad, find_repairs(bad)), right)


def test_two_splits_that_were_both_forgotten() -> None:
    """The bars before the older one need both."""
    right = walk(split={60: 2.0, 120: 5.0})
    bad = spoilt(spoilt(right, *QUOTES, rows=slice(0, 120), by=5), *QUOTES, rows=slice(0, 60), by=2)
    bad = replace(bad, frame=bad.frame.drop("volume"))

    assert same(apply(bad, find_repairs(bad)), replace(right, frame=right.frame.drop("volume")))


def as_traded(series: PriceSeries, *, rows: slice, by: float, without: tuple[str, ...] = ()) -> PriceSeries:
    """The series with prices as traded before a split; its adjusted close stays."""
    raw = spoilt(series, *OHLC, rows=rows, by=by)
    return replace(raw, frame=raw.frame.drop(without))


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(walk(split=SPLIT), id="applied as it should be"),
        pytest.param(walk(split={0: 4.0, 1: 1.0}), id="on the first bar, and one of 1 for 1"),
        pytest.param(as_traded(walk(split=SPLIT), rows=slice(0, 100), by=4), id="prices as traded"),
        pytest.param(
            as_traded(
                as_traded(walk(split={60: 2.0, 120: 5.0}), rows=slice(0, 120), by=5, without=("adj_close",)),
                rows=slice(0, 60),
                by=2,
            ),
            id="prices as traded, by all of several splits",
        ),
        pytest.param(spoilt(walk(split=SPLIT), *QUOTES, rows=slice(0, 30), by=4), id="a fall to a quarter long before"),
        pytest.param(
            spoilt(walk(split={100: 2.0}), *QUOTES, rows=slice(110, 114), by=2), id="twice the price, volume as ever"
        ),
        pytest.param(
            replace(
                spoilt(walk(split={100: 2.0}), *QUOTES, rows=slice(110, 114), by=2),
                frame=spoilt(walk(split={100: 2.0}), *QUOTES, rows=slice(110, 114), by=2).frame.drop("volume"),
            ),
            id="twice the price, volume unknown",
        ),
        pytest.param(spoilt(walk(split={100: 1.05}), *QUOTES, rows=slice(0, 100), by=1.01), id="a split of 1.05"),
        pytest.param(spoilt(walk(split={100: 2.0}), *QUOTES, rows=slice(0, 100), by=1.7), id="a fall of another size"),
    ],
)
def test_splits_that_need_no_repair(series: PriceSeries) -> None:
    """Nothing is repaired."""
    assert () == find_repairs(series)


def test_a_suspension_explains_more_than_a_day_does() -> None:
    """A price that doubles over a year without trading is no forgotten split of 1 for 2."""
    late = walk(split={100: 0.5}, move=0.03)
    gap = pl.when(pl.int_range(pl.len()) >= 100).then(pl.duration(days=2000)).otherwise(pl.duration(days=0))
    late = replace(
        late, frame=late.frame.with_columns((pl.col("ts") + gap).dt.cast_time_unit("ns"), pl.col("date") + gap)
    )

    assert [] == kinds(spoilt(late, *QUOTES, rows=slice(0, 100), by=0.5))


def test_the_commonest_level_counts_where_none_was_held_for_long() -> None:
    """No five closes in a row are of one unit, and the newest are of the rarer one."""
    right = [1.0, 1.01, 1.02, 1.01] * 3 + [1.0, 1.01]
    bad = [close * (100 if row in (4, 5, 6, 11, 12, 13) else 1) for row, close in enumerate(right)]

    assert pytest.approx(right) == apply(of(close=bad), find_repairs(of(close=bad))).frame["close"].to_list()


def test_a_bar_without_an_open_keeps_its_low_at_the_close() -> None:
    """The low was only the unit's; there is no open to tell more. A low alone is brought back as well."""
    closes = walk(60, start=60).frame["close"].to_list()
    bad = of(close=closes, low=[close * 0.99 for close in closes])
    bad = told(told(bad, "close", {30: 0.6}), "low", {30: 0.6, 40: closes[40] * 0.0099})
    repaired = apply(bad, find_repairs(bad))

    assert [60.0, 60.0, pytest.approx(closes[40] * 0.99)] == [
        repaired.values("close")[30],
        repaired.values("low")[30],
        repaired.values("low")[40],
    ]


def test_prices_alone_may_be_as_traded_by_mistake() -> None:
    """They are adjusted for the other split: so the adjusted close, which is right, is no sign of raw prices."""
    right = walk(split={60: 2.0, 120: 5.0})
    bad = spoilt(right, *OHLC, rows=slice(0, 60), by=2)
    repaired = apply(bad, find_repairs(bad))

    assert all(np.allclose(right.values(name), repaired.values(name), rtol=1e-12) for name in QUOTES)


def test_two_weeks_are_long_enough_for_weekly_bars() -> None:
    """The newest unit counts, unless it is that of the newest day or of a day or four only."""
    right = walk(30)
    bad = spoilt(right, *QUOTES, rows=slice(0, 28), by=100)
    weekly = replace(bad, timeframe="1w")

    assert same(apply(weekly, find_repairs(weekly)), replace(right, timeframe="1w"))
    assert same(apply(bad, find_repairs(bad)), spoilt(right, *QUOTES, rows=slice(0, 30), by=100))
