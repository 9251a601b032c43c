"""Kraken's stream: version 2 is spoken, and version 1, as older recordings have it, is understood too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from truetape.domain.conversation import Conversation, portions, refused
from truetape.domain.failures import FailureClass
from truetape.domain.fields import LONGEST_SYMBOL, LONGEST_TEXT
from truetape.domain.ticks import Tick, Told
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.kraken import v1, v2
from truetape.providers.kraken.checked import MOST_BOOKS, CheckedBooks
from truetape.providers.kraken.classify import by_words

HOME: Final = "kraken.com"
STREAM: Final = "wss://ws.kraken.com/v2"
CHANNELS: Final = {"trades": "trade", "quotes": "ticker", "bars": "ohlc", "book": "book"}
DEPTH: Final = 100
PING: Final = '{"method":"ping"}'


class _System(msgspec.Struct):
    system: str = ""


class _Params(msgspec.Struct):
    channel: str = ""
    symbol: str | list[str] = ""
    depth: int | None = None
    warnings: list[str] | None = None


class _Said(msgspec.Struct):
    channel: str = ""
    method: str = ""
    event: str = ""
    success: bool = True
    error: str = ""
    status: str = ""
    error_message: str = msgspec.field(default="", name="errorMessage")
    symbol: str = ""
    pair: str = ""
    channel_name: str = msgspec.field(default="", name="channelName")
    result: _Params | None = None


class _Status(msgspec.Struct):
    data: list[_System] = []


_SAID: Final = msgspec.json.Decoder(_Said)
_STATUS: Final = msgspec.json.Decoder(_Status)
_OPENING: Final = (ord("["), "[")


class KrakenFeed(Conversation):
    """One connection to Kraken."""

    manners = Manners(silent_s=30.0, ping=PING, ping_s=20.0, symbols_per_frame=100, frames_per_second=10.0)
    ready = True

    def __init__(self, *, base_url: str = "") -> None:
        """Begin a conversation at `base_url`."""
        super().__init__()
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._books = CheckedBooks(self._tracks)
        self._depths: dict[str, int] = {}

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - one place for all
        """Return the stream's address."""
        return Endpoint(url=self._root)

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        """Return the subscriptions, one for each channel and portion of symbols."""
        return [
            _ask("subscribe", CHANNELS[channel], part)
            for channel in channels
            if channel in CHANNELS
            for part in portions(symbols, self.manners.symbols_per_frame)
        ]

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:
        """Return what one frame says, in either version."""
        if frame and frame[0] in _OPENING:
            ticks = v1.read(frame, ts_known, books=self._books)
        else:
            said = _SAID.decode(frame)
            if not said.channel or said.channel in ("heartbeat", "status"):
                self._note_depth(said)
                return _told(said, frame)
            ticks = v2.read(said.channel, frame, ts_known, depths=self._depths, tracks=self._tracks, books=self._books)
        if self._books.spoilt:
            self._ask_again()
        return ticks

    def _note_depth(self, said: _Said) -> None:
        """Remember how many levels of a book were subscribed to: those beyond them are not kept up to date."""
        done = said.result
        if done and done.depth and isinstance(done.symbol, str) and len(self._depths) < MOST_BOOKS:
            self._depths[done.symbol] = done.depth

    def _ask_again(self) -> None:
        for channel, symbol in self._books.spoilt:
            kind, _, depth = channel.partition("-")
            if depth:
                self._replies += _again_v1(kind, symbol, depth)
            else:
                levels = self._depths.get(symbol, DEPTH)
                self._replies += [_ask(method, kind, [symbol], depth=levels) for method in ("unsubscribe", "subscribe")]
        self._books.spoilt.clear()


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - public data need no key
    """Return a new conversation with Kraken, or with what stands in for it at `base_url`."""
    return KrakenFeed(base_url=base_url)


def _ask(method: str, channel: str, symbols: list[str], *, depth: int = DEPTH) -> str:
    params: dict[str, object] = {"channel": channel, "symbol": symbols}
    if method == "subscribe":
        params["snapshot"] = True
    if channel == "book":
        params["depth"] = depth
    elif channel == "ticker":
        params["event_trigger"] = "bbo"
    elif channel == "ohlc":
        params["interval"] = 1
    return msgspec.json.encode({"method": method, "params": params}).decode()


def _again_v1(kind: str, symbol: str, depth: str) -> list[Frame]:
    subscription = {"name": kind, "depth": int(depth)}
    return [
        msgspec.json.encode({"event": event, "pair": [symbol], "subscription": subscription}).decode()
        for event in ("unsubscribe", "subscribe")
    ]


def _told(said: _Said, frame: Frame) -> list[Tick]:
    """Return what is said of the connection, in either version."""
    if not said.success or said.status == "error" or said.event == "error":
        return [_refused(said)]
    if "heartbeat" in (said.channel, said.event) or "pong" in (said.method, said.event):
        return [Told(what="heartbeat")]
    if said.channel:
        return [Told(what="welcome", words=one.system[:LONGEST_SYMBOL]) for one in _STATUS.decode(frame).data]
    if said.event == "systemStatus":
        return [Told(what="welcome", words=said.status[:LONGEST_SYMBOL])]
    if said.result:
        return [Told(what=_done(said.method), words=f"{said.result.channel} {said.result.symbol}"[:LONGEST_SYMBOL])]
    return [Told(what=_done(said.status), words=f"{said.channel_name} {said.pair}"[:LONGEST_SYMBOL].strip())]


def _refused(said: _Said) -> Told:
    words = said.error or said.error_message or "no words"
    failure = by_words([words])
    told = f"{words} {said.symbol or said.pair}"[: LONGEST_TEXT + LONGEST_SYMBOL].strip()
    return refused(failure.failure_class if failure else FailureClass.PERMANENT, told)


def _done(word: str) -> str:
    return {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}.get(word, word[:LONGEST_SYMBOL] or "said")
