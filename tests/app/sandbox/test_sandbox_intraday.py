"""Invented minutes, trades and quotes: when they are, and that they add up to the day they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import polars as pl
import pytest

from truetape.app.sandbox.intraday import around_the_clock, minutes, quotes, trades
from truetape.domain.decoding import decoded, label
from truetape.domain.errors import BadInput
from truetape.domain.schema import DECODED
from truetape.domain.time import iso

HALF_DAY = date(2012, 11, 23)  # the Friday after Thanksgiving
OHLCV = ("open", "high", "low", "close", "volume")
DAYS = {
    date(2012, 3, 9): (10.0, 12.25, 9.5, 11.0, 100_000.0),  # the last day of winter time
    date(2012, 3, 12): (11.0, 11.0, 11.0, 11.0, 5_000.0),  # the first of summer time
    HALF_DAY: (0.5123, 0.6, 0.5, 0.55, 1234.5),
    date(2012, 11, 25): (20.0, 21.0, 19.0, 19.0, 3.0),  # a Sunday
}


def daily(days: Mapping[date, tuple[float | None, ...]] | None = None, *, symbol: str = "AAA") -> pl.DataFrame:
    given = DAYS if days is None else days
    columns = dict(zip(OHLCV, map(list, zip(*given.values(), strict=True)), strict=True))
    stamps = label(pl.Series(list(given), dtype=pl.Date))
    known = {"symbol": symbol, "timeframe": "1d", "currency": "USD", "basis": "raw", "running": False}
    return decoded("bars", {"ts_event": stamps, **columns}, **known)


def totals(frame: pl.DataFrame, *, prices: tuple[str, str, str, str], volume: str) -> dict[date, tuple[float, ...]]:
    """Each day's OHLCV of rows that have `prices` for open, high, low and close."""
    day = pl.col("ts_event").dt.convert_time_zone("America/New_York").dt.date()
    grouped = frame.group_by(day.alias("day"), maintain_order=True).agg(
        pl.col(prices[0]).first().alias("open"),
        pl.col(prices[1]).max().alias("high"),
        pl.col(prices[2]).min().alias("low"),
        pl.col(prices[3]).last().alias("close"),
        pl.col(volume).sum().alias("volume"),
    )
    return {row[0]: row[1:] for row in grouped.iter_rows()}


@pytest.mark.parametrize(
    ("day", "first", "last", "count"),
    [
        (date(2012, 3, 9), "2012-03-09T14:30:00Z", "2012-03-09T20:59:00Z", 390),
        (date(2012, 3, 12), "2012-03-12T13:30:00Z", "2012-03-12T19:59:00Z", 390),
        (HALF_DAY, "2012-11-23T14:30:00Z", "2012-11-23T17:59:00Z", 210),
        (date(2012, 11, 25), "2012-11-25T14:30:00Z", "2012-11-25T20:59:00Z", 390),
    ],
)
def test_minutes_keep_the_venues_hours(day: date, first: str, last: str, count: int) -> None:
    """A session has 390 minutes from 09:30 in New York, 210 on a half day, in summer and in winter."""
    stamps = [iso(stamp) for stamp in minutes(daily({day: DAYS[day]}))["ts_event"].cast(pl.Int64)]

    assert (first, last, count) == (stamps[0], stamps[-1], len(stamps))


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m", "30m", "1h"])
@pytest.mark.parametrize("clock", [False, True])
def test_minutes_add_up_to_the_day(timeframe: str, clock: bool) -> None:
    """Bars of every length have the day's open, high, low, close and volume exactly, in the exact schema."""
    made = minutes(daily(), timeframe=timeframe, clock=clock)

    assert DAYS == totals(made, prices=("open", "high", "low", "close"), volume="volume")
    assert (DECODED["bars"], {timeframe}) == (dict(made.schema), set(made["timeframe"]))
    assert made["ts_event"].is_sorted()


def test_every_minute_is_a_bar_in_itself() -> None:
    """No minute opens or closes outside of its high and low, and prices are whole cents."""
    made = minutes(daily({day: row for day, row in DAYS.items() if day != HALF_DAY}))
    inside = (pl.col("low") <= pl.min_horizontal("open", "close")) & (pl.col("high") >= pl.max_horizontal(*OHLCV[:-1]))

    assert made.select(inside.all()).item()
    assert made.select((pl.col(*OHLCV[:-1]).round(2) == pl.col(*OHLCV[:-1])).all()).row(0) == (True,) * 4


def test_a_day_is_the_same_in_any_range() -> None:
    """The minutes of a day depend on its bar and symbol alone."""
    day = date(2012, 3, 12)
    alone = minutes(daily({day: DAYS[day]}))
    inside = minutes(daily()).filter(pl.col("ts_event").dt.date() == day)

    assert alone.equals(inside)
    busy = {date(2012, 3, 9): DAYS[date(2012, 3, 9)]}
    assert minutes(daily(busy))["close"].to_list() != minutes(daily(busy, symbol="BBB"))["close"].to_list()


def test_hours_begin_at_the_open_or_at_the_clock() -> None:
    """The first hour begins at 09:30, or in clock's terms at 09:00 with half an hour in it."""
    bars = daily({HALF_DAY: DAYS[HALF_DAY]})
    by_open = minutes(bars, timeframe="1h")["ts_event"].dt.strftime("%H:%M").to_list()
    by_clock = minutes(bars, timeframe="1h", clock=True)["ts_event"].dt.strftime("%H:%M").to_list()

    assert ["14:30", "15:30", "16:30", "17:30"] == by_open
    assert ["14:00", "15:00", "16:00", "17:00"] == by_clock


def test_a_market_that_never_closes_has_1440_minutes() -> None:
    """Around the clock a day runs from 00:00 to 23:59 UTC, and its hours stay within it."""
    first, second = date(2012, 3, 11), date(2012, 3, 12)
    bars = daily({first: (5.0, 6.0, 4.0, 5.5, 2000.0), second: (5.5, 5.5, 5.0, 5.0, 10.0)})
    made = minutes(bars, hours=around_the_clock)
    hours = minutes(bars, hours=around_the_clock, timeframe="1h")

    assert (2880, datetime(2012, 3, 12, 23, 59, tzinfo=UTC)) == (len(made), made["ts_event"][-1])
    assert (48, {0}) == (len(hours), set(hours["ts_event"].dt.minute()))
    assert (
        quotes(bars, hours=around_the_clock).filter(pl.col("ts_event").dt.date() == second)["previous_close"][0] == 5.5
    )


def test_trades_add_up_to_the_day() -> None:
    """Four trades of each minute with a volume have its prices and, together, the day's volume; ids are unique."""
    whole = {day: row for day, row in DAYS.items() if row[-1] >= 5000}
    made = trades(daily(whole))

    assert whole == totals(made, prices=("price",) * 4, volume="size")
    assert (DECODED["trades"], 2 * 390 * 4) == (dict(made.schema), made["trade_id"].n_unique())
    assert made["ts_event"].is_sorted(descending=False)
    assert {123_456_789} == {stamp % 1_000_000_000 for stamp in made["ts_event"].cast(pl.Int64)[1::4]}
    assert (made["size"] > 0).all()


def test_few_shares_are_traded_in_parts() -> None:
    """Three shares of a day are twelve quarters or fewer trades, and still three shares."""
    made = trades(daily({date(2012, 3, 9): (1.0, 1.0, 1.0, 1.0, 3.0)}))

    assert made["size"].sum() == 3.0
    assert (made["size"] > 0).all()


def test_quotes_stand_around_the_trade() -> None:
    """Bid and ask are a tick apart with the last price at one of them; the session's figures end as the day's."""
    made = quotes(daily())
    last = made.filter(pl.col("ts_event").dt.date() == date(2012, 3, 12)).row(-1, named=True)

    assert DECODED["quotes"] == dict(made.schema)
    assert made.select(((pl.col("price") == pl.col("bid")) | (pl.col("price") == pl.col("ask"))).all()).item()
    assert {0.01, 0.0001} == set((made["ask"] - made["bid"]).round(4))
    figures = (*(last[name] for name in ("open", "high", "low", "price", "volume", "previous_close")),)
    assert (11.0, 11.0, 11.0, 11.0, 5000.0, 11.0) == figures


def test_days_without_prices_have_no_minutes() -> None:
    """A day that lacks a price has no minutes; one without a volume has prices alone, and nobody traded."""
    day = date(2012, 3, 9)
    quiet = daily({day: (1.0, 2.0, 1.0, 2.0, None)})

    assert 0 == len(minutes(daily({day: (None, 2.0, 1.0, 1.5, 10.0)})))
    assert (390, 390) == (len(minutes(quiet)), minutes(quiet)["volume"].null_count())
    assert 390 // 5 == minutes(quiet, timeframe="5m")["volume"].null_count()
    assert (0, 0) == (len(trades(quiet)), len(quotes(quiet)))


def test_other_timeframes_are_refused() -> None:
    """A timeframe that is no part of a day is bad input, with the valid ones listed."""
    with pytest.raises(BadInput, match=r"timeframe was '2h'. Choose one of 1m, 5m, 15m, 30m, 1h\."):
        minutes(daily(), timeframe="2h")
