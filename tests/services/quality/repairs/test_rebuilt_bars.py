"""Bad bars from a better source: bars of a finer timeframe, or the rows of a consensus."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs import apply, rebuilt_by, rebuilt_from
from walking_series import spoilt, told, walk

KNOWN = ("open", "high", "low", "close", "volume")


def halves(series: PriceSeries, *, by: float = 1.0) -> PriceSeries:
    """Two bars for each daily one, twelve hours apart: the first goes to the middle, the second from there on."""
    frame = series.frame
    middle = (frame["open"] + frame["close"]) / 2
    first = frame.with_columns(close=middle, high=pl.max_horizontal(frame["high"], middle), volume=pl.col("volume") / 2)
    second = frame.with_columns(ts=frame["ts"] + timedelta(hours=12), open=middle, volume=pl.col("volume") / 2)
    both = pl.concat([first, second.with_columns(pl.col("ts").dt.cast_time_unit("ns"))]).sort("ts")
    prices = [pl.col(name) * by for name in KNOWN[:4]]
    return PriceSeries(frame=both.select("ts", "date", *prices, "volume"), timeframe="1h")


def weeks(series: PriceSeries) -> PriceSeries:
    """The weekly bars of a daily series, labelled with Mondays."""
    frame = series.frame.group_by(pl.col("date").dt.truncate("1w"), maintain_order=True).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close", "adj_close").last(),
        pl.col("volume").sum(),
    )
    stamped = frame.with_columns(ts=pl.col("date").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"))
    return PriceSeries(frame=stamped.select("ts", "date", *KNOWN, "adj_close"), timeframe="1w")


BAD = [
    pytest.param(lambda right: spoilt(right, "high", rows=[50], by=1.5), ("high",), id="a spike"),
    pytest.param(lambda right: spoilt(right, "low", rows=[50], by=0.5), ("low",), id="a low of nothing"),
    pytest.param(lambda right: told(right, "open", {50: 0.0}), ("open",), id="an open of 0"),
    pytest.param(lambda right: spoilt(right, "close", rows=[50], by=1.4), ("close",), id="a close that nobody paid"),
    pytest.param(
        lambda right: spoilt(right, "close", "adj_close", rows=[50], by=1.4),
        ("close", "adj_close"),
        id="and the adjusted close after it",
    ),
]


@pytest.mark.parametrize(("bad", "columns"), BAD)
@pytest.mark.parametrize("by", [1.0, 0.01])
def test_a_bad_bar_is_rebuilt_from_its_halves(bad: object, columns: tuple[str, ...], by: float) -> None:
    """Whatever unit the finer bars are in."""
    right = walk()
    wrong = bad(right)  # type: ignore[operator]
    repairs = rebuilt_from(wrong, halves(right, by=by))

    assert [((50,), columns)] == [(one.rows, one.columns) for one in repairs]
    assert [pytest.approx(right.values(name)[50], rel=1e-9) for name in right.fields] == [
        apply(wrong, repairs).values(name)[50] for name in right.fields
    ]


def test_a_missing_bar_is_filled() -> None:
    """Prices, volume, and the adjusted close as it stood to the close before, on an ex-date to the one after."""
    right = walk(paid={50: 3.0})
    for row in (50, 80):
        bad = right
        for name in (*KNOWN, "adj_close"):
            bad = told(bad, name, {row: None})
        filled = apply(bad, rebuilt_from(bad, halves(right)))

        assert [pytest.approx(right.values(name)[row], rel=1e-9) for name in right.fields] == [
            filled.values(name)[row] for name in right.fields
        ]


@pytest.mark.parametrize("row", [0, 20])
def test_a_bad_week_is_rebuilt_from_days(row: int) -> None:
    """The days from one Monday to the next."""
    days = walk()
    right = weeks(days)
    bad = spoilt(right, "high", rows=[row], by=1.8)

    assert [((row,), ("high",))] == [(one.rows, one.columns) for one in rebuilt_from(bad, days)]
    assert right.frame.equals(apply(bad, rebuilt_from(bad, days)).frame)


def test_a_bad_hour_is_rebuilt_from_minutes() -> None:
    """Bars that begin within the hour belong to it."""
    long = walk(200)
    stamps = long.frame["ts"][0] + pl.Series([timedelta(hours=row) for row in range(200)])
    hours = replace(
        long, frame=long.frame.with_columns(ts=stamps.dt.cast_time_unit("ns"), date=stamps.dt.date()), timeframe="1h"
    )
    late = hours.frame["ts"] + timedelta(minutes=30)
    minutes = replace(hours, frame=hours.frame.with_columns(ts=late.dt.cast_time_unit("ns")), timeframe="30m")

    bad = spoilt(hours, "low", rows=[70], by=0.5)
    assert hours.frame.equals(apply(bad, rebuilt_from(bad, minutes)).frame)


def test_bars_that_neighbours_bear_out_stay() -> None:
    """A finer source may lack trades: a difference alone proves nothing, and neither does an empty one."""
    right = walk()
    other = halves(spoilt(right, "high", "low", rows=slice(40, 60), by=1.004))

    assert [] == rebuilt_from(right, halves(right))
    assert [] == rebuilt_from(right, other)
    assert [] == rebuilt_from(right, replace(other, frame=other.frame.clear()))


def test_a_consensus_mends_a_bar_too() -> None:
    """Its rows stand beside the bars; a row that it does not have says nothing."""
    right = walk()
    bad = spoilt(spoilt(right, "close", rows=[50], by=2), "low", rows=[90], by=0.4)
    golden = right.frame.select("open", "high", "low", "close")
    partly = golden.with_columns(pl.when(pl.int_range(pl.len()) == 90).then(None).otherwise(pl.all()).name.keep())

    assert [(50,), (90,)] == [one.rows for one in rebuilt_by(bad, golden)]
    assert [(50,)] == [one.rows for one in rebuilt_by(bad, partly)]


def test_a_series_of_nothing_stays_nothing() -> None:
    """No bars, or closes alone whose adjusted close was never known."""
    empty = walk(5)
    cleared = replace(empty, frame=empty.frame.clear())
    unknown = told(told(walk(), "adj_close", dict.fromkeys(range(200), None)), "close", {50: None})

    assert [] == rebuilt_by(cleared, cleared.frame)
    assert [("close", "adj_close")] == [one.columns for one in rebuilt_by(unknown, walk().frame)]
