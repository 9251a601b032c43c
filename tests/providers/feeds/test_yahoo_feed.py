"""Yahoo's streamer: protobuf written out byte by byte, in base64, bare or in an envelope."""

from __future__ import annotations

import json
import struct
from base64 import b64encode

import pytest

from truetape.domain.ticks import Quote, Tick, Told
from truetape.ports.feed import Endpoint
from truetape.providers.yahoo.feed import make

AT = 1_709_911_800_123  # ms
FLOAT, VARINT, TEXT = 5, 0, 2


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def text(number: int, value: str) -> bytes:
    return varint(number << 3 | TEXT) + varint(len(value)) + value.encode()


def real(number: int, value: float) -> bytes:
    return varint(number << 3 | FLOAT) + struct.pack("<f", value)


def zigzag(number: int, value: int) -> bytes:
    return varint(number << 3 | VARINT) + varint(value << 1 if value >= 0 else (-value << 1) - 1)


def plain(number: int, value: int) -> bytes:
    return varint(number << 3 | VARINT) + varint(value)


def hear(*fields: bytes) -> list[Tick]:
    return make().receive(b64encode(b"".join(fields)).decode(), 77)


SYMBOL = text(1, "ACME")
WHEN = zigzag(3, AT)


def test_every_field_finds_its_place() -> None:
    """Prices of 32 bits get back the decimals that the hint names; sizes and volume are zigzag numbers."""
    fields = (
        *(SYMBOL, real(2, 182.53), WHEN, text(4, "USD"), text(5, "NMS"), plain(6, 8), plain(7, 1)),
        *(real(8, -1.25), zigzag(9, 53_763_540), real(23, 182.52), zigzag(24, 3), real(25, 182.54), zigzag(26, 11)),
        *(zigzag(27, 2), varint(33 << 3 | 1) + struct.pack("<d", 1e12)),
    )

    expected = Quote(
        symbol="ACME",
        ts_event=AT * 1_000_000,
        bid=182.52,
        bid_size=3.0,
        ask=182.54,
        ask_size=11.0,
        price=182.53,
        volume=53_763_540.0,
        channel="pricing",
    )
    assert [expected] == hear(*fields)


@pytest.mark.parametrize(
    ("price", "hint", "expected"),
    [
        (66_972.77, 2, 66_972.77),
        (1.08765, 5, 1.08765),
        (1.08765, 0, 1.09),
        (0.00001234, 2, 0.00001234),
        (99.995, 10**15, 100.0),
        (99.5, -3, 99.5),
        (-37.63, 2, -37.63),
    ],
)
def test_prices_are_snapped_by_the_hint(price: float, hint: int, expected: float) -> None:
    """Two decimals are meant where the hint is absent or absurd; a price below them keeps its seven digits."""
    (tick,) = hear(SYMBOL, WHEN, real(2, price), zigzag(27, hint))

    assert isinstance(tick, Quote)
    assert expected == tick.price


def test_zero_is_absent() -> None:
    """The format does not tell zero from nothing; without a time, the moment of hearing stands."""
    assert [Quote(symbol="ACME", ts_event=77, channel="pricing")] == hear(SYMBOL, real(2, 0.0), zigzag(9, 0))


def test_a_heartbeat_is_no_price() -> None:
    """Its type says so."""
    assert [Told(what="heartbeat")] == hear(text(1, "^"), plain(6, 7))


def test_the_envelope_is_opened() -> None:
    """Version 2 wraps the message in JSON; other types of envelopes are passed over."""
    message = b64encode(SYMBOL + WHEN + real(2, 1.5)).decode()
    expected = [Quote(symbol="ACME", ts_event=AT * 1_000_000, price=1.5, channel="pricing")]

    for frame in (json.dumps({"type": "pricing", "message": message}), json.dumps({"message": message})):
        assert expected == make().receive(frame, 77)
        assert expected == make().receive(frame.encode(), 77)
    assert [] == make().receive('{"type":"status","message":"ok"}', 77)


@pytest.mark.parametrize(
    "fields",
    [
        (b"\xff\xff\xff",),
        (WHEN, real(2, 1.5)),
        (text(1, "A" * 65), WHEN),
        (SYMBOL, zigzag(3, -1)),
        (SYMBOL, zigzag(3, 2**62)),
        (SYMBOL, WHEN, real(2, float("nan"))),
        (SYMBOL, WHEN, real(23, float("inf"))),
        (varint(1 << 3 | TEXT) + b"\x02\xff\xfe", WHEN),
    ],
)
def test_bytes_that_cannot_be_are_unreadable(fields: tuple[bytes, ...]) -> None:
    """Broken wire format, no or endless symbols, other centuries, and prices that are no numbers."""
    (told,) = hear(*fields)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


@pytest.mark.parametrize("frame", ["", "not base64!", "é", b"\xff", "{", '{"message":7}', "QUFB"])
def test_frames_that_cannot_be_read_are_told(frame: str | bytes) -> None:
    """Whatever it is, it breaks nothing."""
    (told,) = make().receive(frame, 77)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_the_subscription_is_repeated_as_a_ping() -> None:
    """Every 15 seconds all symbols that were ever asked for are asked for again."""
    feed = make()

    assert ['{"subscribe":["ACME","^GSPC"]}'] == feed.subscribe(["ACME", "^GSPC"], ["quotes"])
    assert ['{"subscribe":["BRK-B"]}'] == feed.subscribe(["BRK-B"], ["quotes"])
    assert ('{"subscribe":["ACME","^GSPC","BRK-B"]}', 15.0) == (feed.manners.ping, feed.manners.ping_s)
    assert ("", True) == (make().manners.ping, feed.ready)
    assert Endpoint(url="wss://streamer.finance.yahoo.com/?version=2") == feed.endpoint(["ACME"], ["quotes"])
