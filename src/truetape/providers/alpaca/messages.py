"""The messages of Alpaca's stream by their letter T, in JSON or msgpack: both hold arrays of the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.msgpack import Ext

from truetape.domain.fields import Codes, Count, Number, Symbol, Text
from truetape.domain.instants import LAST_NS, instant
from truetape.domain.time import NANOSECONDS

Stamp = Text | Ext  # RFC 3339 text in JSON, msgpack's timestamp in msgpack

_TIMESTAMP: Final = -1  # msgpack's code of the extension
_SHORT: Final = 4  # bytes: seconds alone
_MIDDLE: Final = 8  # bytes: 30 bits of nanoseconds, 34 of seconds
_LONG: Final = 12  # bytes: 4 of nanoseconds, 8 of signed seconds


class Message(msgspec.Struct, tag_field="T", gc=False):
    """What all messages share: nothing but their letter."""


class Trade(Message, tag="t"):
    """A trade; of coins, `tks` names the aggressor."""

    S: Symbol
    p: Number
    s: Number
    t: Stamp
    i: Count | Text = 0
    x: Text = ""
    c: Codes | None = None
    tks: Text = ""


class Quote(Message, tag="q"):
    """The best bid and ask."""

    S: Symbol
    t: Stamp
    bp: Number | None = None
    bs: Number | None = None
    ap: Number | None = None
    as_: Number | None = msgspec.field(default=None, name="as")


class Bar(Message, tag="b"):
    """A minute."""

    S: Symbol
    o: Number
    h: Number
    l: Number  # noqa: E741 - the provider's name for the low
    c: Number
    v: Number
    t: Stamp


class UpdatedBar(Bar, tag="u"):
    """A minute again, because of trades that came late."""


class DailyBar(Bar, tag="d"):
    """The day so far."""


class Correction(Message, tag="c"):
    """A trade as it should have been said; `oi` is what it was known by."""

    S: Symbol
    oi: Count | Text
    cp: Number
    cs: Number
    t: Stamp
    x: Text = ""
    cc: Codes | None = None


class Cancel(Message, tag="x"):
    """A trade that never was."""

    S: Symbol
    i: Count | Text
    t: Stamp
    p: Number = 0.0
    s: Number = 0.0
    x: Text = ""


class Level(msgspec.Struct, gc=False):
    """Price and size."""

    p: Number
    s: Number


class Book(Message, tag="o"):
    """What changed in a coin's book; `r`: all of it."""

    S: Symbol
    t: Stamp
    b: list[Level] = []
    a: list[Level] = []
    r: bool = False


class Success(Message, tag="success"):
    """Words about the connection."""

    msg: Text = ""


class Error(Message, tag="error"):
    """A refusal."""

    code: int = 0
    msg: str = ""


class Subscription(Message, tag="subscription"):
    """Everything that is subscribed to now."""

    trades: list[str] = []
    quotes: list[str] = []
    bars: list[str] = []


class Broken(msgspec.Struct):
    """A message of a known letter that is not whole, and what it lacks."""

    words: str


class _Letter(msgspec.Struct):
    T: str


Known = Trade | Quote | Bar | UpdatedBar | DailyBar | Correction | Cancel | Book | Success | Error | Subscription

_KINDS: Final = (
    *(Trade, Quote, Bar, UpdatedBar, DailyBar, Correction, Cancel, Book),
    *(Success, Error, Subscription),
)
_KNOWN: Final = {kind.__struct_config__.tag for kind in _KINDS}
_JSON: Final = msgspec.json.Decoder(list[Known])
_JSON_PARTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_JSON_ONE: Final = msgspec.json.Decoder(Known)
_JSON_LETTER: Final = msgspec.json.Decoder(_Letter)
_PACKED: Final = msgspec.msgpack.Decoder(list[Known])
_PACKED_PARTS: Final = msgspec.msgpack.Decoder(list[msgspec.Raw])
_PACKED_ONE: Final = msgspec.msgpack.Decoder(Known)
_PACKED_LETTER: Final = msgspec.msgpack.Decoder(_Letter)
_BRACKET: Final = b"["  # no array of msgpack begins so


def read(frame: str | bytes) -> Sequence[Known | Broken]:
    """Return the messages of `frame` in their order, without those of letters that are not read.

    Raises:
        MsgspecError: It is no array of messages.
        UnicodeDecodeError: It is no UTF-8.
    """
    if isinstance(frame, bytes) and frame[:1] != _BRACKET:
        try:
            return _PACKED.decode(frame)
        except msgspec.ValidationError:
            packed = _PACKED_PARTS.decode(frame)
        return [_one(_PACKED_ONE, part) for part in packed if _PACKED_LETTER.decode(part).T in _KNOWN]
    try:
        return _JSON.decode(frame)
    except msgspec.ValidationError:
        parts = _JSON_PARTS.decode(frame)
    return [_one(_JSON_ONE, part) for part in parts if _JSON_LETTER.decode(part).T in _KNOWN]


def _one(decoder: msgspec.json.Decoder[Known] | msgspec.msgpack.Decoder[Known], part: msgspec.Raw) -> Known | Broken:
    try:
        return decoder.decode(part)
    except msgspec.ValidationError as error:
        return Broken(words=str(error))


def moment(stamp: str | Ext) -> int:
    """Return the UTC nanoseconds of `stamp`.

    Raises:
        ValueError: It is no instant from 1970 to 2262.
    """
    if isinstance(stamp, str):
        return instant(stamp)
    data = bytes(stamp.data)
    if stamp.code != _TIMESTAMP or len(data) not in (_SHORT, _MIDDLE, _LONG):
        raise ValueError(f"an extension {stamp.code} of {len(data)} bytes was no timestamp")
    if len(data) == _LONG:
        rest, seconds = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big", signed=True)
    else:
        whole = int.from_bytes(data, "big")
        rest, seconds = (whole >> 34, whole & (2**34 - 1)) if len(data) == _MIDDLE else (0, whole)
    at = seconds * NANOSECONDS + rest
    if not 0 <= at <= LAST_NS or rest >= NANOSECONDS:
        raise ValueError(f"{seconds} s and {rest} ns were no instant from 1970 to 2262")
    return at
