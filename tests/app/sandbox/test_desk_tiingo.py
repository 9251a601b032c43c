"""Tiingo's desk: what the client asks is answered with the truth, and what is wrong is refused."""

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
from truetape.app.sandbox.desks.tiingo import DESK
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask, Request
from truetape.domain.failures import FailureClass
from truetape.providers import tiingo

TODAY = date(2012, 3, 23)
URL = f"{ROOT}/tiingo"
KEY = {"Authorization": "Token a-long-key"}
SPRING: dict[str, Any] = {"start": date(2024, 3, 7), "end": date(2024, 3, 8)}
NAMES = ["timeframe", "ts_event", "open", "high", "low", "close", "volume", "currency", "basis"]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def rows(dataset: Dataset, ask: Ask, *, kind: str = "") -> pl.DataFrame:
    """What the provider reads from the desk's answer."""
    provider = tiingo.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key")
    answer = await provider.client.fetch(ask)
    assert provider.classify(answer) is None, answer.body
    return provider.decode[kind or ask.kind](answer.body, ask)


async def told(dataset: Dataset, path: str, **params: str) -> Any:
    """The JSON that the desk answers at `path`."""
    answer = await InMemoryHttp(dataset).send(Request(url=URL + path, params=params, secret_headers=KEY))
    return json.loads(answer.body)


async def test_days_are_the_truth(dataset: Dataset) -> None:
    """As traded, to the last decimal, beside the adjusted close."""
    true = view(dataset.series["AAA"]).raw
    ask = Ask(kind="bars", symbol="AAA", start=weekdays()[0], end=TODAY)
    assert_frame_equal(await rows(dataset, ask), true)


async def test_actions_stand_on_their_days(dataset: Dataset) -> None:
    """Cash as paid, and the split factor."""
    ask = Ask(kind="bars", symbol="AAA", start=weekdays()[0], end=TODAY)
    frame = await rows(dataset, ask, kind="actions")
    assert frame.select("ex_date", "type", "value", "currency", "basis").rows() == [
        (date(2012, 1, 16), "dividend", 0.5, "USD", "raw"),
        (SPLIT, "split", 2.0, "USD", "raw"),
        (date(2012, 3, 5), "dividend", 0.25, "USD", "raw"),
    ]


async def test_longer_bars_are_dated_with_their_last_session(dataset: Dataset) -> None:
    """Friday the 10th stands for the week, and the decoder turns it into its Monday."""
    body = await told(
        dataset, "/tiingo/daily/AAA/prices", startDate="2012-02-06", endDate="2012-02-10", resampleFreq="weekly"
    )
    assert [row["date"] for row in body] == ["2012-02-10T00:00:00.000Z"]
    ask = Ask(kind="bars", symbol="AAA", timeframe="1w", start=date(2012, 2, 6), end=date(2012, 2, 10))
    days = view(dataset.series["AAA"]).between(date(2012, 2, 6), date(2012, 2, 10)).raw
    assert (await rows(dataset, ask)).select("ts_event", "open", "close", "volume").rows() == [
        (datetime(2012, 2, 6, tzinfo=UTC), days["open"][0], days["close"][-1], days["volume"].sum())
    ]


async def test_without_a_start_the_newest_day_is_meant(dataset: Dataset) -> None:
    """One row."""
    assert [row["date"] for row in await told(dataset, "/tiingo/daily/AAA/prices")] == ["2012-03-23T00:00:00.000Z"]


async def test_minutes_are_the_truth(dataset: Dataset) -> None:
    """Two sessions in full; volumes come only if they are asked for."""
    start, end = date(2012, 3, 20), date(2012, 3, 21)
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", timeframe="5m", start=start, end=end))
    true = view(dataset.series["AAA"]).between(start, end).minutes("5m")
    assert_frame_equal(frame.drop("volume"), true.drop("volume"))
    assert frame["volume"].null_count() == len(frame)
    body = await told(dataset, "/iex/AAA/prices", startDate="2012-03-20", columns="open,volume")
    assert body[0]["volume"] == true["volume"][0]


async def test_quotes(dataset: Dataset) -> None:
    """The last close, of one symbol, of those of several that are known, or of nobody."""
    expected = [("AAA", datetime(2012, 3, 23, 20, tzinfo=UTC), 40.59, 40.58, "USD")]
    names = ("symbol", "ts_event", "price", "previous_close", "currency")
    for symbol in ("AAA", "AAA,ZZZ"):
        assert (await rows(dataset, Ask(kind="quotes", symbol=symbol))).select(names).rows() == expected
    for symbol in ("ZZZ", "ZZY,ZZZ"):
        assert (await rows(dataset, Ask(kind="quotes", symbol=symbol))).is_empty()


async def test_pairs() -> None:
    """Coins trade at weekends; rates are daily closes, or the present one."""
    saturday = date(2024, 3, 9)
    coins = await rows(market(), Ask(kind="bars", symbol="btcusd", start=saturday, end=saturday))
    true = view(market().series["BTC/USD"]).between(saturday, saturday)
    assert_frame_equal(coins.select(NAMES), true.raw.select(NAMES))
    hours = await rows(market(), Ask(kind="bars", symbol="btcusd", timeframe="1h", start=saturday, end=saturday))
    assert hours.height == 24
    spring = view(market().series["EUR/USD"]).between(**SPRING).raw
    for kind, name in (("bars", "close"), ("fx_rates", "rate")):
        frame = await rows(market(), Ask(kind=kind, symbol="eurusd", **SPRING))
        assert frame[name].to_list() == spring["close"].to_list()
    newest = await rows(market(), Ask(kind="fx_rates", symbol="eurusd"))
    assert newest.select("base", "quote").rows() == [("EUR", "USD")]
    for symbol in ("btcusd", "eurusd"):
        assert (await rows(market(), Ask(kind="quotes", symbol=symbol)))["symbol"].to_list() == [symbol]


async def test_lists() -> None:
    """The archive of shares, one share, and coins."""
    listed = await rows(market(), Ask(kind="listings", symbol=""))
    assert listed.select("symbol", "exchange", "status", "first_date").rows() == [
        ("AAA", "NASDAQ", "active", date(2023, 9, 1)),
        ("BRK-B", "NYSE", "active", date(2023, 9, 1)),
    ]
    single = await rows(market(), Ask(kind="listings", symbol="BRK-B"))
    assert single.select("symbol", "name", "exchange").rows() == [("BRK-B", "Class Share Holdings, Class B", "NYSE")]
    coins = await rows(market(), Ask(kind="listings", symbol="btcusd"))
    assert coins.select("symbol", "currency", "asset_class").rows() == [("btcusd", "USD", "crypto")]


@pytest.mark.parametrize(
    ("kind", "symbol", "found"),
    [
        ("bars", "ZZZ", FailureClass.PERMANENT),
        ("listings", "ZZZ", FailureClass.PERMANENT),
        ("bars", "zzzusd", None),
        ("listings", "zzzusd", None),
    ],
)
async def test_unknown_symbols(dataset: Dataset, kind: str, symbol: str, found: FailureClass | None) -> None:
    """A share is not found; of a pair there is nothing."""
    provider = tiingo.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key")
    failure = provider.classify(await provider.client.fetch(Ask(kind=kind, symbol=symbol)))
    assert (failure.failure_class if failure else None) is found


@pytest.mark.parametrize(
    ("endpoint", "params", "words"),
    [
        ("daily", {"resampleFreq": "1min"}, "Error: resampleFreq was '1min'"),
        ("prices", {"resampleFreq": "weekly"}, "Error: resampleFreq was 'weekly'"),
        ("daily", {"startDate": "soon"}, "Error: startDate was 'soon', no date."),
    ],
)
def test_what_is_wrong_is_refused(endpoint: str, params: dict[str, str], words: str) -> None:
    """By its name and value."""
    reply = DESK.refusal(Query(symbol="AAA", today=TODAY, parts={"endpoint": endpoint}, params=params, keyed=True))
    assert reply is not None
    assert reply.status == 400
    assert json.loads(reply.body)["detail"].startswith(words)


async def test_without_a_key_only_the_list_is_served(dataset: Dataset) -> None:
    """It is a public file."""
    provider = tiingo.provider(InMemoryHttp(dataset), base_url=URL)
    failure = provider.classify(await provider.client.fetch(Ask(kind="bars", symbol="AAA")))
    assert failure is not None
    assert failure.failure_class is FailureClass.AUTH
    answer = await provider.client.fetch(Ask(kind="listings", symbol=""))
    assert provider.classify(answer) is None
