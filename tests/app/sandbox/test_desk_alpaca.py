"""Alpaca's desk: what the client asks is answered with the truth, page by page, and what is wrong is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.conformance.market import market
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.alpaca import DESK
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask, Request
from truetape.domain.failures import FailureClass
from truetape.providers import alpaca
from truetape.providers.alpaca.classify import classify

TODAY = date(2012, 3, 23)
URL = f"{ROOT}/alpaca"
KEYS = {"APCA-API-KEY-ID": "a-long-key", "APCA-API-SECRET-KEY": "a-long-secret"}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def pages(dataset: Dataset, ask: Ask) -> list[pl.DataFrame]:
    """What the provider reads from each page of the desk's answer."""
    provider = alpaca.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key", secret="a-long-secret")
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


async def test_daily_bars_are_the_truth(dataset: Dataset) -> None:
    """As traded, to the last decimal."""
    true = view(dataset.series["AAA"]).raw
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", start=weekdays()[0], end=TODAY))
    assert_frame_equal(frame.drop("adj_close"), true.drop("adj_close"))


async def test_longer_bars(dataset: Dataset) -> None:
    """The week before the split opens with its Monday and closes with its Friday."""
    ask = Ask(kind="bars", symbol="AAA", timeframe="1w", start=date(2012, 2, 6), end=date(2012, 2, 10))
    days = view(dataset.series["AAA"]).between(date(2012, 2, 6), date(2012, 2, 10)).raw
    expected = [(datetime(2012, 2, 6, tzinfo=UTC), days["open"][0], days["close"][-1], days["volume"].sum())]
    assert expected == (await rows(dataset, ask)).select("ts_event", "open", "close", "volume").rows()


async def test_minutes_are_the_truth(dataset: Dataset) -> None:
    """Two sessions in full, and nothing of their neighbours."""
    start, end = date(2012, 3, 20), date(2012, 3, 21)
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", timeframe="5m", start=start, end=end))
    true = view(dataset.series["AAA"]).between(start, end).minutes("5m")
    assert 2 * 78 == frame.height
    assert_frame_equal(frame, true)


async def test_trades_come_in_pages(dataset: Dataset) -> None:
    """Ten thousand on a page, all of them together, none twice."""
    start, end = date(2012, 3, 12), date(2012, 3, 20)
    found = await pages(dataset, Ask(kind="trades", symbol="AAA", start=start, end=end))
    true = view(dataset.series["AAA"]).between(start, end).trades()
    assert [10_000, true.height - 10_000] == [page.height for page in found]
    assert_frame_equal(pl.concat(found).drop("side"), true.drop("side"))


async def test_quotes_are_the_truth(dataset: Dataset) -> None:
    """Best prices and sizes after each trade."""
    day = date(2012, 3, 20)
    names = ["symbol", "ts_event", "bid", "bid_size", "ask", "ask_size"]
    frame = await rows(dataset, Ask(kind="quotes", symbol="AAA", start=day, end=day))
    true = view(dataset.series["AAA"]).between(day, day).quotes()
    assert_frame_equal(frame.select(names), true.select(names))
    newest = await rows(dataset, Ask(kind="quotes", symbol="AAA"))
    assert newest.select("symbol", "ts_event", "price", "previous_close").rows() == [
        ("AAA", datetime(2012, 3, 23, 20, tzinfo=UTC), 40.59, 40.58)
    ]


@pytest.mark.parametrize("symbol", ["AAA", ""])
async def test_actions_are_the_truth(dataset: Dataset, symbol: str) -> None:
    """Of one symbol, or of all of them."""
    frame = await rows(dataset, Ask(kind="actions", symbol=symbol, start=date(2012, 1, 1), end=TODAY))
    assert frame.select("symbol", "ex_date", "type", "value", "currency", "basis").rows() == [
        ("AAA", date(2012, 1, 16), "dividend", 0.5, "USD", "raw"),
        ("AAA", SPLIT, "split", 2.0, None, "raw"),
        ("AAA", date(2012, 3, 5), "dividend", 0.25, "USD", "raw"),
    ]


async def test_coins_rates_and_assets() -> None:
    """Coins trade around the clock; indices and national currencies are no assets."""
    day = date(2024, 3, 9)  # a Saturday
    coins = await rows(market(), Ask(kind="bars", symbol="BTC/USD", start=day, end=day))
    assert coins.select("symbol", "ts_event", "currency").rows() == [
        ("BTC/USD", datetime(2024, 3, 9, tzinfo=UTC), "USD")
    ]
    hours = await rows(market(), Ask(kind="bars", symbol="BTC/USD", timeframe="1h", start=day, end=day))
    assert hours.height == 24
    assert (await rows(market(), Ask(kind="quotes", symbol="BTC/USD"))).height == 1
    ask = Ask(kind="fx_rates", symbol="EURUSD", start=date(2024, 3, 7), end=date(2024, 3, 8))
    truth = view(market().series["EUR/USD"]).between(date(2024, 3, 7), date(2024, 3, 8)).raw
    assert (await rows(market(), ask))["rate"].equals(truth["close"], check_names=False)
    newest = await rows(market(), Ask(kind="fx_rates", symbol="EURUSD"))
    assert newest.select("base", "quote").rows() == [("EUR", "USD")]
    listed = await rows(market(), Ask(kind="listings", symbol=""))
    assert listed.select("symbol", "mic", "asset_class").rows() == [
        ("AAA", "XNAS", "equity"),
        ("BRK.B", "XNYS", "equity"),
        ("BTC/USD", None, "crypto"),
        ("ETH/USD", None, "crypto"),
    ]
    assert (await rows(market(), Ask(kind="listings", symbol="BRK.B")))["symbol"].to_list() == ["BRK.B"]


@pytest.mark.parametrize("kind", ["bars", "trades", "quotes", "actions", "fx_rates"])
async def test_an_unknown_symbol_has_no_rows(dataset: Dataset, kind: str) -> None:
    """Alpaca answers an object without it."""
    ask = Ask(kind=kind, symbol="ZZZ", start=TODAY, end=TODAY)
    assert (await rows(dataset, ask)).is_empty()


async def test_present_quotes_and_assets_of_unknown_symbols(dataset: Dataset) -> None:
    """No snapshot, and no such asset."""
    assert (await rows(dataset, Ask(kind="quotes", symbol="ZZZ"))).is_empty()
    provider = alpaca.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key")
    failure = provider.classify(await provider.client.fetch(Ask(kind="listings", symbol="ZZZ")))
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT


@pytest.mark.parametrize(("adjustment", "close"), [("raw", 80.0), ("split", 40.0), ("all", None)])
async def test_adjustments(dataset: Dataset, adjustment: str, close: float | None) -> None:
    """Days come in any of three bases."""
    params = {
        "symbols": "AAA",
        "timeframe": "1Day",
        "adjustment": adjustment,
        "start": "2012-01-02",
        "end": "2012-01-03",
    }
    answer = await InMemoryHttp(dataset).send(Request(url=f"{URL}/v2/stocks/bars", params=params, secret_headers=KEYS))
    found = json.loads(answer.body)["bars"]["AAA"][0]["c"]
    assert found == (view(dataset.series["AAA"]).full["close"][0] if close is None else close)
    weekly = {**params, "timeframe": "1Week"}
    answer = await InMemoryHttp(dataset).send(Request(url=f"{URL}/v2/stocks/bars", params=weekly, secret_headers=KEYS))
    assert json.loads(answer.body)["bars"]["AAA"][0]["t"] == "2012-01-02T05:00:00Z"


async def test_without_times_the_last_day_is_meant(dataset: Dataset) -> None:
    """And a page has a thousand rows."""
    http = InMemoryHttp(dataset)
    answer = await http.send(Request(url=f"{URL}/v2/stocks/trades", params={"symbols": "AAA"}, secret_headers=KEYS))
    body = json.loads(answer.body)
    assert (len(body["trades"]["AAA"]), bool(body["next_page_token"])) == (1000, True)
    assert body["trades"]["AAA"][0]["t"].startswith("2012-03-23T13:30")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"timeframe": "2Day"}, "invalid timeframe: 2Day"),
        ({"timeframe": "1Day", "adjustment": "twice"}, "invalid adjustment: twice"),
        ({"timeframe": "1Min", "adjustment": "split"}, "invalid adjustment: split"),
        ({"timeframe": "1Day", "start": "soon"}, "invalid start: soon"),
        ({"timeframe": "1Day", "limit": "0"}, "invalid limit: 0"),
        ({"timeframe": "1Day", "limit": "many"}, "invalid limit: many"),
        ({"timeframe": "1Day", "page_token": "???"}, "invalid page_token: ???"),
        ({"timeframe": "1Day", "page_token": "eHg="}, "invalid page_token: eHg="),
        ({"timeframe": "1Day", "page_token": "a"}, "invalid page_token: a"),
    ],
)
def test_what_is_wrong_is_refused(params: dict[str, str], words: str) -> None:
    """By its name and value."""
    reply = DESK.refusal(Query(symbol="AAA", today=TODAY, parts={"endpoint": "bars"}, params=params, keyed=True))
    assert reply is not None
    assert (reply.status, json.loads(reply.body)["message"]) == (400, words)


async def test_without_a_key_nobody_is_served(dataset: Dataset) -> None:
    """The desk wants the key in its header."""
    answer = await InMemoryHttp(dataset).send(Request(url=f"{URL}/v2/assets"))
    failure = classify(answer)
    assert failure is not None
    assert failure.failure_class is FailureClass.AUTH
