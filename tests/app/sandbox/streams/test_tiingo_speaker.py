"""Tiingo in the sandbox: rows of stocks, coins and currencies are heard as they happened; levels choose among them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from stream_talk import OPENS, market, said, talk

from truetape.app.sandbox.faults import Fault
from truetape.app.sandbox.streams.playback import Playback
from truetape.app.sandbox.streams.speaker import Opening
from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Quote, Told, Trade

UNSAID: dict[str, Any] = {"price": None, "volume": None}
PLAIN: dict[str, Any] = {"trade_id": "", "conditions": "", "side": ""}


def ask(event: str = "subscribe", *tickers: str, key: str = "k", **data: object) -> str:
    return json.dumps({"eventName": event, "authorization": key, "eventData": {"tickers": tickers, **data}})


def listen(service: str, *tickers: str, level: int | str) -> Playback:
    playback = market().connect("tiingo", Opening(path=service))
    playback.hear(ask("subscribe", *tickers, thresholdLevel=level))
    return playback


def rows(playback: Playback, count: int) -> list[Any]:
    """The next rows; heartbeats are passed over."""
    found: list[Any] = []
    while len(found) < count and (step := playback.step()):
        said_now = [json.loads(frame) for frame in step.frames]
        found += [one["data"] for one in said_now if one["messageType"] == "A"]
    return found


def test_stocks_are_heard_as_they_happened() -> None:
    """To the nanosecond, trades and every quote."""
    heard = talk("tiingo", ["AAA", "BRK.B"], ["trades", "quotes"]).run()

    for symbol, spelled in (("AAA", "AAA"), ("BRK.B", "BRK-B")):
        assert said("tiingo", symbol, "trades", venue="IEX", channel="iex", **PLAIN) == heard.of(Trade, spelled)
        assert said("tiingo", symbol, "quotes", channel="iex", **UNSAID) == heard.of(Quote, spelled)
    assert (OPENS, 100.0) == (heard.of(Trade)[0].ts_event, heard.of(Trade)[0].price)
    assert {"subscribed", "heartbeat"} == {one.what for one in heard.of(Told)}


def test_coins_and_currencies_are_heard_as_they_happened() -> None:
    """Each at its own path; currencies have no trades."""
    coin = talk("tiingo", ["BTC/USD"], ["trades", "quotes"]).run()
    pair = talk("tiingo", ["EUR/USD"], ["trades", "quotes"]).run()

    told = {"venue": "sandbox", "channel": "crypto_data", **PLAIN}
    assert said("tiingo", "BTC/USD", "trades", **told) == coin.of(Trade)
    assert said("tiingo", "BTC/USD", "quotes", channel="crypto_data", **UNSAID) == coin.of(Quote)
    assert said("tiingo", "EUR/USD", "quotes", channel="fx", **UNSAID) == pair.of(Quote)
    assert [] == pair.of(Trade)


def test_a_row_has_its_date_in_new_york() -> None:
    """Half past nine, beside the nanoseconds."""
    (trade,) = rows(listen("iex", "aaa", level=0), 1)

    assert ["T", "2024-03-08T09:30:00.000000000-05:00", OPENS, "aaa"] == trade[:4]
    assert 16 == len(trade)


def test_levels_choose_what_is_told() -> None:
    """At 5 quotes of stocks whose middle moved, at 6 the price of each trade; of coins at 5 trades alone."""
    moved = rows(listen("iex", "aaa", level=5), 50)
    prices = rows(listen("iex", "aaa", level="6"), 2)
    trades = rows(listen("crypto", "btcusd", level=5), 9)

    assert {"Q"} == {row[0] for row in moved}
    assert all(row[6] != after[6] for row, after in pairwise(moved))
    assert ["2024-03-08T09:30:00.000000000-05:00", "aaa", 100.0] == prices[0]
    assert {"T"} == {row[0] for row in trades}


def test_a_feed_hears_references_without_trades() -> None:
    """The price alone is a quote of it."""
    made = talk("tiingo", ["AAA"], ["quotes"])
    playback = listen("iex", "aaa", level=6)
    step = playback.step()
    assert step is not None

    assert [Quote(symbol="AAA", ts_event=OPENS, price=100.0, channel="iex")] == made.feed.receive(step.frames[0], 0)


def test_a_break_takes_back_a_trade_that_never_was() -> None:
    """It repeats its price, size and time; what was is told behind it."""
    fault = Fault(provider="tiingo", kind="cancel", first=3)
    heard = talk("tiingo", ["AAA"], ["trades"], at=market(fault)).run(10)

    (second,) = said("tiingo", "AAA", "trades", venue="IEX", channel="iex", **PLAIN)[1:2]
    never, cancel, was = heard.of(Trade)[1:4]
    assert ("", "cancel", second) == (never.correction, cancel.correction, was)
    assert (round(second.price * 1.25, 4), second.size) == (never.price, never.size)
    assert (never.price, never.size, never.ts_event) == (cancel.price, cancel.size, cancel.ts_event)


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        ("{", 400, "Invalid JSON"),
        (ask(key=""), 401, "Invalid token"),
        (ask(key="wrong"), 401, "Invalid token"),
        (ask("dance"), 400, "eventName dance not valid"),
        (ask("subscribe", "aaa"), 400, "thresholdLevel not valid"),
        (ask("subscribe", "aaa", thresholdLevel=7), 400, "thresholdLevel not valid"),
        (ask("subscribe", "aaa", thresholdLevel="high"), 400, "thresholdLevel not valid"),
    ],
)
def test_what_cannot_be_is_refused(frame: str, code: int, words: str) -> None:
    """With the code of HTTP and the provider's words."""
    (answer,) = market().connect("tiingo", Opening(path="iex")).hear(frame)

    assert {"messageType": "E", "response": {"code": code, "message": words}} == json.loads(answer)


def test_the_feed_understands_a_refused_key() -> None:
    """It will not pass."""
    (told,) = talk("tiingo", ["AAA"], ["trades"], key="wrong").heard.told("refused")

    assert FailureClass.AUTH == (told.failure and told.failure.failure_class)


def test_tickers_may_be_left_and_unknown_ones_are_taken() -> None:
    """A pair is no stock; the subscription keeps its number."""
    playback = listen("iex", "aaa", "brk-b", "btcusd", "nope", "^gspc", level=0)

    (left,) = playback.hear(ask("unsubscribe", "aaa", subscriptionId=61))

    assert {"subscriptionId": 61} == json.loads(left)["data"]
    assert ["BRK.B"] == playback.speaker.symbols
