"""Finnhub's stream: batches of trades, prices that are no trades, and refusals by their words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Quote, Told, Trade
from truetape.ports.feed import Endpoint
from truetape.providers.finnhub.feed import make


def test_a_batch_becomes_trades() -> None:
    """Times are milliseconds; conditions are joined in their order."""
    frame = json.dumps(
        {
            "data": [
                {"c": ["1", "12"], "p": 10.25, "s": "ACME", "t": 1_709_911_800_123, "v": 100},
                {"c": None, "p": 66_972.77, "s": "BINANCE:BTCUSDT", "t": 1_709_911_800_124, "v": 0.00008},
            ],
            "type": "trade",
        }
    )

    assert [
        Trade(
            symbol="ACME",
            ts_event=1_709_911_800_123_000_000,
            price=10.25,
            size=100.0,
            conditions="1,12",
            channel="trade",
        ),
        Trade(
            symbol="BINANCE:BTCUSDT",
            ts_event=1_709_911_800_124_000_000,
            price=66_972.77,
            size=0.00008,
            channel="trade",
        ),
    ] == make(key="k").receive(frame, 0)


def test_a_price_without_a_size_is_no_trade() -> None:
    """Some currency venues send prices with a volume of 0: they are quotes."""
    frame = '{"type":"trade","data":[{"s":"OANDA:EUR_USD","p":1.125,"t":1000,"v":0}]}'

    expected = Quote(symbol="OANDA:EUR_USD", ts_event=1_000_000_000, price=1.125, channel="trade")
    assert [expected] == make().receive(frame, 0)


def test_trades_that_look_alike_all_count() -> None:
    """Several trades of one millisecond and price are as many trades."""
    row = '{"s":"ACME","p":10.0,"t":1000,"v":5}'

    assert 3 == len(make().receive(f'{{"type":"trade","data":[{row},{row},{row}]}}', 0))


@pytest.mark.parametrize(
    ("words", "failure"),
    [
        ("Subscribing to too many symbols", FailureClass.ENTITLEMENT),
        ("Invalid symbol NOPE", FailureClass.PERMANENT),
        ("API limit reached. Please try again later. Remaining Limit: 0", FailureClass.THROTTLED),
        ("Invalid API key", FailureClass.AUTH),
    ],
)
def test_refusals_have_a_class(words: str, failure: FailureClass) -> None:
    """An error frame means what its words mean over REST."""
    (told,) = make().receive(json.dumps({"msg": words, "type": "error"}), 0)

    assert isinstance(told, Told)
    assert ("refused", words, failure) == (told.what, told.words, told.failure and told.failure.failure_class)


def test_a_ping_is_a_heartbeat() -> None:
    """It shows that the connection lives."""
    assert [Told(what="heartbeat")] == make().receive('{"type":"ping"}', 0)


def test_other_news_is_passed_over() -> None:
    """Press releases come in frames of their own kind."""
    assert [] == make().receive('{"type":"news","data":[{"headline":"a"}]}', 0)


@pytest.mark.parametrize(
    "frame", ["", "[]", '{"data":[]}', '{"type":"trade","data":[{"s":"A","p":null,"t":1}]}', '{"type":7}', b"\xff"]
)
def test_what_cannot_be_read_is_told(frame: str | bytes) -> None:
    """A frame that is not whole is unreadable."""
    (told,) = make().receive(frame, 0)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_each_symbol_is_subscribed_to_by_itself() -> None:
    """The key goes into the address and is not shown; a connection takes 50 symbols."""
    feed = make(key="k")

    assert [
        '{"type":"subscribe","symbol":"ACME"}',
        '{"type":"subscribe","symbol":"OANDA:EUR_USD"}',
    ] == feed.subscribe(["ACME", "OANDA:EUR_USD"], ["trades"])
    assert Endpoint(url="wss://ws.finnhub.io", secrets={"token": "k"}) == feed.endpoint(["ACME"], ["trades"])
    assert (True, [50, 1]) == (feed.ready, [len(part) for part in feed.part([str(number) for number in range(51)])])


def test_a_recorded_frame_is_read(recordings: Path) -> None:
    """Ten trades of one coin, several of them at the same millisecond and price."""
    ticks = make().receive((recordings / "finnhub" / "ws_trade_frame.json").read_bytes(), 0)

    trades = [tick for tick in ticks if isinstance(tick, Trade)]
    assert 10 == len(trades)
    assert (66_972.78, 0.0208, 1_721_555_886_860_000_000) == (trades[8].price, trades[8].size, trades[8].ts_event)
