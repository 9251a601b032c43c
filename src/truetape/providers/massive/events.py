"""The events of Massive's stream by their letters, read from frames that batch them. Times are Unix milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from truetape.domain.fields import CodeNumbers, Count, Milliseconds, Number, Symbol, Text

SIDES: Final = {1: "sell", 2: "buy"}  # a coin's condition names the aggressor


class Event(msgspec.Struct, tag_field="ev", gc=False):
    """What all events share: nothing but the letters that they are known by."""


class Status(Event, tag="status"):
    """Words about the connection."""

    status: str
    message: str = ""


class T(Event, tag="T"):
    """A trade of a stock; `ds` is its size where that has a fraction."""

    sym: Symbol
    p: Number
    s: Number
    t: Milliseconds
    x: Count = 0
    i: Text = ""
    c: CodeNumbers | None = None
    ds: Number | None = None


class Q(Event, tag="Q"):
    """The best bid and ask of a stock."""

    sym: Symbol
    t: Milliseconds
    bp: Number | None = None
    bs: Number | None = None
    ap: Number | None = None
    as_: Number | None = msgspec.field(default=None, name="as")


class XT(Event, tag="XT"):
    """A trade of a coin."""

    pair: Symbol
    p: Number
    s: Number
    t: Milliseconds
    x: Count = 0
    i: Text = ""
    c: CodeNumbers | None = None


class XQ(Event, tag="XQ"):
    """The best bid and ask of a coin."""

    pair: Symbol
    t: Milliseconds
    bp: Number | None = None
    bs: Number | None = None
    ap: Number | None = None
    as_: Number | None = msgspec.field(default=None, name="as")


class C(Event, tag="C"):
    """A quote of a pair of currencies."""

    p: Symbol
    t: Milliseconds
    a: Number | None = None
    b: Number | None = None


class V(Event, tag="V"):
    """A level of an index."""

    T: Symbol
    val: Number
    t: Milliseconds


class Span(Event):
    """What traded in a span of time that begins at `s`."""

    o: Number
    h: Number
    l: Number  # noqa: E741 - the provider's name for the low
    c: Number
    s: Milliseconds
    v: Number = 0.0


class A(Span, tag="A", kw_only=True):
    """A second of a stock."""

    sym: Symbol


class AM(Span, tag="AM", kw_only=True):
    """A minute of a stock or an index."""

    sym: Symbol


class XA(Span, tag="XA", kw_only=True):
    """A minute of a coin."""

    pair: Symbol


class CA(Span, tag="CA", kw_only=True):
    """A minute of a pair of currencies."""

    pair: Symbol


class _Letters(msgspec.Struct):
    ev: str


Known = Status | T | Q | XT | XQ | C | V | A | AM | XA | CA

_FRAME: Final = msgspec.json.Decoder(list[Known], strict=False)
_ONE: Final = msgspec.json.Decoder(Known, strict=False)
_APART: Final = msgspec.json.Decoder(list[msgspec.Raw])
_LETTERS: Final = msgspec.json.Decoder(_Letters)
_KNOWN: Final = {kind.__struct_config__.tag for kind in (Status, T, Q, XT, XQ, C, V, A, AM, XA, CA)}


def read(frame: str | bytes) -> Sequence[Known]:
    """Return the events of `frame` in their order, without those of other channels.

    An event of a known kind that is not whole becomes a status "unreadable"; the others stand.

    Raises:
        MsgspecError: It is no array of events.
        UnicodeDecodeError: It is no UTF-8.
    """
    try:
        return _FRAME.decode(frame)
    except msgspec.ValidationError:
        parts = _APART.decode(frame)
    return [_one(part) for part in parts if _LETTERS.decode(part).ev in _KNOWN]


def _one(part: msgspec.Raw) -> Known:
    try:
        known: Known = _ONE.decode(part)
    except msgspec.ValidationError as error:
        return Status(status="unreadable", message=str(error))
    return known
