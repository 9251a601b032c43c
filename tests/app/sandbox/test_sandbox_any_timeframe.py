"""Bars of any timeframe for desks, compared with sums by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from truetape.app.conformance.market import market
from truetape.app.sandbox.any_timeframe import bars, hours
from truetape.app.sandbox.intraday import around_the_clock, regular_hours
from truetape.app.sandbox.truth import view
from truetape.domain.schema import DECODED, check

FIRST, LAST = date(2024, 2, 26), date(2024, 3, 8)  # two weeks, Monday to Friday


@pytest.mark.parametrize(
    ("timeframe", "rows"),
    [("1d", 10), ("1w", 2), ("1mo", 2), ("1h", 10 * 7), ("30m", 10 * 13), ("1m", 10 * 390)],
)
def test_bars_of_every_timeframe(timeframe: str, rows: int) -> None:
    """Ten regular sessions of six and a half hours."""
    truth = view(market().series["AAA"])
    frame = check(bars(truth, timeframe=timeframe, first=FIRST, last=LAST, symbol="AAA"), DECODED["bars"], kind="bars")
    assert (frame.height, set(frame["timeframe"])) == (rows, {timeframe})
    assert frame["volume"].sum() == truth.between(FIRST, LAST).raw["volume"].sum()


def test_weeks_and_months_begin_with_their_first_day() -> None:
    """The Mondays, and the first of February and of March."""
    truth = view(market().series["AAA"])
    weeks = bars(truth, timeframe="1w", first=FIRST, last=LAST, symbol="AAA")
    assert weeks["ts_event"].to_list() == [datetime(2024, 2, 26, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC)]
    days = truth.between(FIRST, date(2024, 3, 1)).raw
    assert weeks.select("open", "high", "low", "close").row(0) == (
        days["open"][0],
        days["high"].max(),
        days["low"].min(),
        days["close"][-1],
    )
    months = bars(truth, timeframe="1mo", first=FIRST, last=LAST, symbol="AAA")
    assert months["ts_event"].to_list() == [datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)]


@pytest.mark.parametrize(("symbol", "expected"), [("AAA", regular_hours), ("BTC/USD", around_the_clock)])
def test_pairs_trade_around_the_clock(symbol: str, expected: object) -> None:
    """And stocks as their venues do."""
    assert hours(symbol) is expected
