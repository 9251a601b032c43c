"""Weeks and months, reckoned by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from small_market import APPLE, golden
from truetape.domain.spans import SPANS
from truetape.services.api.resample import resample as resample_of
from truetape.services.api.resample import whole_periods

FRIDAY, MONDAY = date(2023, 12, 29), date(2024, 1, 1)


def resample(bars: pl.DataFrame, *, timeframe: str) -> pl.DataFrame:
    """Longer bars of daily ones."""
    return resample_of(bars, source="1d", timeframe=timeframe, spans=pl.DataFrame(schema=SPANS))


def test_a_week_takes_its_worst_quality() -> None:
    """Score, method and agreement are those of the worst session; versions and times those of the newest."""
    bars = golden(
        APPLE,
        [date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5)],
        [10.0, 12.0, 11.0],
        [1.0, 2.0, 3.0],
        provider=["yahoo", "iex_cloud", "yahoo"],
        score=[1.0, 0.5, 0.75],
        method=["consensus", "plurality", "single_source"],
        agreed=["iex_cloud,yahoo", "iex_cloud", "iex_cloud,yahoo"],
        version=[1, 3, 2],
    )
    week = resample(bars, timeframe="1w").row(0, named=True)

    assert ("iex_cloud,yahoo", 0.5, "plurality", "iex_cloud", 3, 6.0) == tuple(
        week[name] for name in ("provider", "score", "method", "agreed", "version", "volume")
    )
    assert (9.0, 13.0, 8.0, 11.0) == tuple(week[name] for name in ("open", "high", "low", "close"))


def test_prices_alone_can_be_resampled() -> None:
    """Columns that say nothing about quality are not needed, and columns of others' keep their last value."""
    bars = golden(APPLE, [FRIDAY, MONDAY], [10.0, 12.0], [1.0, 2.0]).select(
        "ts_event", "open", "high", "low", "close", "volume", "feed"
    )

    assert [date(2023, 12, 1), MONDAY] == resample(bars, timeframe="1mo")["ts_event"].dt.date().to_list()


@pytest.mark.parametrize("timeframe", ["1w", "1mo"])
def test_no_bars_make_no_longer_ones(timeframe: str) -> None:
    """An empty frame keeps its columns."""
    nothing = golden(APPLE, [FRIDAY], [1.0], [1.0]).clear()

    assert resample(nothing, timeframe=timeframe).schema == nothing.schema


def test_the_volume_of_all_weeks_is_the_volume_of_all_days() -> None:
    """Nothing is lost or counted twice over years and weeks."""
    days = pl.date_range(date(2019, 12, 25), date(2021, 1, 10), eager=True).to_list()
    bars = golden(APPLE, days, [10.0] * len(days), [float(number) for number in range(len(days))])

    for timeframe, count in (("1w", 55), ("1mo", 14)):
        longer = resample(bars, timeframe=timeframe)
        assert (count, bars["volume"].sum()) == (len(longer), longer["volume"].sum())


@pytest.mark.parametrize(
    ("timeframe", "day", "expected"),
    [
        ("1w", date(2024, 1, 3), (date(2024, 1, 1), date(2024, 1, 7))),
        ("1w", date(2024, 1, 1), (date(2024, 1, 1), date(2024, 1, 7))),
        ("1w", date(2024, 1, 7), (date(2024, 1, 1), date(2024, 1, 7))),
        ("1mo", date(2024, 2, 10), (date(2024, 2, 1), date(2024, 2, 29))),
        ("1w", date.max, (date(9999, 12, 27), date.max)),
        ("1mo", date.max, (date(9999, 12, 1), date.max)),
        ("1w", date.min, (date.min, date(1, 1, 7))),
        ("1w", None, (None, None)),
        ("1mo", None, (None, None)),
    ],
)
def test_whole_periods(timeframe: str, day: date | None, expected: tuple[date | None, date | None]) -> None:
    """A range grows to whole weeks or months, and not beyond the calendar."""
    assert expected == whole_periods(day, day, timeframe=timeframe)
