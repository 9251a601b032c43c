"""Minutes, weeks, pairs, quotes, ticks, actions, lists and rates: written by a dialect, read back by its provider."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from truetape.domain.asks import Ask
from truetape.domain.decoding import decoded
from truetape.domain.schema import DECODED
from truetape.providers.alpha_vantage import decode as alpha_vantage_decode
from truetape.providers.finnhub import decode as finnhub_decode
from truetape.providers.iex_cloud import decode as iex_cloud_decode
from truetape.providers.yahoo import decode as yahoo_decode
from truetape.services.api.dialects import alpha_vantage, finnhub, iex_cloud, yahoo

MOMENT = datetime(2024, 3, 8, 21, 0, 0, tzinfo=UTC)  # 16:00 in New York


def ask(kind: str = "bars", symbol: str = "ACME", timeframe: str = "1d") -> Ask:
    return Ask(kind=kind, symbol=symbol, timeframe=timeframe)


def frame(kind: str, **columns: list[Any]) -> pl.DataFrame:
    """A frame of `kind`; columns that are not given are null."""
    schema = DECODED[kind]
    return decoded(kind, {name: pl.Series(values, dtype=schema[name]) for name, values in columns.items()})


def bars(*stamps: datetime, symbol: str = "ACME", timeframe: str = "1d", basis: str = "raw") -> pl.DataFrame:
    """Bars of 1.5, 2.5 and so on that are one apart."""
    count = len(stamps)
    steps = [float(number) for number in range(count)]
    return frame(
        "bars",
        symbol=[symbol] * count,
        timeframe=[timeframe] * count,
        ts_event=list(stamps),
        open=[1.5 + step for step in steps],
        high=[1.75 + step for step in steps],
        low=[1.0625 + step for step in steps],
        close=[1.25 + step for step in steps],
        volume=[100.0 + step for step in steps],
        currency=["USD"] * count,
        basis=[basis] * count,
        running=[False] * count,
    )


def day(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


ACTIONS = frame(
    "actions",
    symbol=["ACME"] * 3,
    ex_date=[date(2023, 6, 1), date(2024, 3, 8), date(2024, 3, 11)],
    type=["split", "dividend", "dividend"],
    value=[1.5, 0.24, 0.125],
    currency=["USD"] * 3,
    basis=["raw"] * 3,
    declared_date=[None, date(2024, 1, 30), None],
    record_date=[None, date(2024, 3, 9), None],
    pay_date=[None, date(2024, 4, 1), None],
)
CASH, SPLITS = ACTIONS.filter(type="dividend"), ACTIONS.filter(type="split")
LISTINGS = frame(
    "listings",
    symbol=["ACME", "GOLD"],
    name=["Acme, Inc.", "Gold Trust"],
    exchange=["NYSE", "NYSE ARCA"],
    mic=["XNYS", "ARCX"],
    asset_class=["equity", "etf"],
    currency=["USD", "USD"],
    status=["active", "delisted"],
    first_date=[date(1999, 11, 18), None],
    last_date=[None, date(2024, 3, 8)],
)
QUOTE = frame(
    "quotes",
    symbol=["ACME"],
    ts_event=[MOMENT],
    price=[187.5],
    bid=[187.25],
    bid_size=[300.0],
    ask=[187.75],
    ask_size=[100.0],
    open=[187.15],
    high=[188.0],
    low=[None],
    previous_close=[187.0],
    volume=[1000.0],
    currency=["USD"],
)


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m", "30m", "1h"])
def test_alpha_vantage_minutes(timeframe: str) -> None:
    """Minutes are written in New York's time, newest first, on either side of a change of the clocks."""
    written = bars(day(2024, 3, 8, 14, 30), day(2024, 3, 11, 13, 30), timeframe=timeframe)
    body = alpha_vantage.intraday(written, timeframe=timeframe)
    assert_frame_equal(alpha_vantage_decode.bars(body, ask(timeframe=timeframe)), written)
    empty = alpha_vantage.intraday(written.clear(), timeframe=timeframe, symbol="ACME")
    assert alpha_vantage_decode.bars(empty, ask(timeframe=timeframe)).is_empty()


def test_alpha_vantage_weeks_and_months() -> None:
    """Labelled by the provider with their last session, read back with their first day."""
    for timeframe, label, end in (
        ("1w", day(2024, 3, 4), date(2024, 3, 8)),
        ("1mo", day(2024, 3, 1), date(2024, 3, 28)),
    ):
        written = bars(label, timeframe=timeframe).with_columns(pl.lit(1.125).alias("adj_close"))
        body = alpha_vantage.longer(written, pl.Series([end]), timeframe=timeframe)
        assert_frame_equal(alpha_vantage_decode.bars(body, ask(timeframe=timeframe)), written)
        none = alpha_vantage.longer(written.clear(), pl.Series([], dtype=pl.Date), timeframe=timeframe, symbol="ACME")
        assert alpha_vantage_decode.bars(none, ask(timeframe=timeframe)).is_empty()


@pytest.mark.parametrize(
    ("timeframe", "stamp", "end", "coin"),
    [
        ("1d", day(2024, 3, 8), date(2024, 3, 8), False),
        ("1w", day(2024, 3, 4), date(2024, 3, 8), False),
        ("1mo", day(2024, 3, 1), date(2024, 3, 29), False),
        ("5m", day(2024, 3, 8, 14, 30), date(2024, 3, 8), False),
        ("1d", day(2024, 3, 9), date(2024, 3, 9), True),
        ("1w", day(2024, 3, 4), date(2024, 3, 10), True),
        ("1h", day(2024, 3, 9, 23), date(2024, 3, 9), True),
    ],
)
def test_alpha_vantage_pairs(timeframe: str, stamp: datetime, end: date, coin: bool) -> None:
    """Pairs are stamped in UTC; only coins have a volume."""
    base = "BTC" if coin else "EUR"
    written = bars(stamp, symbol=f"{base}USD", timeframe=timeframe)
    if not coin:
        written = written.with_columns(pl.lit(None, dtype=pl.Float64).alias("volume"))
    body = alpha_vantage.pair(written, pl.Series([end]), base=base, quote="USD", timeframe=timeframe, coin=coin)
    assert_frame_equal(alpha_vantage_decode.bars(body, ask(symbol=f"{base}/USD", timeframe=timeframe)), written)


def test_alpha_vantage_pairs_without_bars() -> None:
    """An empty series has a name and no rows."""
    body = alpha_vantage.pair(bars().clear(), pl.Series([], dtype=pl.Date), base="EUR", quote="USD", coin=False)
    assert alpha_vantage_decode.bars(body, ask()).is_empty()


def test_alpha_vantage_quotes() -> None:
    """A quote of a day comes back at New York's close, without bid and ask; an unknown symbol has none."""
    read = alpha_vantage_decode.quotes(alpha_vantage.global_quote(QUOTE), ask("quotes"))
    unsaid = [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("bid", "bid_size", "ask", "ask_size")]
    assert_frame_equal(read, QUOTE.with_columns(unsaid))
    assert alpha_vantage.global_quote(QUOTE.clear()) == b'{"Global Quote":{}}'


def test_alpha_vantage_exchange_rates() -> None:
    """A rate without a bid says so with a dash."""
    rate = frame("fx_rates", base=["EUR"], quote=["USD"], ts_event=[MOMENT], rate=[1.0942], ask=[1.0943])
    assert_frame_equal(alpha_vantage_decode.fx_rates(alpha_vantage.exchange_rate(rate), ask("fx_rates")), rate)
    assert alpha_vantage.exchange_rate(rate.clear()) == b"{}"


def test_alpha_vantage_actions_and_listings() -> None:
    """Dividends, splits and the list of listings, each in a body of its own."""
    read = alpha_vantage_decode.actions(alpha_vantage.dividends(ACTIONS, symbol="ACME"), ask("actions"))
    assert_frame_equal(read, CASH)
    read = alpha_vantage_decode.actions(alpha_vantage.splits(ACTIONS, symbol="ACME"), ask("actions"))
    assert_frame_equal(read, SPLITS)
    assert_frame_equal(alpha_vantage_decode.listings(alpha_vantage.listing_status(LISTINGS), ask("listings")), LISTINGS)


def test_finnhub_ticks() -> None:
    """A page holds the ticks after those of the pages before it."""
    trades = frame(
        "trades",
        symbol=["ACME"] * 3,
        ts_event=[day(2024, 3, 8, 14, 30, second, 123_000) for second in range(3)],
        price=[187.15, 187.16, 187.17],
        size=[100.0, 0.5, 3.0],
        conditions=["1,12", None, "1"],
        venue=["P", None, "D"],
        currency=["USD"] * 3,
    )
    whole = finnhub_decode.trades(finnhub.ticks(trades, symbol="ACME"), ask("trades"))
    assert_frame_equal(whole, trades)
    second = finnhub_decode.trades(finnhub.ticks(trades, symbol="ACME", skip=1, limit=1), ask("trades"))
    assert_frame_equal(second, trades[1:2])


def test_finnhub_actions() -> None:
    """Dividends tell the cash paid then, and that per share of today's count beside it."""
    halved = ACTIONS.with_columns(pl.col("value") / 2)
    assert_frame_equal(finnhub_decode.actions(finnhub.dividends(ACTIONS, halved), ask("actions")), CASH)
    unsaid = SPLITS.with_columns(pl.lit(None, dtype=pl.String).alias("currency"))
    assert_frame_equal(finnhub_decode.actions(finnhub.splits(ACTIONS), ask("actions")), unsaid)


def test_finnhub_symbols_and_rates() -> None:
    """Lists are of what is listed now; rates are labelled with the day of the question."""
    listed = LISTINGS.select("symbol", "name", "mic", "asset_class", "currency")
    expected = frame(
        "listings", **listed.to_dict(as_series=False), exchange=["US", "US"], status=["active", "active"]
    ).select(list(DECODED["listings"]))
    assert_frame_equal(finnhub_decode.listings(finnhub.symbols(LISTINGS), ask("listings", symbol="")), expected)
    rates = frame("fx_rates", base=["EUR"], quote=["USD"], ts_event=[day(2024, 3, 8)], rate=[1.0942])
    question = Ask(kind="fx_rates", symbol="OANDA:EUR_USD", start=date(2024, 3, 8))
    assert_frame_equal(finnhub_decode.fx_rates(finnhub.rates("EUR", {"USD": 1.0942, "GBP": 0.85}), question), rates)


def test_iex_cloud_minutes() -> None:
    """Minutes are written in New York's time."""
    written = bars(day(2024, 3, 8, 14, 30), day(2024, 3, 11, 13, 30), timeframe="1m")
    assert_frame_equal(iex_cloud_decode.bars(iex_cloud.minutes(written), ask()), written)
    assert iex_cloud.minutes(written.clear()) == b"[]"


def test_iex_cloud_quotes() -> None:
    """A bid that is not there is written as 0."""
    assert_frame_equal(iex_cloud_decode.quotes(iex_cloud.quote(QUOTE), ask("quotes")), QUOTE)
    bare = QUOTE.with_columns([pl.lit(None, dtype=pl.Float64).alias(name) for name in ("bid", "bid_size")])
    assert_frame_equal(iex_cloud_decode.quotes(iex_cloud.quote(bare), ask("quotes")), bare)


def test_iex_cloud_actions() -> None:
    """What is special says so in its flag."""
    special = CASH.with_columns(pl.Series("type", ["special_dividend", "dividend"]))
    assert_frame_equal(iex_cloud_decode.actions(iex_cloud.dividends(special), ask("actions")), special)
    assert_frame_equal(iex_cloud_decode.actions(iex_cloud.splits(ACTIONS), ask("actions")), SPLITS)


def test_iex_cloud_symbols_and_rates() -> None:
    """The list has no dates; rates have the instant of each."""
    coded = LISTINGS.with_columns(
        pl.Series("exchange", ["NYS", "PSE"]),
        pl.Series("cik", ["0000320193", None], dtype=pl.String),
        *[pl.lit(None, dtype=pl.Date).alias(name) for name in ("first_date", "last_date")],
    )
    body = iex_cloud.symbols(coded, day=date(2024, 3, 8))
    assert_frame_equal(iex_cloud_decode.listings(body, ask("listings")), coded)
    rates = frame("fx_rates", base=["USD"] * 2, quote=["CAD"] * 2, ts_event=[MOMENT, MOMENT], rate=[1.25, 1.5])
    assert_frame_equal(iex_cloud_decode.fx_rates(iex_cloud.rates(rates), ask("fx_rates")), rates)


def test_yahoo_index_levels() -> None:
    """A chart of an index is read as its levels, one of a share is not."""
    written = bars(day(2024, 3, 8), day(2024, 3, 11), symbol="^ACME", basis="split")
    none = ACTIONS.clear()
    read = yahoo_decode.index_levels(yahoo.chart(written, none, instrument="INDEX"), ask("index_levels"))
    assert read.rows() == [("^ACME", day(2024, 3, 8), 1.25, "USD"), ("^ACME", day(2024, 3, 11), 2.25, "USD")]
    assert yahoo_decode.index_levels(yahoo.chart(written, none), ask("index_levels")).is_empty()


def test_yahoo_quotes() -> None:
    """A chart of the last session tells its close, its range and the close before, at New York's close."""
    written = bars(day(2024, 3, 8), basis="split")
    read = yahoo_decode.quotes(yahoo.chart(written, ACTIONS.clear(), before=1.125), ask("quotes"))
    told = ("ts_event", "price", "high", "low", "previous_close", "volume")
    assert read.select(told).rows() == [(MOMENT, 1.25, 1.75, 1.0625, 1.125, 100.0)]


def test_yahoo_capital_gains() -> None:
    """Cash of either type keeps its type."""
    paid = ACTIONS.with_columns(
        pl.Series("type", ["split", "capital_gain", "dividend"]),
        pl.Series("value", [1.5, 0.25, 0.125]),
        pl.lit("split").alias("basis"),
        *[pl.lit(None, dtype=pl.Date).alias(name) for name in ("declared_date", "record_date", "pay_date")],
    )
    written = bars(day(2024, 3, 8), basis="split")
    assert_frame_equal(yahoo_decode.actions(yahoo.chart(written, paid), ask("actions")), paid)
