"""Finnhub's stream: trades of stocks, coins and currencies in batched frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from truetape.domain.conversation import Conversation, refused
from truetape.domain.fields import Codes, Milliseconds, Number, Symbol, listed
from truetape.domain.instants import MILLISECOND
from truetape.domain.ticks import Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.finnhub.classify import by_words

HOME: Final = "finnhub.io"
STREAM: Final = "wss://ws.finnhub.io"
CHANNEL: Final = "trade"
SYMBOLS: Final = 50  # of one connection with a free key


class _Row(msgspec.Struct, gc=False):
    s: Symbol
    p: Number
    t: Milliseconds
    v: Number = 0.0
    c: Codes | None = None


class _Message(msgspec.Struct, tag_field="type"):
    pass


class _Trades(_Message, tag="trade"):
    data: list[_Row] = []


class _Ping(_Message, tag="ping"):
    pass


class _Error(_Message, tag="error"):
    msg: str = ""


class _Kind(msgspec.Struct):
    type: str


_MESSAGE: Final = msgspec.json.Decoder(_Trades | _Ping | _Error)
_KIND: Final = msgspec.json.Decoder(_Kind)
_KNOWN: Final = ("trade", "ping", "error")


class FinnhubFeed(Conversation):
    """The one connection that a key may hold."""

    manners = Manners(silent_s=90.0, symbols_per_frame=1, frames_per_second=10.0, symbols=SYMBOLS)
    ready = True

    def __init__(self, *, base_url: str = "", key: str = "") -> None:
        """Begin a conversation at `base_url` with `key`."""
        super().__init__(symbols=SYMBOLS)
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._key = key

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - one place for all
        """Return the stream's address; the key goes into the query."""
        return Endpoint(url=self._root, secrets={"token": self._key})

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:  # noqa: ARG002 - trades only
        """Return one frame for each symbol."""
        return [msgspec.json.encode({"type": "subscribe", "symbol": symbol}).decode() for symbol in symbols]

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:  # noqa: ARG002 - each trade has a time of its own
        """Return what one frame says: trades, and prices without a size, which are no trades."""
        try:
            said = _MESSAGE.decode(frame)
        except msgspec.ValidationError:
            if _KIND.decode(frame).type in _KNOWN:
                raise
            return []
        if type(said) is _Trades:
            return [_tick(row) for row in said.data]
        if isinstance(said, _Error):
            failure = by_words(said.msg)
            return [refused(failure.failure_class, failure.words)]
        return [Told(what="heartbeat")]


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - the key has one half
    """Return a new conversation with Finnhub, or with what stands in for it at `base_url`."""
    return FinnhubFeed(base_url=base_url, key=key)


def _tick(row: _Row) -> Tick:
    if row.v == 0:
        return Quote(symbol=row.s, ts_event=row.t * MILLISECOND, price=row.p, channel=CHANNEL)
    conditions = listed(row.c) if row.c else ""
    return Trade(
        symbol=row.s, ts_event=row.t * MILLISECOND, price=row.p, size=row.v, conditions=conditions, channel=CHANNEL
    )
