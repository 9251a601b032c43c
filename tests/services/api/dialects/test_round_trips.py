"""What a dialect writes, the provider's decoder reads back unchanged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from truetape.domain.asks import Ask
from truetape.domain.schema import DECODED
from truetape.providers.alpha_vantage import decode as alpha_vantage_decode
from truetape.providers.finnhub import decode as finnhub_decode
from truetape.providers.iex_cloud import decode as iex_cloud_decode
from truetape.providers.yahoo import decode as yahoo_decode
from truetape.services.api.dialects import alpha_vantage, finnhub, iex_cloud, yahoo

ASK = Ask(kind="bars", symbol="BRK-B")
SYMBOL = "BRK-B"
ZONES = ("America/New_York", "Australia/Sydney", "Europe/London", "Asia/Tokyo", "UTC")

days = st.dates(date(1970, 1, 2), date(2100, 12, 31))
prices = st.builds(lambda digits, places: digits / 10**places, st.integers(1, 999_999), st.integers(0, 4))
volumes = st.integers(0, 10**12).map(float)
ratios = st.sampled_from([2.0, 3.0, 4.0, 7.0, 1.5, 0.1, 0.5, 1.05, 20.0])
SECONDS = (datetime(1970, 1, 2), datetime(2100, 1, 1))  # noqa: DTZ001 - hypothesis wants bounds without a zone
short = settings(max_examples=60, deadline=None)


@st.composite
def bars(
    draw: st.DrawFn,
    *,
    basis: str,
    adjusted: bool = True,
    nulls: bool = True,
    currency: bool = True,
    running: bool = True,
) -> pl.DataFrame:
    """A frame of daily bars, ascending, every one with a close."""
    dates = sorted(draw(st.sets(days, max_size=6)))
    maybe: st.SearchStrategy[float | None] = st.none() | prices if nulls else prices
    rows = [
        {
            "symbol": SYMBOL,
            "timeframe": "1d",
            "ts_event": datetime(day.year, day.month, day.day, tzinfo=UTC),
            "open": draw(maybe),
            "high": draw(maybe),
            "low": draw(maybe),
            "close": draw(prices),
            "volume": draw(st.none() | volumes if nulls else volumes),
            "adj_close": draw(maybe) if adjusted else None,
            "basis": basis,
            "running": False,
        }
        for day in dates
    ]
    frame = pl.DataFrame(rows, schema={name: kind for name, kind in DECODED["bars"].items() if name != "currency"})
    chosen = draw(st.sampled_from(["USD", "GBp", None])) if currency else "USD"
    last = draw(st.booleans()) if running else False
    return frame.with_columns(
        pl.lit(chosen, dtype=pl.String).alias("currency"),
        (pl.int_range(pl.len()) == pl.len() - 1).and_(last).alias("running"),
    ).select(list(DECODED["bars"]))


@st.composite
def actions(draw: st.DrawFn, frame: pl.DataFrame, *, basis: str) -> pl.DataFrame:
    """Dividends and splits on dates of `frame`, one of a kind for each date, in the currency of its bars."""
    dates = frame["ts_event"].dt.date().to_list()
    kinds = {"dividend": prices, "split": ratios}
    chosen = draw(st.sets(st.tuples(st.sampled_from(dates), st.sampled_from(sorted(kinds))))) if dates else set()
    rows = [
        {
            "symbol": SYMBOL,
            "ex_date": day,
            "type": kind,
            "value": draw(kinds[kind]),
            "currency": frame["currency"][0],
            "basis": basis,
        }
        for day, kind in sorted(chosen)
    ]
    return pl.DataFrame(rows, schema=DECODED["actions"])


@short
@given(st.data(), st.sampled_from(ZONES))
def test_yahoo_reads_back_bars_and_actions_in_every_zone(data: st.DataObject, zone: str) -> None:
    """Prices written as 32-bit floats come back as the decimals they were, dates as the exchange's dates."""
    frame = data.draw(bars(basis="split"))
    events = data.draw(actions(frame, basis="split"))
    body = yahoo.chart(frame, events, zone=zone)
    assert_frame_equal(yahoo_decode.bars(body, ASK), frame)
    assert_frame_equal(yahoo_decode.actions(body, ASK), events)


@short
@given(st.data(), st.sampled_from(["1w", "1mo"]), st.sampled_from(ZONES))
def test_yahoo_reads_back_longer_bars(data: st.DataObject, timeframe: str, zone: str) -> None:
    """Weeks and months keep the date that they are labelled with."""
    frame = data.draw(bars(basis="split", running=False)).with_columns(pl.lit(timeframe).alias("timeframe"))
    body = yahoo.chart(frame, pl.DataFrame(schema=DECODED["actions"]), zone=zone, timeframe=timeframe)
    read = yahoo_decode.bars(body, ASK)
    assert_frame_equal(read.drop("running"), frame.drop("running"))


@short
@given(st.data(), st.integers(1, 300))
def test_yahoo_reads_back_minutes(data: st.DataObject, gap: int) -> None:
    """Intraday bars keep their starting instant; the format carries no adjusted close for them."""
    frame = data.draw(bars(basis="split", adjusted=False, running=False))
    start = datetime(2024, 3, 8, 14, 30, tzinfo=UTC)
    starts = [start + timedelta(minutes=gap * number) for number in range(len(frame))]
    frame = frame.with_columns(pl.Series("ts_event", starts, dtype=DECODED["bars"]["ts_event"]))
    frame = frame.with_columns(pl.lit("1m").alias("timeframe"))
    body = yahoo.chart(frame, pl.DataFrame(schema=DECODED["actions"]), timeframe="1m")
    assert_frame_equal(yahoo_decode.bars(body, ASK).drop("running"), frame.drop("running"))


@short
@given(bars(basis="raw", adjusted=False, currency=False))
def test_alpha_vantage_reads_back_daily(frame: pl.DataFrame) -> None:
    """Plain daily bars come back ascending though they are written newest first."""
    assert_frame_equal(alpha_vantage_decode.bars(alpha_vantage.daily(frame), ASK), frame)


@short
@given(st.data())
def test_alpha_vantage_reads_back_daily_adjusted(data: st.DataObject) -> None:
    """Adjusted daily bars come back with their adjusted close, their dividends and their splits."""
    frame = data.draw(bars(basis="raw", currency=False))
    events = data.draw(actions(frame, basis="raw"))
    body = alpha_vantage.daily_adjusted(frame, events)
    assert_frame_equal(alpha_vantage_decode.bars(body, ASK), frame)
    assert_frame_equal(alpha_vantage_decode.actions(body, ASK), events)


@short
@given(bars(basis="split", adjusted=False, currency=False, running=False))
def test_finnhub_reads_back_candles(frame: pl.DataFrame) -> None:
    """Candles come back as the bars they were; the symbol is that of the ask."""
    read = finnhub_decode.bars(finnhub.candle(frame), Ask(kind="bars", symbol=SYMBOL))
    assert_frame_equal(read, frame)


@short
@given(prices, st.none() | prices, st.none() | prices, st.datetimes(*SECONDS))
def test_finnhub_reads_back_quotes(
    price: float, opened: float | None, previous: float | None, moment: datetime
) -> None:
    """A quote comes back to the second; the format carries no volume."""
    frame = pl.DataFrame(
        {
            "symbol": [SYMBOL],
            "ts_event": [moment.replace(microsecond=0, tzinfo=UTC)],
            "price": [price],
            **{name: [None] for name in ("bid", "bid_size", "ask", "ask_size")},
            "open": [opened],
            "high": [price],
            "low": [None],
            "previous_close": [previous],
            "volume": [None],
            "currency": ["USD"],
        },
        schema=DECODED["quotes"],
    )
    read = finnhub_decode.quotes(finnhub.quote(frame), Ask(kind="quotes", symbol=SYMBOL))
    assert_frame_equal(read, frame)


@short
@given(st.data(), ratios)
def test_iex_cloud_reads_back_raw_bars(data: st.DataObject, ratio: float) -> None:
    """Of the three prices in a row the raw ones are taken, and the fully adjusted close beside them."""
    raw = data.draw(bars(basis="raw", currency=False, running=False))
    split = raw.with_columns(pl.col("open", "high", "low", "close") / ratio, pl.lit("split").alias("basis"))
    full = split.with_columns(raw["adj_close"].alias("close"))
    body = iex_cloud.chart(raw, split=split, full=full)
    assert_frame_equal(iex_cloud_decode.bars(body, ASK), raw)
