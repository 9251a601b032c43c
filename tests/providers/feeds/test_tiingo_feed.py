"""Tiingo's stream: rows without names whose form is told by service, length and first cell."""

from __future__ import annotations

import json

import pytest

from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint
from truetape.providers.tiingo.feed import make

AT = 1_709_911_800_123_456_789
STAMP = "2024-03-08T10:30:00.123456789-05:00"


def hear(service: str, row: list[object], *, kind: str = "A") -> list[Tick]:
    return make(key="k").receive(json.dumps({"messageType": kind, "service": service, "data": row}), 0)


QUOTE: list[object] = ["Q", STAMP, AT, "brk-b", 100, 81.58, 81.585, 81.59, 200, None, None, 0, 0, None, None, None]
TRADE: list[object] = ["T", STAMP, AT, "acme", None, None, None, None, None, 50.285, 25, None, 0, 1, 1, 0]
SAID = Trade(
    symbol="ACME",
    ts_event=AT,
    price=50.285,
    size=25.0,
    conditions="intermarket_sweep,odd_lot",
    venue="IEX",
    channel="iex",
)


@pytest.mark.parametrize(
    ("service", "row", "tick"),
    [
        (
            "iex",
            QUOTE,
            Quote(symbol="BRK-B", ts_event=AT, bid=81.58, bid_size=100.0, ask=81.59, ask_size=200.0, channel="iex"),
        ),
        ("iex", TRADE, SAID),
        (
            "iex",
            ["T", STAMP, AT, "acme", 25, 50.285],
            Trade(symbol="ACME", ts_event=AT, price=50.285, size=25.0, channel="iex"),
        ),
        ("iex", [STAMP, "acme", 50.5], Quote(symbol="ACME", ts_event=AT, price=50.5, channel="iex")),
        (
            "fx",
            ["Q", "eurnok", STAMP, 5_000_000.0, 9.6764, 9.678135, 4_000_000.0, 9.67987],
            Quote(
                symbol="eurnok",
                ts_event=AT,
                bid=9.6764,
                bid_size=5_000_000.0,
                ask=9.67987,
                ask_size=4_000_000.0,
                channel="fx",
            ),
        ),
        (
            "crypto_data",
            ["T", "evxbtc", STAMP, "binance", 405.0, 0.00003],
            Trade(symbol="evxbtc", ts_event=AT, price=0.00003, size=405.0, venue="binance", channel="crypto_data"),
        ),
        (
            "crypto_data",
            ["Q", "evxbtc", STAMP, "gdax", 1.5, 0.25, 0.375, 2.5, 0.5],
            Quote(symbol="evxbtc", ts_event=AT, bid=0.25, bid_size=1.5, ask=0.5, ask_size=2.5, channel="crypto_data"),
        ),
    ],
)
def test_every_form_of_row_is_read(service: str, row: list[object], tick: Tick) -> None:
    """Stocks get the large letters of requests, pairs keep their small ones."""
    assert [tick] == hear(service, row)
    assert [tick] == hear(service, row, kind="U")


def test_a_broken_trade_never_was() -> None:
    """A break has no id: price, size and time name the trade."""
    (tick,) = hear("iex", ["B", *TRADE[1:]])

    assert isinstance(tick, Trade)
    assert ("cancel", 50.285, 25.0, AT) == (tick.correction, tick.price, tick.size, tick.ts_event)


@pytest.mark.parametrize(
    ("service", "row"),
    [
        ("iex", []),
        ("iex", [7]),
        ("iex", QUOTE[:15]),
        ("iex", ["X", *QUOTE[1:]]),
        ("iex", [7, "acme", 50.5]),
        ("iex", [*QUOTE[:2], "soon", *QUOTE[3:]]),
        ("iex", [*QUOTE[:2], True, *QUOTE[3:]]),
        ("iex", [*QUOTE[:2], -1, *QUOTE[3:]]),
        ("iex", [*QUOTE[:3], None, *QUOTE[4:]]),
        ("iex", [*QUOTE[:3], "A" * 65, *QUOTE[4:]]),
        ("iex", [*TRADE[:9], None, *TRADE[10:]]),
        ("iex", [*TRADE[:9], True, *TRADE[10:]]),
        ("iex", [*TRADE[:9], 10**400, *TRADE[10:]]),
        ("iex", [*QUOTE[:5], "81", *QUOTE[6:]]),
        ("fx", ["T", "eurnok", STAMP, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("crypto_data", ["T", "evxbtc", "today", "binance", 405.0, 0.00003]),
        ("news", ["Q", "acme", STAMP]),
    ],
)
def test_rows_without_a_known_form_are_unreadable(service: str, row: list[object]) -> None:
    """A row that does not fit is rejected, not guessed at."""
    (told,) = hear(service, row)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_deleted_rows_say_nothing() -> None:
    """Only new and updated rows are read."""
    assert [] == hear("iex", QUOTE, kind="D")


def said(**fields: object) -> list[Tick]:
    return make().receive(json.dumps(fields), 0)


def test_words_about_the_connection_are_told() -> None:
    """Heartbeats, the number of the subscription, and plain information."""
    ok = {"code": 200, "message": "Success"}

    assert [Told(what="heartbeat")] == said(messageType="H", response={"code": 200, "message": "HeartBeat"})
    assert [Told(what="subscribed", words="61")] == said(messageType="I", response=ok, data={"subscriptionId": 61})
    assert [Told(what="said", words="Success")] == said(messageType="I", response=ok)
    assert [Told(what="said", words="Success")] == said(messageType="I", response=ok, data={})
    assert [Told(what="said")] == said(messageType="I")


@pytest.mark.parametrize(
    ("kind", "code", "words", "failure"),
    [
        ("E", 401, "Invalid token.", FailureClass.AUTH),
        ("I", 403, "no access", FailureClass.ENTITLEMENT),
        ("E", 429, "slow down", FailureClass.THROTTLED),
        ("E", 500, "oops", FailureClass.TRANSIENT),
        ("E", 400, "thresholdLevel not valid", FailureClass.PERMANENT),
        ("E", 0, "You have run over your hourly request allocation", FailureClass.QUOTA),
    ],
)
def test_refusals_have_a_class(kind: str, code: int, words: str, failure: FailureClass) -> None:
    """The code tells most of it, the words the rest."""
    (told,) = said(messageType=kind, response={"code": code, "message": words})

    assert isinstance(told, Told)
    assert ("refused", failure) == (told.what, told.failure and told.failure.failure_class)
    assert told.words.endswith(words)
    (silent,) = said(messageType="E")
    assert isinstance(silent, Told)
    assert "no words" == silent.words


def test_the_subscription_carries_the_key() -> None:
    """Trades want everything, prices alone only what moves; more symbols join the subscription that there is."""
    feed = make(key="k")
    first = {
        "eventName": "subscribe",
        "authorization": "k",
        "eventData": {"thresholdLevel": 0, "tickers": ["brk-b"]},
    }
    assert [first] == [json.loads(frame) for frame in feed.subscribe(["BRK-B"], ["trades"])]

    feed.receive('{"messageType":"I","response":{"code":200},"data":{"subscriptionId":61}}', 0)

    data = {"subscriptionId": 61, "thresholdLevel": 5, "tickers": ["acme"]}
    assert [data] == [json.loads(frame)["eventData"] for frame in feed.subscribe(["ACME"], ["quotes"])]
    assert [2, 7] == [
        json.loads(make().subscribe([pair], ["trades"])[0])["eventData"]["thresholdLevel"]
        for pair in ("btcusd", "eurusd")
    ]
    assert ([], True) == (feed.subscribe([], ["trades"]), feed.ready)


def test_each_service_has_its_address() -> None:
    """Stocks, coins and national currencies do not share a connection."""
    feed = make()

    assert [["ACME"], ["btcusd"], ["eurusd"]] == feed.part(["ACME", "btcusd", "eurusd"])
    addresses = [f"wss://api.tiingo.com/{service}" for service in ("iex", "crypto", "fx", "iex")]
    assert [Endpoint(url=address, said=("",)) for address in addresses] == [
        feed.endpoint(symbols, ["trades"]) for symbols in (["ACME"], ["btcusd"], ["eurusd"], [])
    ]
