"""Coinbase in the sandbox: what its feed hears is what happened, and what it cannot have is refused in its words."""

from __future__ import annotations

import json

import pytest
from stream_talk import MIDNIGHT, OPENS, market, said, talk

from truetape.domain.book import Book
from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Depth, Quote, Told, Trade

BEFORE = MIDNIGHT // 60_000_000_000 * 4 - 1 - 2 * 1440 * 4  # numbers before the product's first day


def test_trades_and_quotes_are_heard_as_they_happened() -> None:
    """Every match of the day with its number since the product's first day, and every ticker, and no gap."""
    heard = talk("coinbase", ["BTC/USD"], ["trades", "quotes"]).run()

    plain = {"conditions": "", "venue": "", "channel": "matches"}
    numbered = {"trade_id": lambda event: str(event.number - BEFORE)}
    assert said("coinbase", "BTC/USD", "trades", **plain, **numbered) == heard.of(Trade)
    assert said("coinbase", "BTC/USD", "quotes", channel="ticker") == heard.of(Quote)
    assert ("11521", MIDNIGHT, 60_000.0) == (
        heard.of(Trade)[0].trade_id,
        heard.of(Trade)[0].ts_event,
        heard.of(Trade)[0].price,
    )
    assert [] == heard.gaps


def test_a_book_is_whole_and_then_changes() -> None:
    """The book that the feed keeps is the venue's own at the end of the day."""
    made = talk("coinbase", ["BTC/USD", "AAA"], ["book"])
    heard = made.run()

    first, *changes = heard.of(Depth, "BTC-USD")
    assert first.snapshot
    assert said("coinbase", "BTC/USD", "book", channel="level2") == changes
    book = made.feed.tracks["level2", "BTC-USD"].book
    bids, asks = made.playback.standing("BTC/USD").best()
    assert isinstance(book, Book)
    assert (bids, asks) == tuple(
        [(float(price), float(size)) for price, size in side.best(99)] for side in (book.bids, book.asks)
    )
    assert bids[0][0] < asks[0][0]
    assert 10 == len(bids) == len(asks)


def test_heartbeats_name_the_last_trade() -> None:
    """Once in a minute of the tape when it is played as fast as possible; nothing is missed."""
    heard = talk("coinbase", ["BTC/USD"], ["trades"]).run(2_000)

    assert 300 < len(heard.told("heartbeat")) < 500
    assert [] == heard.gaps


def test_a_market_that_never_closes_has_a_product_of_every_symbol() -> None:
    """Shares are products too, and are traded from midnight on."""
    heard = talk("coinbase", ["AAA"], ["trades"]).run(1)

    assert MIDNIGHT == heard.of(Trade)[0].ts_event
    assert MIDNIGHT < OPENS


def test_who_comes_later_hears_the_last_match_first() -> None:
    """And the last ticker, and the book as it stands."""
    shared = market()
    before = talk("coinbase", ["BTC/USD"], ["trades"], at=shared).run(10)
    heard = talk("coinbase", ["BTC/USD"], ["trades", "quotes", "book"], at=shared).heard

    assert before.of(Trade)[-1:] == heard.of(Trade)
    assert (1, 1) == (len(heard.of(Quote)), len(heard.of(Depth)))


@pytest.mark.parametrize(
    ("frame", "message", "reason"),
    [
        ("{", "Malformed JSON", None),
        ("[]", "Malformed JSON", None),
        ("\ud800", "Malformed JSON", None),
        ('{"type":"hello"}', "Failed to subscribe", "hello is not a valid type"),
        ('{"type":"subscribe"}', "Failed to subscribe", "No channels and products were given"),
        (
            '{"type":"subscribe","product_ids":["NO-USD"],"channels":["matches"]}',
            "Failed to subscribe",
            "NO-USD is not a valid product",
        ),
        (
            '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["candy"]}',
            "Failed to subscribe",
            "candy is not a valid channel",
        ),
        (
            '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2"]}',
            "Failed to subscribe",
            "level2 requires authentication",
        ),
    ],
)
def test_what_cannot_be_is_refused(frame: str, message: str, reason: str | None) -> None:
    """In the exchange's form."""
    speaker = market().connect("coinbase")

    (answer,) = speaker.hear(frame)

    expected = {"type": "error", "message": message} | ({"reason": reason} if reason else {})
    assert expected == json.loads(answer)
    assert speaker.step() is None


def test_the_feed_understands_the_refusal() -> None:
    """An unknown product is a mistake that will not pass."""
    (told,) = talk("coinbase", ["AAA"], ["trades"]).feed.receive(
        market().connect("coinbase").hear('{"type":"subscribe","product_ids":["X"],"channels":["matches"]}')[0], 0
    )

    assert isinstance(told, Told)
    assert FailureClass.PERMANENT == (told.failure and told.failure.failure_class)


def test_channels_may_be_left_and_named_with_products() -> None:
    """Nothing more is said of what was left."""
    playback = market().connect("coinbase")
    ask = '{"type":"%s","product_ids":["AAA"],"channels":["matches",{"name":"heartbeat","product_ids":["BTC-USD"]}]}'

    (subscribed,) = playback.hear(ask % "subscribe")
    (left,) = playback.hear(ask % "unsubscribe")

    assert [
        {"name": "matches", "product_ids": ["AAA"]},
        {"name": "heartbeat", "product_ids": ["BTC-USD"]},
    ] == json.loads(subscribed)["channels"]
    assert [] == json.loads(left)["channels"]
    assert [] == [frame for step in iter(playback.step, None) for frame in step.frames]
