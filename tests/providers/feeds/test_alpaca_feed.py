"""Alpaca's stream: the same messages in JSON and msgpack, corrections and cancels, and error codes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Bar, Depth, Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint
from truetape.providers.alpaca.feed import make

AT = 1_709_911_800_123_456_789
STAMP = "2024-03-08T15:30:00.123456789Z"
TRADE: dict[str, Any] = {"T": "t", "S": "ACME", "i": 96_921, "x": "D", "p": 126.55, "s": 1, "t": STAMP, "z": "C"}
SAID = Trade(symbol="ACME", ts_event=AT, price=126.55, size=1.0, trade_id="96921", venue="D")


def hear(*messages: object) -> list[Tick]:
    return make(key="k", secret="s").receive(json.dumps(messages), 0)


def packed(stamp: msgspec.msgpack.Ext, **changes: object) -> list[Tick]:
    return make().receive(msgspec.msgpack.encode([{**TRADE, "t": stamp, **changes}]), 0)


def seconds_and_nanoseconds() -> bytes:
    return ((123_456_789 << 34) | 1_709_911_800).to_bytes(8, "big")


def test_a_trade_is_read_to_the_nanosecond() -> None:
    """Its conditions are joined in their order; the tape letter is not needed."""
    with_conditions = msgspec.structs.replace(SAID, conditions="@,I")

    assert [with_conditions, SAID] == hear(TRADE | {"c": ["@", "I"]}, TRADE)


def test_msgpack_says_the_same() -> None:
    """Its timestamps are extensions of 8 bytes with nanoseconds, of 12, or of 4 with whole seconds."""
    long = (123_456_789).to_bytes(4, "big") + (1_709_911_800).to_bytes(8, "big", signed=True)
    short = (1_709_911_800).to_bytes(4, "big")

    assert [SAID] == packed(msgspec.msgpack.Ext(-1, seconds_and_nanoseconds()))
    assert [SAID] == packed(msgspec.msgpack.Ext(-1, long))
    assert [msgspec.structs.replace(SAID, ts_event=AT - 123_456_789)] == packed(msgspec.msgpack.Ext(-1, short))


@pytest.mark.parametrize(
    "stamp",
    [
        msgspec.msgpack.Ext(-1, b"\x00" * 5),
        msgspec.msgpack.Ext(4, seconds_and_nanoseconds()),
        msgspec.msgpack.Ext(-1, b"\x00" * 4 + b"\xff" * 8),
        msgspec.msgpack.Ext(-1, b"\xff" * 12),
        msgspec.msgpack.Ext(-1, b"\xff\xff\xff\xff" + b"\x00" * 8),
        msgspec.msgpack.Ext(-1, b"\x00" * 4 + b"\x7f" + b"\xff" * 7),
    ],
)
def test_other_extensions_are_no_timestamps(stamp: msgspec.msgpack.Ext) -> None:
    """Another code, another length, before 1970, after 2262, or more than a second of nanoseconds."""
    (told,) = packed(stamp)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


@pytest.mark.parametrize(
    ("stamp", "symbol", "lot"),
    [
        ("2025-11-02T23:59:59Z", "ACME", 100.0),
        ("2025-11-03T00:00:00Z", "ACME", 1.0),
        ("2024-03-08T15:30:00Z", "BTC/USD", 1.0),
    ],
)
def test_sizes_of_quotes_are_in_shares(stamp: str, symbol: str, lot: float) -> None:
    """Until November 2025 the sizes of stocks were sent in lots; those of coins never were."""
    (quote,) = hear({"T": "q", "S": symbol, "bp": 10.0, "bs": 3, "ap": 10.5, "as": 2, "bx": "V", "ax": "V", "t": stamp})

    assert isinstance(quote, Quote)
    assert (10.0, 3 * lot, 10.5, 2 * lot) == (quote.bid, quote.bid_size, quote.ask, quote.ask_size)


def test_one_side_of_a_quote_may_be_missing() -> None:
    """What is not said is not known."""
    assert [Quote(symbol="ACME", ts_event=AT)] == hear({"T": "q", "S": "ACME", "t": STAMP, "bs": None})


def test_bars_are_told_by_their_kind() -> None:
    """A minute, the same minute again with late trades, and the day so far, labelled by its date."""
    prices = {"S": "ACME", "o": 1, "h": 4, "l": 0.5, "c": 2, "v": 200, "n": 3, "vw": 1.5}
    minute = "2024-03-08T15:30:00Z"
    expected = Bar(
        symbol="ACME",
        timeframe="1m",
        ts_event=1_709_911_800_000_000_000,
        open=1.0,
        high=4.0,
        low=0.5,
        close=2.0,
        volume=200.0,
    )
    again = msgspec.structs.replace(expected, channel="updatedBars")
    day = msgspec.structs.replace(
        expected, timeframe="1d", ts_event=1_709_856_000_000_000_000, running=True, channel="dailyBars"
    )

    assert [expected, again, day] == hear(
        {"T": "b", "t": minute} | prices,
        {"T": "u", "t": minute} | prices,
        {"T": "d", "t": "2024-03-08T05:00:00Z"} | prices,
    )


def test_a_correction_names_the_trade_that_it_corrects() -> None:
    """Under the id that the trade was said with stands what it should have been."""
    correction = {
        "T": "c",
        "S": "ACME",
        "x": "M",
        "oi": 52_983_525_033_527,
        "op": 39.1582,
        "os": 440_000,
        "oc": ["@", "7"],
        "ci": 52_983_525_034_326,
        "cp": 39.1809,
        "cs": 440_100,
        "cc": ["@", "8"],
        "t": STAMP,
        "z": "A",
    }

    expected = Trade(
        symbol="ACME",
        ts_event=AT,
        price=39.1809,
        size=440_100.0,
        trade_id="52983525033527",
        conditions="@,8",
        venue="M",
        channel="corrections",
        correction="correct",
    )
    assert [expected] == hear(correction)
    without = {name: value for name, value in correction.items() if name != "cc"}
    assert [msgspec.structs.replace(expected, conditions="")] == hear(without)


def test_a_cancelled_trade_never_was() -> None:
    """It is named by its id."""
    cancel = {"T": "x", "S": "ACME", "i": "16", "x": "D", "p": 136.5, "s": 51, "a": "C", "t": STAMP, "z": "C"}

    expected = Trade(
        symbol="ACME",
        ts_event=AT,
        price=136.5,
        size=51.0,
        trade_id="16",
        venue="D",
        channel="cancelErrors",
        correction="cancel",
    )
    assert [expected] == hear(cancel)


def test_coins_have_books_and_aggressors() -> None:
    """A book is whole where it says so, else it is a change; trades name who took."""
    book = {"T": "o", "S": "BTC/USD", "t": STAMP, "b": [{"p": 9.5, "s": 1}], "a": [{"p": 10, "s": 0}]}
    taken = {"T": "t", "S": "BTC/USD", "p": 10, "s": 0.5, "t": STAMP, "i": 1, "tks": "S"}

    change = Depth(symbol="BTC/USD", ts_event=AT, bids=((9.5, 1.0),), asks=((10.0, 0.0),), channel="orderbooks")
    assert [
        change,
        msgspec.structs.replace(change, snapshot=True),
        Trade(symbol="BTC/USD", ts_event=AT, price=10.0, size=0.5, trade_id="1", side="sell"),
    ] == hear(book, book | {"r": True}, taken)


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (400, FailureClass.PERMANENT),
        (401, FailureClass.AUTH),
        (402, FailureClass.AUTH),
        (404, FailureClass.TRANSIENT),
        (405, FailureClass.ENTITLEMENT),
        (406, FailureClass.CONFLICT),
        (407, FailureClass.TRANSIENT),
        (408, FailureClass.ENTITLEMENT),
        (409, FailureClass.ENTITLEMENT),
        (410, FailureClass.PERMANENT),
        (500, FailureClass.TRANSIENT),
    ],
)
def test_errors_have_a_class(code: int, failure: FailureClass) -> None:
    """Each code means one of the nine."""
    (told,) = hear({"T": "error", "code": code, "msg": "words"})

    assert isinstance(told, Told)
    assert ("refused", f"{code}: words", failure) == (
        told.what,
        told.words,
        told.failure and told.failure.failure_class,
    )


def test_it_is_let_in_by_its_key() -> None:
    """Welcome, authentication, and the state of all subscriptions; being let in twice is no failure."""
    feed = make(key="k", secret="s")
    conversation = [
        ('{"T":"success","msg":"connected"}', Told(what="welcome", words="connected"), False),
        ('{"T":"success","msg":"authenticated"}', Told(what="authenticated", words="authenticated"), True),
        (
            '{"T":"error","code":403,"msg":"already authenticated"}',
            Told(what="said", words="already authenticated"),
            True,
        ),
        (
            '{"T":"subscription","trades":["A","B"],"quotes":[],"bars":["A"],"lulds":["A"]}',
            Told(what="subscribed", words="2 trades, 1 bars"),
            True,
        ),
    ]

    assert ['{"action":"auth","key":"k","secret":"s"}'] == feed.greet()
    assert [([told], ready) for _, told, ready in conversation] == [
        (feed.receive(f"[{frame}]", 0), feed.ready) for frame, _, _ in conversation
    ]


@pytest.mark.parametrize("codec", ["json", "msgpack"])
def test_other_messages_do_not_hide_those_that_are_read(codec: str) -> None:
    """Halts and news are passed over; a message that is not whole is told, and its neighbours stand."""
    messages = [{"T": "s", "S": "ACME", "sc": "H"}, TRADE, TRADE | {"p": None}]
    frame: str | bytes = json.dumps(messages) if codec == "json" else msgspec.msgpack.encode(messages)

    ticks = make().receive(frame, 0)

    assert ([Trade, Told], SAID) == ([type(tick) for tick in ticks], ticks[0])


@pytest.mark.parametrize("frame", ["{}", "[7]", b"", b"\xff", b"\x91\xc0", b"[{]", b"\x91\x81\xa1T\x01"])
def test_what_is_no_batch_is_unreadable(frame: str | bytes) -> None:
    """It is told and breaks nothing, in either form."""
    (told,) = make().receive(frame, 0)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_subscriptions_are_cut_and_named() -> None:
    """Bars bring their late repeats; only coins have books; a frame takes 500 symbols."""
    feed = make()

    assert ['{"action":"subscribe","trades":["ACME"],"bars":["ACME"],"updatedBars":["ACME"]}'] == feed.subscribe(
        ["ACME"], ["trades", "bars", "book"]
    )
    assert ['{"action":"subscribe","quotes":["BTC/USD"],"orderbooks":["BTC/USD"]}'] == feed.subscribe(
        ["BTC/USD"], ["quotes", "book"]
    )
    assert ([], []) == (feed.subscribe(["ACME"], ["book"]), feed.subscribe([], ["trades"]))
    assert 2 == len(feed.subscribe([str(number) for number in range(501)], ["trades"]))


def test_msgpack_is_chosen_at_the_door() -> None:
    """A header asks for it, and then both sides speak it; stocks and coins have addresses of their own."""
    feed = make(key="k", secret="s", tape="v2/sip", codec="msgpack")

    headers = {"Content-Type": "application/msgpack"}
    expected = Endpoint(url="wss://stream.data.alpaca.markets/v2/sip", headers=headers, said=("k", "s"))
    assert expected == feed.endpoint(["ACME"], ["trades"])
    assert expected == feed.endpoint([], ["trades"])
    assert "wss://stream.data.alpaca.markets/v1beta3/crypto/us" == feed.endpoint(["BTC/USD"], ["trades"]).url
    (greeting,) = feed.greet()
    assert isinstance(greeting, bytes)
    assert {"action": "auth", "key": "k", "secret": "s"} == msgspec.msgpack.decode(greeting)
    assert [["ACME"], ["BTC/USD"]] == feed.part(["ACME", "BTC/USD"])
    assert {} == make().endpoint(["ACME"], ["trades"]).headers
