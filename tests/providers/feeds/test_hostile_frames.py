"""Whatever a server sends, a feed answers with ticks: sane ones, or the word that the frame was unreadable."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from importlib import import_module
from typing import Any

import msgspec
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from truetape.domain.ticks import Bar, Depth, Gap, Quote, Tick, Told, Trade
from truetape.ports.feed import Feed

STAMP = "2024-03-08T15:30:00.123456Z"
MS = 1_709_911_800_123
FRAMES: dict[str, list[Any]] = {
    "alpaca": [
        [{"T": "t", "S": "A", "i": 1, "x": "D", "p": 126.5, "s": 1, "t": STAMP, "c": ["@"], "z": "C"}],
        [{"T": "q", "S": "A", "bp": 1, "bs": 2, "ap": 3, "as": 4, "t": STAMP}, {"T": "success", "msg": "connected"}],
        [{"T": "d", "S": "A", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1, "t": STAMP}, {"T": "error", "code": 406}],
        [{"T": "c", "S": "A", "oi": 1, "cp": 1, "cs": 1, "t": STAMP, "cc": ["@"]}, {"T": "x", "S": "A", "i": 1}],
        [{"T": "o", "S": "A/B", "t": STAMP, "b": [{"p": 1, "s": 1}], "a": [], "r": True}],
    ],
    "binance": [
        {"stream": "a@trade", "data": {"s": "A", "t": 1, "p": "1", "q": "1", "T": MS, "m": True}},
        {"stream": "a@depth", "data": {"E": MS, "s": "A", "U": 1, "u": 2, "b": [["1", "1"]], "a": []}},
        {
            "e": "kline",
            "s": "A",
            "k": {"t": MS, "i": "1m", "o": "1", "h": "1", "l": "1", "c": "1", "v": "1", "x": True},
        },
        {"u": 1, "s": "A", "b": "1", "B": "1", "a": "1", "A": "1"},
        {"error": {"code": 1, "msg": "a"}, "id": 1},
    ],
    "coinbase": [
        {
            "type": "match",
            "trade_id": 1,
            "side": "buy",
            "size": "1",
            "price": "1",
            "product_id": "A-B",
            "time": STAMP,
        },
        {"type": "snapshot", "product_id": "A-B", "bids": [["1", "1"]], "asks": [["2", "1"]]},
        {"type": "l2update", "product_id": "A-B", "changes": [["buy", "1", "0"], ["sell", "2", "3"]], "time": STAMP},
        {"type": "ticker", "sequence": 1, "product_id": "A-B", "price": "1", "best_bid": "1", "time": STAMP},
        {"type": "heartbeat", "last_trade_id": 5, "product_id": "A-B"},
    ],
    "finnhub": [
        {"type": "trade", "data": [{"s": "A", "p": 1.5, "t": MS, "v": 1, "c": ["1"]}]},
        {"type": "error", "msg": "Invalid symbol"},
    ],
    "iex_cloud": [
        [{"symbol": "A", "price": 1.5, "size": 1, "time": MS}],
        [{"symbol": "A", "bidPrice": 1, "lastUpdated": MS, "lastSalePrice": 1, "lastSaleSize": 1, "lastSaleTime": MS}],
    ],
    "kraken": [
        [1, {"as": [["2", "1", "1709911800.5"]], "bs": [["1", "1", "1709911800.5"]]}, "book-10", "A/B"],
        [1, {"a": [["2", "0", "1709911800.5"]]}, {"b": [["1", "3", "1709911800.5"]], "c": "77"}, "book-10", "A/B"],
        [1, [["1", "1", "1709911800.5", "b", "l", ""]], "trade", "A/B"],
        [1, ["1709911800.5", "1709911860.0", "1", "1", "1", "1", "1", "1", 1], "ohlc-1", "A/B"],
        {
            "channel": "book",
            "type": "snapshot",
            "data": [{"symbol": "A/B", "bids": [{"price": 1.5, "qty": 1}], "asks": [], "checksum": 1}],
        },
        {
            "channel": "trade",
            "type": "update",
            "data": [{"symbol": "A/B", "side": "buy", "price": 1, "qty": 1, "trade_id": 4, "timestamp": STAMP}],
        },
        {"method": "subscribe", "success": False, "error": "no", "result": {"channel": "book", "symbol": "A/B"}},
    ],
    "massive": [
        [{"ev": "T", "sym": "A", "x": 4, "i": "1", "p": 1.5, "s": 1, "t": MS, "c": [12]}],
        [{"ev": "Q", "sym": "A", "bp": 1, "bs": 2, "ap": 3, "as": 4, "t": MS}, {"ev": "status", "status": "error"}],
        [{"ev": "AM", "sym": "A", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1, "s": MS}, {"ev": "V", "T": "I:A", "val": 1}],
        [{"ev": "XT", "pair": "A-B", "p": 1, "s": 1, "t": MS, "c": [1]}, {"ev": "C", "p": "A/B", "a": 1, "t": MS}],
    ],
    "tiingo": [
        {
            "messageType": "A",
            "service": "iex",
            "data": ["T", STAMP, MS * 1_000_000, "a", None, None, None, None, None, 1.5, 1, None, 0, 1, 0, 0],
        },
        {"messageType": "A", "service": "fx", "data": ["Q", "eurusd", STAMP, 1, 1, 1, 1, 1]},
        {"messageType": "I", "response": {"code": 200, "message": "a"}, "data": {"subscriptionId": 1}},
    ],
    "yahoo": [
        {"type": "pricing", "message": b64encode(b"\x0a\x01A\x15\x00\x00\xc0\x3f\x18\xf6\xeb\xd6\xe0\xc5c").decode()}
    ],
}
HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400).filter(lambda number: abs(number) > 2**63),
    st.floats(),
    st.sampled_from(["nan", "inf", "-1", "1e999", "1_0", "", "A" * 300, "0", "\ud7ff", "9" * 400, STAMP, "-", "b"]),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def feed(name: str) -> Feed:
    made: Feed = import_module(f"truetape.providers.{name}.feed").make(key="k", secret="s")
    return made


def sane(tick: Tick) -> bool:
    """Return whether every number of a tick is finite and every instant lies in the 64 bits of nanoseconds."""
    if isinstance(tick, Told):
        return len(tick.words) < 1_000
    numbers: list[float | None] = []
    if isinstance(tick, Trade):
        numbers = [tick.price, tick.size]
    elif isinstance(tick, Quote):
        numbers = [tick.bid, tick.bid_size, tick.ask, tick.ask_size, tick.price, tick.volume]
    elif isinstance(tick, Bar):
        numbers = [tick.open, tick.high, tick.low, tick.close, tick.volume]
    elif isinstance(tick, Depth):
        numbers = [number for level in (*tick.bids, *tick.asks) for number in level]
    else:
        assert isinstance(tick, Gap)
    finite = all(number is None or math.isfinite(number) for number in numbers)
    return finite and 0 <= tick.ts_event < 2**63 and len(tick.symbol) <= 128


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of every part of `value`."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in below for found in leaves(part, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], part: Any) -> Any:
    """Return `value` with `part` at `path`."""
    if not path:
        return part
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], part)
    return copy


@pytest.mark.parametrize("name", FRAMES)
def test_the_frames_themselves_are_read(name: str) -> None:
    """What the others are made of says something: each frame yields at least one tick that is no complaint."""
    talk = feed(name)
    for frame in FRAMES[name]:
        ticks = talk.receive(json.dumps(frame), 1_000)
        waits = talk.wanted()
        assert all(sane(tick) for tick in ticks)
        assert waits or any(not (isinstance(tick, Told) and tick.what == "unreadable") for tick in ticks), frame


@pytest.mark.parametrize("name", FRAMES)
@given(frames=st.lists(st.one_of(st.binary(max_size=200), st.text(max_size=200)), max_size=4))
def test_noise_breaks_nothing(name: str, frames: list[str | bytes]) -> None:
    """Bytes and text of any kind are answered with ticks."""
    talk = feed(name)
    for frame in frames:
        assert all(sane(tick) for tick in talk.receive(frame, 1_000))
        assert all(
            sane(tick) for tick in talk.fetched("https://a/depth?symbol=A", str(frame).encode("utf-8", "replace"), 1)
        )
    talk.replies()
    talk.wanted()


@pytest.mark.parametrize("name", FRAMES)
@given(data=st.data())
def test_strange_values_break_nothing(name: str, data: st.DataObject) -> None:
    """Any part of a good frame may be replaced by anything; what is said before and after stays sane."""
    talk = feed(name)
    for frame in FRAMES[name]:
        path = data.draw(st.sampled_from(leaves(frame)))
        strange = changed(frame, path, data.draw(HOSTILE))
        for text in (json.dumps(frame), json.dumps(strange), json.dumps(strange, ensure_ascii=False).encode()):
            assert all(sane(tick) for tick in talk.receive(text, 1_000))


@given(data=st.data())
def test_strange_values_in_msgpack_break_nothing(data: st.DataObject) -> None:
    """The other form of Alpaca's frames is as safe."""
    talk = feed("alpaca")
    for frame in FRAMES["alpaca"]:
        strange = changed(frame, data.draw(st.sampled_from(leaves(frame))), data.draw(HOSTILE))
        try:
            packed = bytearray(msgspec.msgpack.encode(strange))
        except (OverflowError, UnicodeEncodeError):
            reject()
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
        for damaged in (msgspec.msgpack.encode(strange), bytes(packed)):
            assert all(sane(tick) for tick in talk.receive(damaged, 1_000))


@pytest.mark.parametrize("name", FRAMES)
@given(data=st.data())
def test_damaged_frames_break_nothing(name: str, data: st.DataObject) -> None:
    """Cut off and altered frames are answered with ticks."""
    talk = feed(name)
    for frame in FRAMES[name]:
        raw = bytearray(json.dumps(frame).encode())
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(raw)))
        for damaged in (bytes(raw), bytes(raw[:cut])):
            assert all(sane(tick) for tick in talk.receive(damaged, 1_000))


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("frame", ["[" * 100_000, '{"data":' * 50_000, b"\x91" * 100_000, "[" + "9" * 100_000 + "]"])
def test_deep_and_long_frames_break_nothing(name: str, frame: str | bytes) -> None:
    """Nesting does not exhaust the stack, digits do not exhaust the patience."""
    assert all(sane(tick) for tick in feed(name).receive(frame, 1_000))
