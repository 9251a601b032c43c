"""The messages of Coinbase's stream by their type. Numbers are text; times are RFC 3339."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.fields import Count, Number, Symbol, Text


class Message(msgspec.Struct, tag_field="type", gc=False):
    """What all messages share: nothing but their type."""


class Match(Message, tag="match"):
    """A trade; `side` is that of the order that was waiting."""

    product_id: Symbol
    trade_id: Count
    price: Number
    size: Number
    side: Text
    time: Text


class LastMatch(Match, tag="last_match"):
    """The trade before the subscription began."""


class Ticker(Message, tag="ticker"):
    """The best bid and ask at a trade."""

    product_id: Symbol
    price: Number | None = None
    best_bid: Number | None = None
    best_ask: Number | None = None
    best_bid_size: Number | None = None
    best_ask_size: Number | None = None
    volume_24h: Number | None = None
    sequence: Count = 0
    time: Text | None = None


class Snapshot(Message, tag="snapshot"):
    """A whole book."""

    product_id: Symbol
    bids: list[tuple[Symbol, Symbol]]
    asks: list[tuple[Symbol, Symbol]]


class Update(Message, tag="l2update"):
    """What changed in a book: side, price and new quantity."""

    product_id: Symbol
    changes: list[tuple[Text, Symbol, Symbol]]
    time: Text | None = None


class Heartbeat(Message, tag="heartbeat"):
    """Once a second for each product: the number of its last trade."""

    product_id: Symbol
    last_trade_id: Count = 0


class _Channel(msgspec.Struct):
    name: Text = ""


class Subscriptions(Message, tag="subscriptions"):
    """Everything that is subscribed to now."""

    channels: list[_Channel] = []


class Error(Message, tag="error"):
    """A refusal."""

    message: str = ""
    reason: str = ""


class _Kind(msgspec.Struct):
    type: str


Known = Match | LastMatch | Ticker | Snapshot | Update | Heartbeat | Subscriptions | Error

_MESSAGE: Final = msgspec.json.Decoder(Known, strict=False)
_KIND: Final = msgspec.json.Decoder(_Kind)
_KNOWN: Final = {
    kind.__struct_config__.tag for kind in (Match, LastMatch, Ticker, Snapshot, Update, Heartbeat, Subscriptions, Error)
}


def read(frame: str | bytes) -> Known | None:
    """Return the message of `frame`; None for one of a type that is not read.

    Raises:
        MsgspecError: It is no message, or one of a known type is not whole.
        UnicodeDecodeError: It is no UTF-8.
    """
    try:
        message: Known = _MESSAGE.decode(frame)
    except msgspec.ValidationError:
        if _KIND.decode(frame).type in _KNOWN:
            raise
        return None
    return message
