"""Massive in the sandbox: each asset class is heard at its own path as it happened, and refusals have its words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from stream_talk import OPENS, market, milliseconds, said, talk

from truetape.app.sandbox.streams.playback import Playback
from truetape.app.sandbox.streams.speaker import Opening
from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Bar, Quote, Told, Trade

UNSAID: dict[str, Any] = {"price": None, "volume": None, "ts_event": milliseconds}
SIZELESS: dict[str, Any] = {"bid_size": None, "ask_size": None}
AUTH = '{"action":"auth","params":"k"}'


def let_in(path: str = "stocks") -> Playback:
    playback = market().connect("massive", Opening(path=path))
    playback.hear(AUTH)
    return playback


def statuses(playback: Playback, frame: str) -> list[tuple[str, str]]:
    return [(one["status"], one["message"]) for answer in playback.hear(frame) for one in json.loads(answer)]


def test_stocks_are_heard_as_they_happened() -> None:
    """Times are cut to milliseconds; sizes of quotes, sent in lots then, are in shares."""
    heard = talk("massive", ["AAA", "BRK.B"], ["trades", "quotes", "bars"]).run()

    told = {"conditions": "", "venue": "10", "side": "", "channel": "T", "ts_event": milliseconds}
    for symbol in ("AAA", "BRK.B"):
        assert said("massive", symbol, "trades", **told) == heard.of(Trade, symbol)
        assert said("massive", symbol, "quotes", channel="Q", **UNSAID) == heard.of(Quote, symbol)
        assert said("massive", symbol, "bars", channel="AM") == heard.of(Bar, symbol)
    assert (OPENS, 100.0) == (heard.of(Trade)[0].ts_event, heard.of(Trade)[0].price)
    assert ["welcome", "authenticated", *["subscribed"] * 6] == [one.what for one in heard.of(Told)]


def test_coins_are_heard_as_they_happened() -> None:
    """A condition names the taker."""
    heard = talk("massive", ["BTC/USD"], ["trades", "quotes", "bars"]).run()

    codes = {"buy": "2", "sell": "1"}
    told = {
        "conditions": lambda event: codes[event.news.side],
        "venue": "1",
        "channel": "XT",
        "ts_event": milliseconds,
    }
    assert said("massive", "BTC/USD", "trades", **told) == heard.of(Trade)
    assert "X:BTCUSD" == heard.of(Trade)[0].symbol
    assert said("massive", "BTC/USD", "quotes", channel="XQ", **UNSAID) == heard.of(Quote)
    assert said("massive", "BTC/USD", "bars", channel="XA") == heard.of(Bar)


def test_currencies_and_indices_have_quotes_and_minutes() -> None:
    """Of currencies without sizes, of indices the level alone."""
    pair = talk("massive", ["EUR/USD"], ["trades", "quotes", "bars"]).run()
    index = talk("massive", ["^GSPC"], ["trades", "quotes", "bars"]).run()

    assert said("massive", "EUR/USD", "quotes", channel="C", **UNSAID, **SIZELESS) == pair.of(Quote)
    assert said("massive", "EUR/USD", "bars", channel="CA") == pair.of(Bar)
    level = {"channel": "V", "bid": None, "ask": None, "volume": None, "ts_event": milliseconds, **SIZELESS}
    assert said("massive", "^GSPC", "quotes", **level) == index.of(Quote)
    assert ("I:SPX", 390) == (index.of(Bar)[0].symbol, len(index.of(Bar)))
    assert [] == pair.of(Trade) + index.of(Trade)


@pytest.mark.parametrize(
    ("frame", "status", "words"),
    [
        ("{", "error", "invalid message"),
        ('{"action":"dance"}', "error", "unknown action: dance"),
        ('{"action":"subscribe","params":"XT.X:BTC-USD"}', "error", "not authorized to subscribe to: XT.X:BTC-USD"),
        ('{"action":"subscribe","params":"T.NOPE"}', "success", "subscribed to: T.NOPE"),
    ],
)
def test_what_cannot_be_is_refused(frame: str, status: str, words: str) -> None:
    """In a status; unknown symbols are taken."""
    assert [(status, words)] == statuses(let_in(), frame)


def test_a_wrong_key_is_refused_and_the_connection_closed() -> None:
    """And nothing can be subscribed to before."""
    made = talk("massive", ["AAA"], ["trades"], key="wrong")

    (told,) = made.heard.told("refused")
    assert FailureClass.AUTH == (told.failure and told.failure.failure_class)
    assert (True, False) == (made.playback.speaker.closing, made.feed.ready)
    early = market().connect("massive", Opening(path="stocks"))
    assert [("error", "not authorized")] == statuses(early, '{"action":"subscribe","params":"T.AAA"}')


def test_a_star_means_everything_and_may_be_left() -> None:
    """Of the asset class of the path."""
    playback = let_in()

    statuses(playback, '{"action":"subscribe","params":"T.*, AM.AAA"}')
    assert ["AAA", "BRK.B", "GONE"] == list(playback.speaker.wanted["trades"])
    assert [("success", "unsubscribed to: T.AAA")] == statuses(playback, '{"action":"unsubscribe","params":"T.AAA"}')
    assert (["BRK.B", "GONE"], ["AAA"]) == (
        list(playback.speaker.wanted["trades"]),
        list(playback.speaker.wanted["bars"]),
    )


def test_an_asset_class_that_is_not_served_has_no_topics() -> None:
    """Options are not."""
    assert ["error"] == [one for one, _ in statuses(let_in("options"), '{"action":"subscribe","params":"T.AAA"}')]
