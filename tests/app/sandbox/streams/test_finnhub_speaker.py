"""Finnhub in the sandbox: trades are heard as they happened, prices of currencies too, and refusals are its own."""

from __future__ import annotations

import json

import pytest
from stream_talk import OPENS, dataset, market, milliseconds, said, spell, talk, truth

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.streams.finnhub import FinnhubSpeaker
from truetape.app.sandbox.streams.market import Market
from truetape.app.sandbox.streams.speaker import Opening
from truetape.app.sandbox.streams.tape import Tape
from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Quote, Told, Trade

PLAIN = {"trade_id": "", "conditions": "", "side": "", "venue": "", "channel": "trade", "ts_event": milliseconds}


@pytest.mark.parametrize("symbol", ["AAA", "BRK.B", "BTC/USD"])
def test_trades_are_heard_as_they_happened(symbol: str) -> None:
    """Cut to milliseconds, without numbers or sides."""
    heard = talk("finnhub", [symbol], ["trades"]).run()

    assert said("finnhub", symbol, "trades", **PLAIN) == heard.of(Trade)
    assert {"heartbeat"} == {one.what for one in heard.of(Told)}


def test_currencies_have_prices_without_sizes() -> None:
    """They are no trades."""
    heard = talk("finnhub", ["EUR/USD"], ["trades"]).run()

    assert [
        Quote(symbol="OANDA:EUR_USD", ts_event=milliseconds(event), price=event.news.price, channel="trade")
        for event in truth("EUR/USD", "trades")
        if isinstance(event.news, Trade)
    ] == heard.of(Quote)
    assert [] == heard.of(Trade)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ("{", "Invalid message"),
        ('{"type":"dance"}', "Invalid message type dance"),
        ('{"type":"subscribe","symbol":"NO:PE"}', "Invalid symbol NO:PE"),
        ('{"type":"subscribe"}', "Invalid symbol "),
    ],
)
def test_what_cannot_be_is_refused(frame: str, words: str) -> None:
    """In an error frame."""
    (answer,) = market().connect("finnhub").hear(frame)

    assert {"type": "error", "msg": words} == json.loads(answer)


def test_a_free_key_has_fifty_symbols() -> None:
    """One more is refused, and the feed knows why."""
    names = [f"S{number:02}" for number in range(51)]
    many = Dataset(name="many", series=dict.fromkeys(names, dataset().series["AAA"]))
    speaker = Market(Tape(many, seed=7)).connect("finnhub").speaker

    answers = [speaker.hear(json.dumps({"type": "subscribe", "symbol": name})) for name in names]

    assert [*[[]] * 50, ['{"type":"error","msg":"Subscribing to too many symbols"}']] == answers
    (told,) = talk("finnhub", ["AAA"], ["trades"]).feed.receive(answers[-1][0], 0)
    assert isinstance(told, Told)
    assert FailureClass.ENTITLEMENT == (told.failure and told.failure.failure_class)


@pytest.mark.parametrize(("token", "expected"), [("k", None), ("wrong", 401), ("", 401)])
def test_a_wrong_key_is_turned_away(token: str, expected: int | None) -> None:
    """Before anything is said."""
    speaker = market().connect("finnhub", Opening(params={"token": token})).speaker

    away = speaker.turned_away()

    assert expected == (away and away[0])


def test_a_symbol_may_be_left() -> None:
    """Nothing more is said of it but that the connection lives."""
    made = talk("finnhub", ["AAA"], ["trades"])
    made.playback.hear(json.dumps({"type": "unsubscribe", "symbol": spell("finnhub", "AAA")}))

    heard = made.run()

    assert {"heartbeat"} == {one.what for one in heard.of(Told)}
    assert len(heard.ticks) == len(heard.of(Told))
    assert OPENS == truth("AAA", "trades", hours=FinnhubSpeaker.hours)[0].at
