"""The frames of Binance's stream: an envelope that names the stream, and news in it. Times are Unix milliseconds."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.fields import Count, Milliseconds, Number, Symbol, Text

TextLevels = list[tuple[Symbol, Symbol]]  # price and quantity in the exchange's own text


class Said(msgspec.Struct):
    """The error of a control frame."""

    code: int = 0
    msg: str = ""


class Envelope(msgspec.Struct, gc=False):
    """What every frame has of these: news in an envelope, news by themselves, or an answer to a control frame."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    e: str = ""
    u: Count | None = None
    id: int | str | None = None
    error: Said | None = None
    code: int | None = None
    msg: str = ""


class Trade(msgspec.Struct, gc=False):
    """One trade."""

    s: Symbol
    t: Count
    p: Number
    q: Number
    T: Milliseconds
    m: bool


class AggTrade(msgspec.Struct, gc=False):
    """The fills of one taking order at one price."""

    s: Symbol
    a: Count
    p: Number
    q: Number
    T: Milliseconds
    m: bool


class BookTicker(msgspec.Struct, gc=False):
    """The best bid and ask. Spot sends no time."""

    s: Symbol
    b: Number
    B: Number
    a: Number
    A: Number
    E: Milliseconds | None = None


class Kline(msgspec.Struct, gc=False):
    """A bar; `x` says that it is closed."""

    t: Milliseconds
    i: Text
    o: Number
    h: Number
    l: Number  # noqa: E741 - the provider's name for the low
    c: Number
    v: Number
    x: bool


class KlineNews(msgspec.Struct, gc=False):
    """A bar and whose it is."""

    s: Symbol
    k: Kline


class DepthUpdate(msgspec.Struct, gc=False):
    """What changed in a book by the updates `U` to `u`."""

    s: Symbol
    E: Milliseconds
    U: Count
    u: Count
    b: TextLevels
    a: TextLevels


class DepthSnapshot(msgspec.Struct, gc=False):
    """A whole book, as REST gives it; or, with the other fields, why it gives none."""

    last: Count | None = msgspec.field(default=None, name="lastUpdateId")
    bids: TextLevels = []
    asks: TextLevels = []
    code: int | None = None
    msg: str = ""


ENVELOPE: Final = msgspec.json.Decoder(Envelope)
TRADE: Final = msgspec.json.Decoder(Trade, strict=False)
AGG_TRADE: Final = msgspec.json.Decoder(AggTrade, strict=False)
BOOK_TICKER: Final = msgspec.json.Decoder(BookTicker, strict=False)
KLINE: Final = msgspec.json.Decoder(KlineNews, strict=False)
DEPTH_UPDATE: Final = msgspec.json.Decoder(DepthUpdate)
DEPTH_SNAPSHOT: Final = msgspec.json.Decoder(DepthSnapshot)
