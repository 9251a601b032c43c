"""Massive's desk: what the client asks is answered with the truth, page by page, and what is wrong is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.conformance.market import market
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.massive import DESK
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask, Request
from truetape.domain.failures import FailureClass
from truetape.providers import massive

TODAY = date(2012, 3, 23)
URL = f"{ROOT}/massive"
KEY = {"Authorization": "Bearer a-long-key"}
SPRING: dict[str, Any] = {"start": date(2024, 3, 7), "end": date(2024, 3, 8)}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def pages(dataset: Dataset, ask: Ask) -> list[pl.DataFrame]:
    """What the provider reads from each page of the desk's answer."""
    provider = massive.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key")
    frames: list[pl.DataFrame] = []
    following: Ask | None = ask
    while following is not None:
        answer = await provider.client.fetch(following)
        assert provider.classify(answer) is None, answer.body
        frames.append(provider.decode[ask.kind](answer.body, following))
        following = provider.follow(answer, following)
    return frames


async def rows(dataset: Dataset, ask: Ask) -> pl.DataFrame:
    return pl.concat(await pages(dataset, ask))


async def told(dataset: Dataset, path: str, **params: str) -> dict[str, Any]:
    """The JSON that the desk answers at `path`; an underscore in a parameter's name stands for a dot."""
    named = {name.replace("_", "."): value for name, value in params.items()}
    answer = await InMemoryHttp(dataset).send(Request(url=URL + path, params=named, secret_headers=KEY))
    body: dict[str, Any] = json.loads(answer.body)
    return body


async def test_daily_bars_are_the_truth(dataset: Dataset) -> None:
    """As traded, to the last decimal."""
    true = view(dataset.series["AAA"]).raw
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", start=weekdays()[0], end=TODAY))
    assert_frame_equal(frame.drop("adj_close"), true.drop("adj_close"))


async def test_bars_are_adjusted_unless_asked_otherwise(dataset: Dataset) -> None:
    """Days and longer bars; minutes are as traded."""
    path = "/v2/aggs/ticker/AAA/range/1/{}/2012-01-02/2012-01-03"
    day, raw = await told(dataset, path.format("day")), await told(dataset, path.format("day"), adjusted="false")
    assert [one["results"][0]["c"] for one in (day, raw)] == [40, 80]
    assert (day["adjusted"], raw["adjusted"]) == (True, False)
    assert (await told(dataset, path.format("week")))["results"][0]["c"] == 40.005
    assert (await told(dataset, path.format("minute")))["adjusted"] is False


async def test_bars_come_in_pages(dataset: Dataset) -> None:
    """The address of the next page begins where this one ended."""
    path = "/v2/aggs/ticker/AAA/range/1/day/2012-01-02/2012-01-06"
    first = await told(dataset, path, limit="3")
    assert [row["t"] for row in first["results"]] == [1325480400000, 1325566800000, 1325653200000]
    following = first["next_url"].removeprefix("https://api.massive.com").partition("?")[0]
    assert following == "/v2/aggs/ticker/AAA/range/1/day/1325739600000/2012-01-06"
    second = await told(dataset, following, limit="3")
    assert ([row["t"] for row in second["results"]], "next_url" in second) == ([1325739600000, 1325826000000], False)


async def test_minutes_are_the_truth(dataset: Dataset) -> None:
    """Two sessions in full, and nothing of their neighbours."""
    start, end = date(2012, 3, 20), date(2012, 3, 21)
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", timeframe="5m", start=start, end=end))
    assert_frame_equal(frame, view(dataset.series["AAA"]).between(start, end).minutes("5m"))


async def test_trades_come_in_pages(dataset: Dataset) -> None:
    """A cursor holds the range and the size of a page."""
    day = date(2012, 3, 20)
    true = view(dataset.series["AAA"]).between(day, day).trades()
    names = ["ts_event", "price", "size", "trade_id"]
    assert_frame_equal(
        (await rows(dataset, Ask(kind="trades", symbol="AAA", start=day, end=day))).select(names), true.select(names)
    )
    span = {"timestamp_gte": "1332216000000000000", "timestamp_lt": "1332302400000000000"}  # the 20th in New York
    first = await told(dataset, "/v3/trades/AAA", limit="1500", **span)
    cursor = first["next_url"].partition("cursor=")[2]
    second = await told(dataset, "/v3/trades/AAA", cursor=cursor)
    assert [len(one["results"]) for one in (first, second)] == [1500, true.height - 1500]
    assert "next_url" not in second


async def test_without_a_range_the_last_day_is_meant(dataset: Dataset) -> None:
    """A thousand rows on a page."""
    body = await told(dataset, "/v3/quotes/AAA")
    assert len(body["results"]) == 1000
    assert body["results"][0]["sip_timestamp"] // 10**9 == 1332509400  # 2012-03-23 13:30 UTC


async def test_quotes_are_the_truth(dataset: Dataset) -> None:
    """Best prices and sizes after each trade; now, the last close."""
    day = date(2012, 3, 20)
    names = ["symbol", "ts_event", "bid", "bid_size", "ask", "ask_size"]
    frame = await rows(dataset, Ask(kind="quotes", symbol="AAA", start=day, end=day))
    true = view(dataset.series["AAA"]).between(day, day).quotes()
    assert_frame_equal(frame.select(names), true.select(names))
    newest = await rows(dataset, Ask(kind="quotes", symbol="AAA,ZZZ"))
    assert newest.select("symbol", "ts_event", "price", "previous_close").rows() == [
        ("AAA", datetime(2012, 3, 23, 20, tzinfo=UTC), 40.59, 40.58)
    ]


@pytest.mark.parametrize("symbol", ["AAA", ""])
async def test_actions_are_the_truth(dataset: Dataset, symbol: str) -> None:
    """Splits, and then dividends, of one symbol or of all of them."""
    frame = await rows(dataset, Ask(kind="actions", symbol=symbol))
    assert frame.select("symbol", "ex_date", "type", "value", "currency", "basis").rows() == [
        ("AAA", SPLIT, "split", 2.0, None, "raw"),
        ("AAA", date(2012, 1, 16), "dividend", 0.5, "USD", "raw"),
        ("AAA", date(2012, 3, 5), "dividend", 0.25, "USD", "raw"),
    ]


async def test_coins_rates_indices_and_tickers() -> None:
    """Each asset class has its prefix."""
    coins = await rows(market(), Ask(kind="bars", symbol="X:BTCUSD", start=date(2024, 3, 9), end=date(2024, 3, 9)))
    assert coins.select("symbol", "ts_event", "currency").rows() == [
        ("X:BTCUSD", datetime(2024, 3, 9, tzinfo=UTC), "USD")
    ]
    truth = view(market().series["EUR/USD"]).between(SPRING["start"], SPRING["end"]).raw
    rates = await rows(market(), Ask(kind="fx_rates", symbol="C:EURUSD", **SPRING))
    assert rates["rate"].to_list() == truth["close"].to_list()
    newest = await rows(market(), Ask(kind="fx_rates", symbol="C:EURUSD"))
    assert newest.select("base", "quote").rows() == [("EUR", "USD")]
    levels = await rows(market(), Ask(kind="index_levels", symbol="I:SPX", **SPRING))
    assert levels["level"].to_list() == view(market().series["^GSPC"]).between(**SPRING).raw["close"].to_list()
    listed = await rows(market(), Ask(kind="listings", symbol=""))
    assert listed.select("symbol", "mic", "status").rows() == [("AAA", "XNAS", "active"), ("BRK.B", "XNYS", "active")]
    single = await rows(market(), Ask(kind="listings", symbol="I:SPX"))
    assert single.select("symbol", "asset_class").rows() == [("I:SPX", "index")]
    body = await told(market(), "/v3/reference/tickers")
    assert [row["ticker"] for row in body["results"]] == [
        *("AAA", "BRK.B", "X:BTCUSD", "X:ETHUSD", "C:EURUSD", "I:SPX"),
    ]


@pytest.mark.parametrize("kind", ["bars", "trades", "quotes", "actions"])
async def test_an_unknown_symbol_has_no_rows(dataset: Dataset, kind: str) -> None:
    """Massive answers without results."""
    assert (await rows(dataset, Ask(kind=kind, symbol="ZZZ", start=TODAY, end=TODAY))).is_empty()


@pytest.mark.parametrize(("kind", "symbol"), [("listings", "ZZZ"), ("fx_rates", "C:AAABBB")])
async def test_what_is_not_found(dataset: Dataset, kind: str, symbol: str) -> None:
    """A single ticker, or the rate of a pair."""
    provider = massive.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key")
    failure = provider.classify(await provider.client.fetch(Ask(kind=kind, symbol=symbol)))
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT


AGGREGATES = {
    "endpoint": "aggs",
    "symbol": "AAA",
    "multiplier": "1",
    "span": "day",
    "from": "2012-01-02",
    "to": "2012-01-03",
}


@pytest.mark.parametrize(
    ("parts", "params", "words"),
    [
        ({**AGGREGATES, "multiplier": "2"}, {}, "Could not parse the timespan: '2 day'."),
        ({**AGGREGATES, "from": "soon"}, {}, "Could not parse the time parameter: 'from'."),
        (AGGREGATES, {"limit": "0"}, "'limit' must be a number from 1 to 50000."),
        (AGGREGATES, {"limit": "all"}, "'limit' must be a number from 1 to 50000."),
        ({"endpoint": "trades"}, {"cursor": "a"}, "'cursor' is not a valid cursor."),
        ({"endpoint": "trades"}, {"cursor": "eHg="}, "'cursor' is not a valid cursor."),
    ],
)
def test_what_is_wrong_is_refused(parts: dict[str, str], params: dict[str, str], words: str) -> None:
    """By its name."""
    reply = DESK.refusal(Query(symbol="AAA", today=TODAY, parts=parts, params=params, keyed=True))
    assert reply is not None
    assert (reply.status, json.loads(reply.body)["error"]) == (400, words)


async def test_without_a_key_nobody_is_served(dataset: Dataset) -> None:
    """The key may stand in a header or in the query."""
    provider = massive.provider(InMemoryHttp(dataset), base_url=URL)
    failure = provider.classify(await provider.client.fetch(Ask(kind="listings", symbol="")))
    assert failure is not None
    assert failure.failure_class is FailureClass.AUTH
    answer = await InMemoryHttp(dataset).send(Request(url=f"{URL}/v3/reference/tickers", secrets={"apiKey": "k"}))
    assert answer.status == 200
