"""Binance's stream: numbered trades, best prices, bars, and books joined from a snapshot and its updates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from truetape.domain.asks import Request
from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Bar, Depth, Gap, Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint, Feed
from truetape.providers.binance import feed as binance
from truetape.providers.binance.feed import make

E = 1_709_911_800_123
AT = E * 1_000_000
URL = "https://api.binance.com/api/v3/depth?symbol=ACMUSDT&limit=1000"
BOOK = {"lastUpdateId": 12, "bids": [["0.99", "5.0"], ["0.98", "6.0"]], "asks": [["1.01", "7.0"]]}
WANTED = [Request(url=URL)]


def hear(feed: Feed, stream: str, data: object) -> list[Tick]:
    return feed.receive(json.dumps({"stream": f"acmusdt@{stream}", "data": data}), 99)


def update(first: int, last: int, *, bids: object = (), asks: object = ()) -> dict[str, object]:
    return {"e": "depthUpdate", "E": E, "s": "ACMUSDT", "U": first, "u": last, "b": bids, "a": asks}


def fetched(feed: Feed, body: object = BOOK, url: str = URL) -> list[Tick]:
    return feed.fetched(url, json.dumps(body).encode(), 99)


TRADE: dict[str, Any] = {"e": "trade", "E": E, "s": "ACMUSDT", "t": 7, "p": "0.001", "q": "100", "T": E, "m": True}
SOLD = Trade(symbol="ACMUSDT", ts_event=AT, price=0.001, size=100.0, trade_id="7", side="sell", channel="trade")


def test_trades_are_numbered() -> None:
    """The buyer waited, so the seller took; a missing number is a gap, a known one a repeat."""
    feed = make()

    assert [SOLD] == hear(feed, "trade", TRADE)
    assert [] == hear(feed, "trade", TRADE)
    gap, trade = hear(feed, "trade", TRADE | {"t": 9, "m": False})
    assert Gap(symbol="ACMUSDT", channel="trade", ts_event=99, since=AT, words="trade 8 was expected and 9 came") == gap
    assert isinstance(trade, Trade)
    assert ("buy", 3, 1) == (
        trade.side,
        feed.tracks["trade", "ACMUSDT"].messages,
        feed.tracks["trade", "ACMUSDT"].stale,
    )


def test_aggregated_trades_have_numbers_of_their_own() -> None:
    """They are another channel."""
    (trade,) = hear(make(), "aggTrade", TRADE | {"e": "aggTrade", "a": 5, "f": 1, "l": 3})

    assert isinstance(trade, Trade)
    assert ("aggTrade", "5") == (trade.channel, trade.trade_id)


def test_news_without_an_envelope_is_the_same() -> None:
    """Raw streams send the data alone; best prices have neither a name nor a time there."""
    best = {"u": 400, "s": "ACMUSDT", "b": "0.25", "B": "31", "a": "0.5", "A": "40"}
    quote = Quote(symbol="ACMUSDT", ts_event=99, bid=0.25, bid_size=31.0, ask=0.5, ask_size=40.0, channel="bookTicker")

    assert [SOLD] == make().receive(json.dumps(TRADE), 99)
    assert [quote] == make().receive(json.dumps(best), 99)
    assert [quote] == hear(make(), "bookTicker", best)
    (timed,) = hear(make(), "bookTicker", best | {"e": "bookTicker", "E": E})
    assert isinstance(timed, Quote)
    assert AT == timed.ts_event


@pytest.mark.parametrize(("interval", "timeframe", "closed"), [("1m", "1m", True), ("1M", "1mo", False)])
def test_klines_are_bars(interval: str, timeframe: str, closed: bool) -> None:
    """They run until they are closed."""
    kline = {"t": E, "i": interval, "o": "1", "h": "4", "l": "0.5", "c": "2", "v": "8", "x": closed, "n": 3}

    expected = Bar(
        symbol="ACMUSDT",
        timeframe=timeframe,
        ts_event=AT,
        open=1.0,
        high=4.0,
        low=0.5,
        close=2.0,
        volume=8.0,
        running=not closed,
        channel=f"kline_{interval}",
    )
    assert [expected] == hear(make(), f"kline_{interval}", {"e": "kline", "s": "ACMUSDT", "k": kline})


def test_a_snapshot_is_wanted_once_the_updates_flow() -> None:
    """The first update asks for it, the others wait; stale ones are dropped, and the rest goes on top."""
    feed = make()
    assert [] == hear(feed, "depth@100ms", update(9, 11, bids=[["0.99", "1.0"]]))
    assert WANTED == feed.wanted()
    assert [] == hear(feed, "depth@100ms", update(12, 14, bids=[["0.98", "0.0"]], asks=[["1.01", "9.0"]]))
    assert [] == feed.wanted()

    assert [
        Depth(
            symbol="ACMUSDT",
            ts_event=AT,
            bids=((0.99, 5.0),),
            asks=((1.01, 9.0),),
            snapshot=True,
            channel="depth",
        )
    ] == fetched(feed)
    change = Depth(symbol="ACMUSDT", ts_event=AT, bids=((0.99, 4.0),), asks=(), channel="depth")
    assert [change] == hear(feed, "depth@100ms", update(15, 15, bids=[["0.99", "4.0"]]))
    assert [] == hear(feed, "depth@100ms", update(15, 15, bids=[["0.99", "3.0"]]))
    track = feed.tracks["depth", "ACMUSDT"]
    assert track.book is not None
    assert (4, 2, 0, [("0.99", "4.0")]) == (track.messages, track.stale, track.gaps, track.book.bids.best(9))


def test_a_snapshot_may_come_first() -> None:
    """Then the next update must go on from it."""
    feed = make()

    (whole,) = fetched(feed)
    assert isinstance(whole, Depth)
    assert (99, True) == (whole.ts_event, whole.snapshot)
    assert 1 == len(hear(feed, "depth", update(13, 13)))


def test_missing_updates_are_a_gap_and_a_snapshot_is_wanted_again() -> None:
    """The book is dropped until the new one joins."""
    feed = make()
    fetched(feed)
    hear(feed, "depth", update(13, 13))

    words = "update 14 was expected and 17 came"
    assert [Gap(symbol="ACMUSDT", channel="depth", ts_event=99, since=AT, words=words)] == hear(
        feed, "depth", update(17, 18)
    )
    assert WANTED == feed.wanted()
    assert [] == fetched(feed, BOOK | {"lastUpdateId": 15})
    assert WANTED == feed.wanted()
    assert 1 == len(fetched(feed, BOOK | {"lastUpdateId": 16}))
    assert [] == feed.wanted()


@pytest.mark.parametrize(
    ("code", "failure", "wanted"),
    [
        (-1121, FailureClass.PERMANENT, []),
        (-1003, FailureClass.THROTTLED, WANTED),
        (-1001, FailureClass.TRANSIENT, WANTED),
    ],
)
def test_a_refused_snapshot_is_told(code: int, failure: FailureClass, wanted: list[Request]) -> None:
    """It is asked for again where that may help."""
    feed = make()
    hear(feed, "depth", update(13, 13))
    feed.wanted()

    (told,) = fetched(feed, {"code": code, "msg": "words"})

    assert isinstance(told, Told)
    assert ("refused", f"{code}: words", failure) == (
        told.what,
        told.words,
        told.failure and told.failure.failure_class,
    )
    assert wanted == feed.wanted()


def test_other_answers_say_nothing() -> None:
    """Only order books are of use to the stream; one that cannot be read is told."""
    feed = make()

    assert [] == fetched(feed, {"symbols": []}, "https://api.binance.com/api/v3/exchangeInfo")
    bodies: list[object] = [{"lastUpdateId": 12, "bids": [["x", "1"]]}, [], {"lastUpdateId": -1}]
    for body in bodies:
        (told,) = fetched(feed, body)
        assert isinstance(told, Told)
        assert "unreadable" == told.what
    assert 1 == len(fetched(feed, BOOK, "https://api.binance.com/api/v3/depth?limit=5&symbol=acmusdt"))


def test_books_are_bounded() -> None:
    """A server that invents pairs does not fill the memory, and no snapshots are asked for them."""
    feed = make()
    for number in range(binance.MOST_BOOKS + 5):
        hear(feed, "depth", update(1, 1) | {"s": f"P{number}"})

    assert binance.MOST_BOOKS == len(feed.wanted())
    assert feed.tracks["depth", f"P{binance.MOST_BOOKS}"].book is None


@pytest.mark.parametrize(
    ("frame", "what", "failure"),
    [
        ('{"result":null,"id":1}', "subscribed", None),
        ('{"e":"serverShutdown","E":1}', "closing", None),
        ('{"stream":"!serverShutdown@x","data":{}}', None, None),
        ('{"stream":"serverShutdown","data":{"e":"serverShutdown"}}', "closing", None),
        ('{"e":"24hrMiniTicker","s":"A"}', None, None),
        ('{"stream":"acmusdt@miniTicker","data":{}}', None, None),
        ('{"error":{"code":2,"msg":"Invalid request"},"id":1}', "refused", FailureClass.PERMANENT),
        ('{"code":-1003,"msg":"Too many requests"}', "refused", FailureClass.THROTTLED),
        ("[]", "unreadable", None),
        ("", "unreadable", None),
        ('{"stream":"acmusdt@trade","data":{"p":"nan"}}', "unreadable", None),
        ('{"stream":"acmusdt@trade"}', "unreadable", None),
    ],
)
def test_words_about_the_connection_are_told(frame: str, what: str | None, failure: FailureClass | None) -> None:
    """Confirmed, closing, refused, unreadable; other streams are passed over."""
    ticks = make().receive(frame, 0)

    told = [(tick.what, tick.failure and tick.failure.failure_class) for tick in ticks if isinstance(tick, Told)]
    assert ([] if what is None else [(what, failure)]) == told


def test_not_a_number_is_no_price() -> None:
    """Numbers are text, and text can say anything."""
    feed = make()

    for price in ("nan", "inf", "1_0", "", "1e999", None):
        (told,) = hear(feed, "trade", TRADE | {"p": price})
        assert isinstance(told, Told)
        assert "unreadable" == told.what


def test_subscriptions_are_numbered() -> None:
    """Fifty symbols to a frame, in small letters, each with the streams that are wanted."""
    feed = make()
    params = ["acmusdt@trade", "acmusdt@bookTicker", "acmusdt@kline_1m", "acmusdt@depth@100ms"]

    assert [{"method": "SUBSCRIBE", "params": params, "id": 1}] == [
        json.loads(frame) for frame in feed.subscribe(["ACMUSDT"], ["trades", "quotes", "bars", "book", "actions"])
    ]
    assert [2, 3] == [
        json.loads(frame)["id"] for frame in feed.subscribe([str(number) for number in range(51)], ["trades"])
    ]
    assert Endpoint(url="wss://stream.binance.com:9443/stream") == feed.endpoint(["ACMUSDT"], ["trades"])
    assert (True, 86_400.0, 2) == (feed.ready, feed.manners.lives_s, len(feed.part([str(n) for n in range(251)])))


@pytest.mark.parametrize(
    ("base_url", "snapshot"),
    [
        ("https://api.binance.com/api/v3", "https://api.binance.com/api/v3/depth"),
        ("http://localhost:8/binance/", "http://localhost:8/binance/api/v3/depth"),
        ("wss://stream.binance.com", "https://api.binance.com/api/v3/depth"),
    ],
)
def test_snapshots_come_from_where_rest_is_asked(base_url: str, snapshot: str) -> None:
    """A stand-in answers both."""
    feed = make(base_url=base_url)

    hear(feed, "depth", update(1, 1))

    assert [f"{snapshot}?symbol=ACMUSDT&limit=1000"] == [request.url for request in feed.wanted()]
