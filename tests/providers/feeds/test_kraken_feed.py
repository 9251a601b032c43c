"""Kraken's stream in both versions: books held to the exchange's checksum, trades, tickers, bars and words."""

from __future__ import annotations

import json
from zlib import crc32

import pytest

from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Bar, Depth, Gap, Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint, Feed
from truetape.providers.kraken import checked
from truetape.providers.kraken.feed import make

AT = 1_709_911_800_123_456_000
STAMP = "2024-03-08T15:30:00.123456Z"
SNAPSHOT = (
    '{"channel":"book","type":"snapshot","data":[{"symbol":"ACM/EUR",'
    '"bids":[{"price":2.40,"qty":3.00000000},{"price":2.30,"qty":0.40000000}],'
    '"asks":[{"price":2.50,"qty":1.00000000}],"checksum":%d,"timestamp":"' + STAMP + '"}]}'
)
DIGITS = "250" + "100000000" + "240" + "300000000" + "230" + "40000000"
UPDATE = (
    '{"channel":"book","type":"update","data":[{"symbol":"ACM/EUR","bids":[],'
    '"asks":[{"price":2.50,"qty":0},{"price":2.60,"qty":5.50000000}],"checksum":%d,"timestamp":"' + STAMP + '"}]}'
)
UPDATED = "260" + "550000000" + "240" + "300000000" + "230" + "40000000"


def crc(digits: str) -> int:
    return crc32(digits.encode())


def hear(frame: object, feed: Feed | None = None, *, at: int = 99) -> list[Tick]:
    return (feed or make()).receive(frame if isinstance(frame, str) else json.dumps(frame), at)


def test_a_book_agrees_with_the_exchange() -> None:
    """The checksum counts every digit that was sent, zeros at the end of a number among them."""
    feed = make()

    whole, change = hear(SNAPSHOT % crc(DIGITS), feed) + hear(UPDATE % crc(UPDATED), feed)

    assert (
        Depth(
            symbol="ACM/EUR",
            ts_event=AT,
            bids=((2.4, 3.0), (2.3, 0.4)),
            asks=((2.5, 1.0),),
            snapshot=True,
        )
        == whole
    )
    assert Depth(symbol="ACM/EUR", ts_event=AT, bids=(), asks=((2.5, 0.0), (2.6, 5.5))) == change
    track = feed.tracks["book", "ACM/EUR"]
    assert (2, 2, 0) == (track.messages, track.right, track.wrong)
    assert [] == feed.replies()


def test_a_wrong_checksum_is_a_gap_and_the_book_is_asked_for_again() -> None:
    """Until the new snapshot comes, updates are dropped; then all is well."""
    feed = make()
    hear(SNAPSHOT % crc(DIGITS), feed)

    words = f"the checksum 7 was expected and {crc(UPDATED)} found"
    assert [Gap(symbol="ACM/EUR", channel="book", ts_event=99, since=AT, words=words)] == hear(UPDATE % 7, feed)
    off, on = [json.loads(frame) for frame in feed.replies()]
    assert ("unsubscribe", {"channel": "book", "symbol": ["ACM/EUR"], "depth": 100}) == (off["method"], off["params"])
    assert ("subscribe", ["ACM/EUR"]) == (on["method"], on["params"]["symbol"])

    assert [] == hear(UPDATE % crc(UPDATED), feed)
    assert [Depth] == [type(tick) for tick in hear(SNAPSHOT % crc(DIGITS), feed)]
    track = feed.tracks["book", "ACM/EUR"]
    assert (1, 1, 2, 1) == (track.stale, track.wrong, track.right, track.gaps)
    assert [] == feed.replies()


def test_a_book_that_is_always_wrong_is_given_up() -> None:
    """After three wrong checksums in a row it is told, and not asked for any more; a right one begins anew."""
    feed = make()

    told = [(len(hear(SNAPSHOT % 7, feed)), len(feed.replies())) for _ in range(5)]

    assert [(1, 2), (1, 2), (2, 0), (1, 0), (1, 0)] == told
    hear(SNAPSHOT % crc(DIGITS), feed)
    assert (1, 2) == (len(hear(UPDATE % 7, feed)), len(feed.replies()))


def test_giving_up_is_a_refusal() -> None:
    """It says which book, and that it may pass."""
    feed = make()

    _, refusal = [hear(SNAPSHOT % 7, feed) for _ in range(3)][-1]

    assert isinstance(refusal, Told)
    assert refusal.failure is not None
    assert FailureClass.TRANSIENT == refusal.failure.failure_class
    assert "the book of ACM/EUR was wrong 3 times in a row and is no longer asked for" == refusal.words


def test_a_book_without_a_checksum_is_believed() -> None:
    """Nothing is counted as right or wrong; without a time the moment of hearing stands."""
    feed = make()
    frame = {
        "channel": "book",
        "type": "snapshot",
        "data": [{"symbol": "ACM/EUR", "bids": [{"price": 1, "qty": 2}], "asks": []}],
    }

    assert [Depth(symbol="ACM/EUR", ts_event=99, bids=((1.0, 2.0),), asks=(), snapshot=True)] == hear(frame, feed)
    assert (0, 0) == (feed.tracks["book", "ACM/EUR"].right, feed.tracks["book", "ACM/EUR"].wrong)


@pytest.mark.parametrize("price", ['"2.5"', "null", "[1]", "1e400", "1" * 70, "{}"])
def test_a_price_that_is_no_number_is_unreadable(price: str) -> None:
    """The frame is told, and the book stays as it was."""
    feed = make()
    hear(SNAPSHOT % crc(DIGITS), feed)

    (told,) = hear(UPDATE.replace("2.60", price) % 7, feed)

    assert isinstance(told, Told)
    assert "unreadable" == told.what
    book = feed.tracks["book", "ACM/EUR"].book
    assert book is not None
    assert [("2.50", "1.00000000")] == book.asks.best(9)


def test_books_are_bounded() -> None:
    """A server that invents pairs does not fill the memory."""
    feed = make()
    frame = '{"channel":"book","type":"snapshot","data":[{"symbol":"%d/EUR","bids":[],"asks":[]}]}'

    told = [len(hear(frame % number, feed)) for number in range(checked.MOST_BOOKS + 1)]

    assert (1, 1, 0) == (told[0], told[-2], told[-1])


def test_trades_are_numbered() -> None:
    """They are told in the order of their numbers, with the gap that these show."""
    feed = make()
    row = {"symbol": "ACM/EUR", "side": "sell", "price": 2.5, "qty": 0.5, "ord_type": "market", "timestamp": STAMP}
    snapshot = {"channel": "trade", "type": "snapshot", "data": [row | {"trade_id": 8}, row | {"trade_id": 7}]}
    update = {"channel": "trade", "type": "update", "data": [row | {"trade_id": 10}]}

    seven = Trade(symbol="ACM/EUR", ts_event=AT, price=2.5, size=0.5, trade_id="7", side="sell", channel="trade")
    ticks = hear(snapshot, feed) + hear(update, feed)
    assert seven == ticks[0]
    assert [Trade, Trade, Gap, Trade] == [type(tick) for tick in ticks]


def test_tickers_are_quotes() -> None:
    """The best prices, the last one, and the volume of a day; newer messages have a time."""
    row = {"symbol": "ACM/EUR", "bid": 2.25, "bid_qty": 1, "ask": 2.5, "ask_qty": 3, "last": 2.5, "volume": 8}
    expected = Quote(
        symbol="ACM/EUR",
        ts_event=99,
        bid=2.25,
        bid_size=1.0,
        ask=2.5,
        ask_size=3.0,
        price=2.5,
        volume=8.0,
        channel="ticker",
    )

    assert [expected] == hear({"channel": "ticker", "type": "update", "data": [row]})
    (timed,) = hear({"channel": "ticker", "type": "update", "data": [row | {"timestamp": STAMP}]})
    assert isinstance(timed, Quote)
    assert AT == timed.ts_event


@pytest.mark.parametrize(
    ("interval", "timeframe", "known", "running"),
    [
        (1, "1m", 1_709_911_859_000_000_000, True),
        (1, "1m", 1_709_911_860_000_000_000, False),
        (240, "240m", 1_709_911_860_000_000_000, True),
    ],
)
def test_candles_are_bars(interval: int, timeframe: str, known: int, running: bool) -> None:
    """A bar runs until its interval is over."""
    row = {"symbol": "ACM/EUR", "open": 1, "high": 4, "low": 0.5, "close": 2, "volume": 8, "trades": 3, "vwap": 2}
    begins = {"interval_begin": "2024-03-08T15:30:00.000000000Z", "interval": interval}

    expected = Bar(
        symbol="ACM/EUR",
        timeframe=timeframe,
        ts_event=1_709_911_800_000_000_000,
        open=1.0,
        high=4.0,
        low=0.5,
        close=2.0,
        volume=8.0,
        running=running,
        channel="ohlc",
    )
    assert [expected] == hear({"channel": "ohlc", "type": "update", "data": [row | begins]}, at=known)


V1_AT = "1709911800.123456"


def test_version_1_books_come_in_two_parts() -> None:
    """Both sides of an update may stand apart, the checksum in the last part; the channel names the depth."""
    feed = make()
    snapshot = {"as": [["2.50", "1.0", V1_AT]], "bs": [["2.40", "3.0", V1_AT], ["2.30", "4.0", V1_AT]]}
    checksum = str(crc("25010" + "25550" + "24560" + "24030" + "23040"))
    parts = [{"a": [["2.55", "5.0", V1_AT]]}, {"b": [["2.45", "6.0", V1_AT, "r"]], "c": checksum}]

    whole, change = hear([1, snapshot, "book-10", "ACM/EUR"], feed) + hear([1, *parts, "book-10", "ACM/EUR"], feed)

    assert Depth(
        symbol="ACM/EUR",
        ts_event=AT,
        bids=((2.4, 3.0), (2.3, 4.0)),
        asks=((2.5, 1.0),),
        snapshot=True,
        channel="book-10",
    ) == (whole)
    assert Depth(symbol="ACM/EUR", ts_event=AT, bids=((2.45, 6.0),), asks=((2.55, 5.0),), channel="book-10") == change
    assert (1, 0) == (feed.tracks["book-10", "ACM/EUR"].right, feed.tracks["book-10", "ACM/EUR"].wrong)


def test_version_1_asks_again_in_its_own_words() -> None:
    """The wrong book is left and subscribed to with its depth."""
    feed = make()
    hear([1, {"as": [["2.50", "1.0"]], "bs": []}, "book-10", "ACM/EUR"], feed)

    (gap,) = hear([1, {"b": [["2.40", "1.0"]], "c": "7"}, "book-10", "ACM/EUR"], feed)

    assert isinstance(gap, Gap)
    subscription = {"name": "book", "depth": 10}
    assert [
        {"event": "unsubscribe", "pair": ["ACM/EUR"], "subscription": subscription},
        {"event": "subscribe", "pair": ["ACM/EUR"], "subscription": subscription},
    ] == [json.loads(frame) for frame in feed.replies()]


def test_a_version_1_book_may_lack_its_depth() -> None:
    """Then as much as can be is kept."""
    assert [Depth(symbol="A/B", ts_event=99, bids=(), asks=(), snapshot=True, channel="book")] == hear(
        [1, {"as": [], "bs": []}, "book", "A/B"]
    )


@pytest.mark.parametrize(
    ("frame", "tick"),
    [
        (
            [2, [["2.55", "0.5", V1_AT, "b", "m", "x"]], "trade", "ACM/EUR"],
            Trade(symbol="ACM/EUR", ts_event=AT, price=2.55, size=0.5, conditions="x", side="buy", channel="trade"),
        ),
        (
            [
                3,
                {
                    "a": ["2.5", 3, "3.75"],
                    "b": ["2.25", 1, "1.5"],
                    "c": ["2.5", "0.1"],
                    "v": ["8", "9"],
                    "p": ["2", "2"],
                    "t": [1, 2],
                    "l": ["1", "1"],
                    "h": ["3", "3"],
                    "o": ["2", "2"],
                },
                "ticker",
                "ACM/EUR",
            ],
            Quote(
                symbol="ACM/EUR",
                ts_event=99,
                bid=2.25,
                bid_size=1.5,
                ask=2.5,
                ask_size=3.75,
                price=2.5,
                volume=8.0,
                channel="ticker",
            ),
        ),
        (
            [4, ["2.25", "2.5", V1_AT, "1.5", "3.75"], "spread", "ACM/EUR"],
            Quote(symbol="ACM/EUR", ts_event=AT, bid=2.25, bid_size=1.5, ask=2.5, ask_size=3.75, channel="spread"),
        ),
        (
            [5, [V1_AT, "1709912100.0", "1", "4", "0.5", "2", "2.1", "8", 3], "ohlc-5", "ACM/EUR"],
            Bar(
                symbol="ACM/EUR",
                timeframe="5m",
                ts_event=1_709_911_800_000_000_000,
                open=1.0,
                high=4.0,
                low=0.5,
                close=2.0,
                volume=8.0,
                running=True,
                channel="ohlc-5",
            ),
        ),
    ],
)
def test_version_1_is_understood(frame: list[object], tick: Tick) -> None:
    """Arrays without names, numbers as text, seconds with a fraction."""
    assert [tick] == hear(frame)


def test_other_channels_are_passed_over() -> None:
    """Of both versions."""
    assert ([], []) == (hear([1, {}, "ownTrades", "A/B"]), hear({"channel": "instrument", "data": {}}))


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"event": "heartbeat"}, Told(what="heartbeat")),
        ({"channel": "heartbeat"}, Told(what="heartbeat")),
        ({"method": "pong", "req_id": 1}, Told(what="heartbeat")),
        ({"event": "pong", "reqid": 1}, Told(what="heartbeat")),
        ({"event": "systemStatus", "status": "online", "version": "1.9.0"}, Told(what="welcome", words="online")),
        (
            {"channel": "status", "type": "update", "data": [{"system": "cancel_only", "api_version": "v2"}]},
            Told(what="welcome", words="cancel_only"),
        ),
        (
            {"event": "subscriptionStatus", "status": "subscribed", "pair": "A/B", "channelName": "book-10"},
            Told(what="subscribed", words="book-10 A/B"),
        ),
        (
            {"method": "subscribe", "success": True, "result": {"channel": "book", "symbol": "A/B", "depth": 10}},
            Told(what="subscribed", words="book A/B"),
        ),
        (
            {"method": "unsubscribe", "success": True, "result": {"channel": "book", "symbol": "A/B"}},
            Told(what="unsubscribed", words="book A/B"),
        ),
        ({}, Told(what="said")),
    ],
)
def test_words_about_the_connection_are_told(frame: dict[str, object], told: Told) -> None:
    """Heartbeats, the state of the exchange, and confirmed subscriptions."""
    assert [told] == hear(frame)


@pytest.mark.parametrize(
    ("frame", "failure"),
    [
        (
            {"method": "subscribe", "success": False, "error": "Currency pair not supported A/B", "symbol": "A/B"},
            FailureClass.PERMANENT,
        ),
        (
            {"event": "subscriptionStatus", "status": "error", "errorMessage": "EAPI:Rate limit exceeded"},
            FailureClass.THROTTLED,
        ),
        ({"event": "error", "errorMessage": "EService:Unavailable"}, FailureClass.TRANSIENT),
        ({"method": "subscribe", "success": False, "error": "W"}, FailureClass.PERMANENT),
        ({"method": "subscribe", "success": False}, FailureClass.PERMANENT),
    ],
)
def test_refusals_have_a_class(frame: dict[str, object], failure: FailureClass) -> None:
    """In either version."""
    (told,) = hear(frame)

    assert isinstance(told, Told)
    assert ("refused", failure) == (told.what, told.failure and told.failure.failure_class)
    assert told.words


@pytest.mark.parametrize(
    "frame",
    [
        *("", "[]", "[1,2,3]", "[1,2,3,4]", b"\xff", "[[[", "7", '{"channel":"trade","data":[{}]}'),
        *('[1,{"c":"x"},"book-10","A/B"]', '[1,{},"book-x","A/B"]'),
        *(f'[1,["1","1","1","1","1","1","1","1"],"ohlc-{minutes}","A/B"]' for minutes in ("x", "5")),
    ],
)
def test_what_cannot_be_read_is_told(frame: str | bytes) -> None:
    """It is unreadable and breaks nothing."""
    (told,) = make().receive(frame, 0)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_each_channel_is_subscribed_to_by_itself() -> None:
    """Version 2 is spoken, in portions of a hundred pairs, and pinged."""
    feed = make()

    assert [
        {"channel": "trade", "symbol": ["A/B"], "snapshot": True},
        {"channel": "ticker", "symbol": ["A/B"], "snapshot": True, "event_trigger": "bbo"},
        {"channel": "ohlc", "symbol": ["A/B"], "snapshot": True, "interval": 1},
        {"channel": "book", "symbol": ["A/B"], "snapshot": True, "depth": 100},
    ] == [json.loads(frame)["params"] for frame in feed.subscribe(["A/B"], ["trades", "quotes", "bars", "book"])]
    assert 2 == len(feed.subscribe([str(number) for number in range(101)], ["trades", "actions"]))
    assert Endpoint(url="wss://ws.kraken.com/v2") == feed.endpoint(["A/B"], ["trades"])
    assert ('{"method":"ping"}', True) == (feed.manners.ping, feed.ready)
