"""The crypto exchanges' desks: what a client asks is answered, decoded and equal to the truth, page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from truetape.app.sandbox.dataset import Dataset, read
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks import desk
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.intraday import around_the_clock, minutes, quotes, trades
from truetape.app.sandbox.truth import View, view
from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED
from truetape.ports.provider import Provider
from truetape.providers import vendor

EXCHANGES = ("binance", "coinbase", "kraken")
PAIR = "BTC/USD"
FIRST, LAST = date(2024, 2, 1), date(2024, 3, 10)  # a Thursday and a Sunday
DAY = date(2024, 2, 29)
VALUES = ("ts_event", "open", "high", "low", "close", "volume")
FORTY_DAYS = [FIRST + timedelta(days=number) for number in range(39)]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Thirty-nine days of one pair, whose close rises by 10 a day from 40,000."""
    rows = [
        (PAIR, day, close - 5.5, close + 30.25, close - 20.0, float(close), 250_000.5)
        for day, close in zip(FORTY_DAYS, range(40_000, 50_000, 10), strict=False)
    ]
    path = tmp_path / "coins.csv"
    pl.DataFrame(rows, schema=["symbol", *("date", "open", "high", "low", "close", "volume")], orient="row").write_csv(
        path
    )
    return read(path)


@pytest.fixture
def truth(dataset: Dataset) -> View:
    return view(dataset.series[PAIR])


def exchange(name: str, dataset: Dataset) -> tuple[Provider, InMemoryHttp]:
    http = InMemoryHttp(dataset)
    return vendor(name).provider(http, base_url=f"{ROOT}/{name}"), http


async def rows(name: str, dataset: Dataset, kind: str, **asked: object) -> pl.DataFrame:
    """Every row of the days asked for, of all pages in their order."""
    provider, _ = exchange(name, dataset)
    symbol = provider.spell(PAIR) if kind != "listings" else ""
    ask: Ask | None = Ask(kind=kind, symbol=symbol, **asked)  # type: ignore[arg-type]
    frames = [pl.DataFrame(schema=DECODED[kind])]
    while ask is not None:
        answer = await provider.client.fetch(ask)
        assert provider.classify(answer) is None
        frames.append(provider.decode[kind](answer.body, ask))
        ask = provider.follow(answer, ask)
    return pl.concat(frames)


def within(frame: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    return frame.filter(pl.col("ts_event").dt.date().is_between(start, end))


@pytest.mark.parametrize("name", EXCHANGES)
async def test_days_come_back(name: str, dataset: Dataset, truth: View) -> None:
    """Each day of a range as it is in the dataset, the last day of all included."""
    found = await rows(name, dataset, "bars", start=date(2024, 3, 1), end=LAST)
    expected = truth.between(date(2024, 3, 1), LAST).raw
    assert expected.select(VALUES).rows() == within(found, date(2024, 3, 1), LAST).select(VALUES).rows()
    assert [False] * 10 == found["running"].to_list()[:10]


@pytest.mark.parametrize(
    ("name", "timeframe", "bars"),
    [("binance", "1m", 2880), ("coinbase", "1m", 2880), ("kraken", "1m", 2880), ("binance", "30m", 96),
     ("coinbase", "1h", 48), ("kraken", "15m", 192)],
)  # fmt: skip
async def test_bars_within_days_come_back(name: str, timeframe: str, bars: int, dataset: Dataset, truth: View) -> None:
    """Two whole days, page by page, without a hole and without a bar twice."""
    found = await rows(name, dataset, "bars", timeframe=timeframe, start=DAY, end=date(2024, 3, 1))
    made = minutes(truth.raw, timeframe=timeframe, hours=around_the_clock, clock=True)
    expected = within(made, DAY, date(2024, 3, 1)).select(VALUES)
    assert bars == len(expected)
    assert expected.rows() == within(found, DAY, date(2024, 3, 1)).select(VALUES).rows()


async def test_binance_has_weeks_and_months(dataset: Dataset) -> None:
    """From Monday and from the first; what the dataset has of the first and the last one counts."""
    weeks = await rows("binance", dataset, "bars", timeframe="1w", start=date(2024, 1, 29), end=date(2024, 2, 11))
    assert [
        (datetime(2024, 1, 29, tzinfo=UTC), 39_994.5, 40_060.25, 39_980.0, 40_030.0, 1_000_002.0),
        (datetime(2024, 2, 5, tzinfo=UTC), 40_034.5, 40_130.25, 40_020.0, 40_100.0, 1_750_003.5),
    ] == weeks.select(VALUES).rows()
    months = await rows("binance", dataset, "bars", timeframe="1mo", start=FIRST, end=LAST)
    assert [
        (datetime(2024, 2, 1, tzinfo=UTC), 40_280.0),
        (datetime(2024, 3, 1, tzinfo=UTC), 40_380.0),
    ] == months.select("ts_event", "close").rows()


@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_days_trades_come_back(name: str, dataset: Dataset, truth: View) -> None:
    """Each of them once and in order: instants to the exchange's precision, prices and sizes exactly."""
    found = within(await rows(name, dataset, "trades", start=DAY, end=DAY), DAY, DAY)
    made = trades(truth.between(DAY, DAY).raw, hours=around_the_clock)
    precision = "1ms" if name == "binance" else "1ns"
    expected = made.select(pl.col("ts_event").dt.truncate(precision), "price", "size", "side")
    assert 5760 == len(expected)
    assert expected.rows() == found.select("ts_event", "price", "size", "side").rows()
    steps = found["trade_id"].cast(pl.Int64).diff().drop_nulls()
    assert [1] * 5759 == steps.to_list()


@pytest.mark.parametrize("name", EXCHANGES)
async def test_the_latest_trades(name: str, dataset: Dataset, truth: View) -> None:
    """Without a range, the last thousand."""
    found = await rows(name, dataset, "trades")
    made = trades(truth.between(LAST, LAST).raw, hours=around_the_clock).tail(1000)
    assert made.select("price", "size", "side").rows() == found.select("price", "size", "side").rows()


@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_quote_is_the_last(name: str, dataset: Dataset, truth: View) -> None:
    """The best bid and ask after the last trade of all."""
    found = await rows(name, dataset, "quotes")
    made = quotes(truth.raw.tail(2), hours=around_the_clock)
    precision = {"binance": "1ms", "coinbase": "1ns", "kraken": "1s"}[name]
    expected = made.select(pl.col("ts_event").dt.truncate(precision), "bid", "ask").row(-1)
    assert expected == found.select("ts_event", "bid", "ask").row(-1)


@pytest.mark.parametrize("name", EXCHANGES)
async def test_the_pair_is_listed(name: str, dataset: Dataset) -> None:
    """In the exchange's spelling, with its currency."""
    found = await rows(name, dataset, "listings")
    spelled = vendor(name).spell(PAIR)
    assert [(spelled, PAIR, "USD", "active")] == found.select("symbol", "name", "currency", "status").rows()


@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_range_before_the_first_day_is_empty(name: str, dataset: Dataset) -> None:
    """No row, and no failure."""
    early = {"start": date(2020, 3, 1), "end": date(2020, 3, 2)}
    for kind in ("bars", "trades"):
        assert within(await rows(name, dataset, kind, **early), *early.values()).is_empty()


@pytest.mark.parametrize("name", EXCHANGES)
async def test_an_unknown_pair_is_refused_for_good(name: str, dataset: Dataset) -> None:
    """Each says so in its own words."""
    provider, _ = exchange(name, dataset)
    answer = await provider.client.fetch(Ask(kind="bars", symbol=provider.spell("XYZ/USD"), start=DAY, end=DAY))
    failure = provider.classify(answer)
    assert failure is not None
    words = {"binance": "Invalid symbol.", "coinbase": "NotFound", "kraken": "EQuery:Unknown asset pair"}[name]
    assert (FailureClass.PERMANENT, words) == (failure.failure_class, failure.words)


def query(endpoint: str, **params: str) -> Query:
    return Query(symbol=PAIR, today=LAST, parts={"endpoint": endpoint}, params=params)


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("coinbase", query("candles", granularity="61"), '{"message":"Unsupported granularity"}'),
        ("coinbase", query("candles", granularity="60", start="monday"), '{"message":"invalid time"}'),
        ("coinbase", query("candles", granularity="60", start="2024-03-01T00:00:00Z", end="2024-03-01T05:00:00"),
         "Count of aggregations requested exceeds 300"),
        ("coinbase", query("trades", after="x"), '{"message":"Invalid cursor or limit"}'),
        ("kraken", query("OHLC", interval="7"), '{"error":["EGeneral:Invalid arguments:interval"]}'),
        ("kraken", query("Trades", since="x"), '{"error":["EGeneral:Invalid arguments:since"]}'),
        ("binance", query("klines", interval="7m"), '{"code":-1120,"msg":"Invalid interval."}'),
        ("binance", query("aggTrades", fromId="x"), "Illegal characters found in parameter 'fromId'."),
    ],
)  # fmt: skip
def test_a_wrong_question_to_an_exchange_is_refused(name: str, asked: Query, said: str) -> None:
    """In its own words, which its provider knows as permanent."""
    reply = desk(name).refusal(asked)
    assert reply is not None
    assert said in reply.body.decode()


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("coinbase", query("ticker")),
        ("coinbase", query("trades", limit="5", after="7")),
        ("coinbase", query("candles", granularity="60", start="2024-03-01T00:00:00Z", end="2024-03-01T04:59:00Z")),
        ("coinbase", query("candles", granularity="86400")),
        ("kraken", query("OHLC")),
        ("kraken", query("Spread")),
        ("binance", query("klines", interval="1M")),
        ("binance", query("24hr")),
    ],
)
def test_a_sound_question_to_an_exchange_is_answered(name: str, asked: Query, truth: View) -> None:
    """Optional parameters may be left out."""
    assert desk(name).refusal(asked) is None
    assert 200 == desk(name).data(truth, asked).status


@pytest.mark.parametrize(
    ("name", "spelled", "ours"),
    [
        ("coinbase", "BTC-USD", "BTC/USD"),
        ("coinbase", "AAA", "AAA"),
        ("kraken", "XBTUSD", "BTC/USD"),
        ("kraken", "XDGXBT", "DOGE/BTC"),
        ("kraken", "BTC/USD", "BTC/USD"),
        ("kraken", "AAA", "AAA"),
        ("binance", "BTCUSDT", "BTC/USDT"),
        ("binance", "AAA", "AAA"),
    ],
)
def test_exchanges_spellings_are_read(name: str, spelled: str, ours: str) -> None:
    """The dataset has a slash between coin and currency."""
    assert ours == desk(name).ours(spelled)


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_pair_without_prices_has_no_quote(name: str, dataset: Dataset) -> None:
    """Where the last day has no bar, there are no rows, or there is no such pair."""
    bare = view(dataset.series[PAIR])
    bare = replace(bare, raw=bare.raw.with_columns(pl.lit(None, pl.Float64).alias("close")))
    endpoint = {"binance": "24hr", "coinbase": "ticker", "kraken": "Spread"}[name]
    reply = desk(name).data(bare, query(endpoint, pair="XBTUSD"))
    decode = exchange(name, dataset)[0].decode["quotes"]
    if name == "kraken":
        assert decode(reply.body, Ask(kind="quotes", symbol=PAIR)).is_empty()
    else:
        with pytest.raises(ProviderRefused):
            decode(reply.body, Ask(kind="quotes", symbol=PAIR))
