"""Coinbase's stream: numbered trades, best prices, books, and heartbeats that tell of lost trades."""

from __future__ import annotations

import json
from typing import Any

import pytest

from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Depth, Gap, Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint, Feed
from truetape.providers.coinbase import feed as coinbase
from truetape.providers.coinbase.feed import make

AT = 1_709_911_800_123_456_000
STAMP = "2024-03-08T15:30:00.123456Z"
MATCH: dict[str, Any] = {
    "type": "match",
    "trade_id": 10,
    "maker_order_id": "a",
    "taker_order_id": "b",
    "side": "sell",
    "size": "985",
    "price": "0.00001305",
    "product_id": "SKL-BTC",
    "sequence": 177,
    "time": STAMP,
}
SOLD = Trade(symbol="SKL-BTC", ts_event=AT, price=0.00001305, size=985.0, trade_id="10", side="buy", channel="matches")


def hear(feed: Feed, message: object, *, at: int = 99) -> list[Tick]:
    return feed.receive(json.dumps(message), at)


def test_a_match_is_a_trade() -> None:
    """The side is that of the order that was waiting; the other one took."""
    assert [SOLD] == hear(make(), MATCH)
    (sold,) = hear(make(), MATCH | {"side": "buy"})
    assert isinstance(sold, Trade)
    assert "sell" == sold.side


def test_a_missing_trade_is_a_gap() -> None:
    """The last match before the subscription begins the sequence; numbers go on by one."""
    feed = make()

    assert 1 == len(hear(feed, MATCH | {"type": "last_match"}))
    assert 1 == len(hear(feed, MATCH | {"trade_id": 11}))
    gap, trade = hear(feed, MATCH | {"trade_id": 14})
    assert (
        Gap(symbol="SKL-BTC", channel="matches", ts_event=99, since=AT, words="trade 12 was expected and 14 came")
        == gap
    )
    assert isinstance(trade, Trade)
    assert [[], 1] == [hear(feed, MATCH | {"trade_id": 11}), len(hear(feed, MATCH | {"trade_id": 13}))]


def test_a_heartbeat_tells_of_trades_that_did_not_come() -> None:
    """It names the last trade; before the first trade it is only a heartbeat."""
    feed = make()
    beat = {"type": "heartbeat", "sequence": 90, "last_trade_id": 12, "product_id": "SKL-BTC", "time": STAMP}
    told = Told(what="heartbeat")

    assert [told] == hear(feed, beat)
    hear(feed, MATCH)
    words = "trades 11 to 12 were made and did not come"
    assert [Gap(symbol="SKL-BTC", channel="matches", ts_event=99, since=AT, words=words), told] == hear(feed, beat)
    assert [told] == hear(feed, beat)
    assert (1, 1) == (feed.tracks["matches", "SKL-BTC"].gaps, feed.tracks["matches", "SKL-BTC"].messages)


def test_a_ticker_is_a_quote() -> None:
    """Numbers are text; older recordings lack the sizes; an older sequence number is stale."""
    feed = make()
    ticker = {
        "type": "ticker",
        "sequence": 7,
        "product_id": "SKL-BTC",
        "price": "14.7775",
        "best_bid": "14.7550",
        "best_ask": "14.8060",
        "volume_24h": "94381.28",
        "time": STAMP,
    }
    expected = Quote(
        symbol="SKL-BTC", ts_event=AT, bid=14.755, ask=14.806, price=14.7775, volume=94_381.28, channel="ticker"
    )

    assert [expected] == hear(feed, ticker)
    assert [] == hear(feed, ticker | {"sequence": 6})
    assert (2, 1) == (feed.tracks["ticker", "SKL-BTC"].messages, feed.tracks["ticker", "SKL-BTC"].stale)
    (timeless,) = hear(make(), {"type": "ticker", "product_id": "SKL-BTC", "best_bid_size": "2", "best_ask_size": "3"})
    assert Quote(symbol="SKL-BTC", ts_event=99, bid_size=2.0, ask_size=3.0, channel="ticker") == timeless


def test_a_book_is_a_snapshot_and_its_changes() -> None:
    """Buys are bids and sells are asks; a size of 0 takes a level away."""
    feed = make()
    book = {"product_id": "SKL-BTC", "asks": [["2.5", "1"], ["3.0", "4"]], "bids": [["2.0", "5"]], "type": "snapshot"}
    changes = [["sell", "2.5", "0.00000000"], ["buy", "2.25", "7"], ["other", "1", "1"]]
    update = {"type": "l2update", "product_id": "SKL-BTC", "changes": changes, "time": STAMP}

    assert [] == hear(feed, update)
    assert [
        Depth(
            symbol="SKL-BTC",
            ts_event=99,
            bids=((2.0, 5.0),),
            asks=((2.5, 1.0), (3.0, 4.0)),
            snapshot=True,
            channel="level2",
        )
    ] == hear(feed, book)
    change = Depth(symbol="SKL-BTC", ts_event=AT, bids=((2.25, 7.0),), asks=((2.5, 0.0),), channel="level2")
    assert [change] == hear(feed, update)
    (timeless,) = hear(feed, {name: value for name, value in update.items() if name != "time"})
    assert isinstance(timeless, Depth)
    assert 99 == timeless.ts_event
    track = feed.tracks["level2", "SKL-BTC"]
    assert track.book is not None
    assert (4, 1) == (track.messages, track.stale)
    assert ([("2.25", "7"), ("2.0", "5")], [("3.0", "4")]) == (track.book.bids.best(9), track.book.asks.best(9))


def test_a_level_that_is_no_number_changes_nothing() -> None:
    """The book stays as it was."""
    feed = make()
    hear(feed, {"product_id": "A-B", "asks": [["2", "1"]], "bids": [["1", "1"]], "type": "snapshot"})

    for message in (
        {"type": "l2update", "product_id": "A-B", "changes": [["buy", "1", "9"], ["sell", "nan", "1"]]},
        {"type": "snapshot", "product_id": "A-B", "bids": [["7", "7"]], "asks": [["x", "1"]]},
    ):
        (told,) = hear(feed, message)
        assert isinstance(told, Told)
        assert "unreadable" == told.what

    book = feed.tracks["level2", "A-B"].book
    assert book is not None
    assert ([("1", "1")], [("2", "1")]) == (book.bids.best(9), book.asks.best(9))


def test_books_are_bounded() -> None:
    """A server that invents products does not fill the memory."""
    feed = make()

    told = [
        hear(feed, {"product_id": f"P{number}-USD", "asks": [], "bids": [], "type": "snapshot"})
        for number in range(coinbase.MOST_BOOKS + 1)
    ]

    assert [1, 0] == [len(told[0]), len(told[-1])]


@pytest.mark.parametrize(
    ("message", "reason", "failure"),
    [
        ("Failed to subscribe", "NOPE-USD is not a valid product", FailureClass.PERMANENT),
        ("Failed to subscribe", "level2 requires authentication", FailureClass.AUTH),
        ("Rate limit exceeded", "", FailureClass.THROTTLED),
        ("Too many connections", "", FailureClass.THROTTLED),
        ("ErrSlowConsume", "slow consumer", FailureClass.TRANSIENT),
        ("Internal error", "", FailureClass.TRANSIENT),
        ("no permission", "", FailureClass.ENTITLEMENT),
        ("", "", FailureClass.PERMANENT),
    ],
)
def test_refusals_have_a_class(message: str, reason: str, failure: FailureClass) -> None:
    """The words tell it."""
    (told,) = hear(make(), {"type": "error", "message": message, "reason": reason})

    assert isinstance(told, Told)
    assert ("refused", failure) == (told.what, told.failure and told.failure.failure_class)
    assert told.words


def test_subscriptions_are_confirmed() -> None:
    """All channels that are heard now."""
    channels = [{"name": "level2_batch", "product_ids": ["A-B"]}, {"name": "matches", "product_ids": ["A-B"]}]

    assert [Told(what="subscribed", words="level2_batch, matches")] == hear(
        make(), {"type": "subscriptions", "channels": channels}
    )


@pytest.mark.parametrize("frame", ["", "[]", "{}", '{"type":"match"}', b"\xff", '{"type":"l2update","changes":[[1]]}'])
def test_what_cannot_be_read_is_told(frame: str | bytes) -> None:
    """A message of a known type that is not whole is unreadable."""
    (told,) = make().receive(frame, 0)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_other_messages_are_passed_over() -> None:
    """Orders of the full channel are not read."""
    assert [] == hear(make(), {"type": "received", "order_id": "a"})


def test_heartbeats_are_always_subscribed_to() -> None:
    """They show that the connection lives, and what was lost."""
    feed = make()

    assert ['{"type":"subscribe","product_ids":["A-B"],"channels":["matches","level2_batch","heartbeat"]}'] == (
        feed.subscribe(["A-B"], ["trades", "bars", "book"])
    )
    assert 2 == len(feed.subscribe([str(number) for number in range(101)], ["quotes"]))
    assert Endpoint(url="wss://ws-feed.exchange.coinbase.com") == feed.endpoint(["A-B"], ["trades"])
    assert feed.ready
