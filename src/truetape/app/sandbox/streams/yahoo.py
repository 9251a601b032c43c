"""Yahoo's streamer: prices as protobuf in base64, in an envelope of JSON or, to old clients, bare."""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Final

import msgspec

from truetape.app.sandbox.streams.speaker import UNREADABLE, Frame, Speaker, written
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.instants import MILLISECOND
from truetape.domain.pairs import is_fx
from truetape.domain.ticks import Quote

EQUITY: Final = 8
INDEX: Final = 9
CURRENCY: Final = 14
COIN: Final = 41
HEARTBEAT: Final = 7
REGULAR: Final = 1  # market hours
FEWEST_DECIMALS: Final = 2
MOST_DECIMALS: Final = 8
VARINT: Final = 0  # protobuf's wire types
TEXT: Final = 2
FLOAT: Final = 5


class _Asked(msgspec.Struct):
    subscribe: list[str] = []
    unsubscribe: list[str] = []


_ASKED: Final = msgspec.json.Decoder(_Asked)


class YahooSpeaker(Speaker):
    """Nothing is confirmed, and nothing refused: of what nobody knows nothing is ever said."""

    provider = "yahoo"
    beat_s = 30.0
    garbage = '{"type":"pricing","message":"!!"}'

    def hear(self, frame: Frame) -> list[Frame]:
        """Subscribe to symbols and leave others."""
        try:
            asked = _ASKED.decode(frame)
        except UNREADABLE:
            return []
        for symbol in filter(None, map(self.ours, asked.subscribe)):
            self.wanted["quotes"][symbol] = None
        for symbol in filter(None, map(self.ours, asked.unsubscribe)):
            self.wanted["quotes"].pop(symbol, None)
        return []

    def beat(self) -> list[Frame]:
        """Return a message that is no price."""
        return [self._frame(_whole(6, HEARTBEAT))]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:
        """Return the last price, with the best bid and ask and the day's volume."""
        decimals = _decimals(quote)
        fields = (
            _text(1, self.spelled(quote.symbol)),
            _real(2, quote.price),
            _zigzag(3, event.at // MILLISECOND),
            _text(4, "USD"),
            _whole(6, _type(quote.symbol)),
            _whole(7, REGULAR),
            _zigzag(9, int(quote.volume or 0)),
            _real(23, quote.bid),
            _zigzag(24, int(quote.bid_size or 0)),
            _real(25, quote.ask),
            _zigzag(26, int(quote.ask_size or 0)),
            _zigzag(27, decimals),
        )
        return [self._frame(b"".join(fields))]

    def _frame(self, message: bytes) -> str:
        packed = b64encode(message).decode()
        return written({"type": "pricing", "message": packed}) if self.opening.params.get("version") == "2" else packed


def _type(symbol: str) -> int:
    if "/" in symbol:
        return CURRENCY if is_fx(symbol) else COIN
    return INDEX if symbol.startswith("^") else EQUITY


def _decimals(quote: Quote) -> int:
    """Return how many decimals the prices have."""
    prices = [price for price in (quote.price, quote.bid, quote.ask) if price is not None]
    enough = (many for many in range(FEWEST_DECIMALS, MOST_DECIMALS) if all(round(one, many) == one for one in prices))
    return next(enough, MOST_DECIMALS)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits in a byte
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _whole(number: int, value: int) -> bytes:
    return _varint(number << 3 | VARINT) + _varint(value)


def _zigzag(number: int, value: int) -> bytes:
    return _whole(number, value << 1)


def _text(number: int, value: str) -> bytes:
    return _varint(number << 3 | TEXT) + _varint(len(value)) + value.encode()


def _real(number: int, value: float | None) -> bytes:
    return _varint(number << 3 | FLOAT) + struct.pack("<f", value or 0.0)


SPEAKER: Final = YahooSpeaker
