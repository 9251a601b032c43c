"""Binance's stream: trades, best prices, bars, and books whose updates are joined to a snapshot of REST."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from truetape.domain.asks import Request
from truetape.domain.book import Book, Chain, Update, levels
from truetape.domain.conversation import Conversation, portions, refused
from truetape.domain.failures import FailureClass
from truetape.domain.instants import MILLISECOND
from truetape.domain.ticks import Bar, Depth, Quote, Tick, Told, Trade
from truetape.domain.tracks import Track
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.binance import frames

HOME: Final = "binance.com"
STREAM: Final = "wss://stream.binance.com:9443"
REST: Final = "https://api.binance.com"
CHANNELS: Final = {"trades": "trade", "quotes": "bookTicker", "bars": "kline_1m", "book": "depth@100ms"}
SNAPSHOT_LEVELS: Final = 1_000  # of one side; more would weigh more
KEPT_LEVELS: Final = 5_000
MOST_BOOKS: Final = 1_024  # streams of one connection
TIMEFRAMES: Final = {"1M": "1mo"}  # where ours differ

_DEPTH_URL: Final = re.compile(r"/depth\?(?:.*&)?symbol=([A-Za-z0-9_-]{1,64})(?:&|$)")
_BY_CODE: Final = {
    -1000: FailureClass.TRANSIENT,
    -1001: FailureClass.TRANSIENT,
    -1003: FailureClass.THROTTLED,
    -1007: FailureClass.TRANSIENT,
    -1008: FailureClass.TRANSIENT,
    -1015: FailureClass.THROTTLED,
}
_AGAIN: Final = (FailureClass.TRANSIENT, FailureClass.THROTTLED)


class BinanceFeed(Conversation):
    """One connection to Binance's combined streams."""

    manners = Manners(silent_s=60.0, symbols_per_frame=50, frames_per_second=4.0, symbols=250, lives_s=86_400.0)
    ready = True

    def __init__(self, *, base_url: str = "") -> None:
        """Begin a conversation at `base_url`; snapshots are asked for at the same place over REST."""
        super().__init__(symbols=self.manners.symbols)
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._rest = base_url.rstrip("/").removesuffix("/api/v3") if base_url.startswith("http") else REST
        self._chains: dict[str, Chain] = {}
        self._said = 0
        self._reads: dict[str, Callable[[msgspec.Raw | Frame, int], list[Tick]]] = {
            "trade": self._trade,
            "aggTrade": self._agg_trade,
            "bookTicker": _best,
            "kline": _bar,
            "depthUpdate": self._depth,
        }

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - one place for all
        """Return the address of the combined streams."""
        return Endpoint(url=f"{self._root}/stream")

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        """Return the subscriptions, numbered."""
        named = [CHANNELS[channel] for channel in channels if channel in CHANNELS]
        said: list[Frame] = []
        for part in portions(symbols, self.manners.symbols_per_frame):
            self._said += 1
            params = [f"{symbol.lower()}@{name}" for symbol in part for name in named]
            said.append(msgspec.json.encode({"method": "SUBSCRIBE", "params": params, "id": self._said}).decode())
        return said

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:
        """Return what one frame says, in an envelope or without."""
        said = frames.ENVELOPE.decode(frame)
        if said.stream:
            read = self._reads.get(_kind(said.stream))
            return read(said.data, ts_known) if read else _closing(said.stream)
        if said.e or said.u is not None:
            read = self._reads.get(said.e or "bookTicker")
            return read(frame, ts_known) if read else _closing(said.e)
        if said.error is not None:
            return [_refused(said.error.code, said.error.msg)]
        if said.code is not None:
            return [_refused(said.code, said.msg)]
        return [Told(what="subscribed", words=str(said.id)[:64])]

    def answered(self, url: str, body: bytes, ts_known: int) -> list[Tick]:
        """Return the book that a snapshot and the updates waiting for it make."""
        found = _DEPTH_URL.search(url)
        if found is None:
            return []
        symbol = found[1].upper()
        said = frames.DEPTH_SNAPSHOT.decode(body)
        track = self._tracks.of("depth", symbol)
        if said.last is None:
            told = _refused(said.code or 0, said.msg)
            if told.failure and told.failure.failure_class in _AGAIN:
                self._want(symbol)
            return [told]
        chain = self._chain(symbol, track)
        levels((*said.bids, *said.asks))
        joined = chain.join(said.last, said.bids, said.asks)
        track.stale = chain.stale
        if joined is None:
            self._want(symbol)
            return []
        at = joined[-1].ts_event if joined else ts_known
        track.since = at
        return [_whole(symbol, chain.book, at)]

    def _depth(self, data: msgspec.Raw | Frame, ts_known: int) -> list[Tick]:
        news = frames.DEPTH_UPDATE.decode(data)
        at = news.E * MILLISECOND
        symbol, bids, asks = news.s, levels(news.b), levels(news.a)
        track = self._tracks.of("depth", symbol)
        track.messages += 1
        chain = self._chain(symbol, track)
        begun, held, dropped = bool(chain.waiting), chain.last, chain.stale
        went_on = chain.follow(Update(news.U, news.u, at, news.b, news.a))
        track.stale = chain.stale
        if held < 0:
            if not begun:
                self._want(symbol)
            return []
        if not went_on:
            self._want(symbol)
            words = f"update {held + 1} was expected and {news.U} came"
            return [track.gap(("depth", symbol), ts_known=ts_known, words=words)]
        if chain.stale > dropped:
            return []
        track.since = at
        return [Depth(symbol=symbol, ts_event=at, bids=bids, asks=asks, channel="depth")]

    def _chain(self, symbol: str, track: Track) -> Chain:
        found = self._chains.get(symbol)
        if found is None:
            found = Chain(Book(depth=KEPT_LEVELS))
            if len(self._chains) < MOST_BOOKS:
                self._chains[symbol] = found
                track.book = found.book
        return found

    def _want(self, symbol: str) -> None:
        if symbol in self._chains:
            url = f"{self._rest}/api/v3/depth?symbol={symbol}&limit={SNAPSHOT_LEVELS}"
            self._wanted.append(Request(url=url))

    def _trade(self, data: msgspec.Raw | Frame, ts_known: int) -> list[Tick]:
        news = frames.TRADE.decode(data)
        return self._tracks.trade(_fill("trade", news, news.t), number=news.t, ts_known=ts_known)

    def _agg_trade(self, data: msgspec.Raw | Frame, ts_known: int) -> list[Tick]:
        news = frames.AGG_TRADE.decode(data)
        return self._tracks.trade(_fill("aggTrade", news, news.a), number=news.a, ts_known=ts_known)


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - public data need no key
    """Return a new conversation with Binance, or with what stands in for it at `base_url`."""
    return BinanceFeed(base_url=base_url)


def _kind(stream: str) -> str:
    name = stream.split("@", 2)[1] if "@" in stream else stream
    if name.startswith("kline_"):
        return "kline"
    return "depthUpdate" if name == "depth" else name


def _closing(name: str) -> list[Tick]:
    return [Told(what="closing", words=name)] if name == "serverShutdown" else []


def _refused(code: int, words: str) -> Told:
    return refused(_BY_CODE.get(code, FailureClass.PERMANENT), f"{code}: {words}")


def _whole(symbol: str, book: Book, ts_event: int) -> Depth:
    return Depth(
        symbol=symbol,
        ts_event=ts_event,
        bids=levels(book.bids.best(KEPT_LEVELS)),
        asks=levels(book.asks.best(KEPT_LEVELS)),
        snapshot=True,
        channel="depth",
    )


def _fill(channel: str, news: frames.Trade | frames.AggTrade, trade_id: int) -> Trade:
    return Trade(
        symbol=news.s,
        ts_event=news.T * MILLISECOND,
        price=news.p,
        size=news.q,
        trade_id=str(trade_id),
        side="sell" if news.m else "buy",
        channel=channel,
    )


def _best(data: msgspec.Raw | Frame, ts_known: int) -> list[Tick]:
    news = frames.BOOK_TICKER.decode(data)
    at = ts_known if news.E is None else news.E * MILLISECOND
    quote = Quote(
        symbol=news.s, ts_event=at, bid=news.b, bid_size=news.B, ask=news.a, ask_size=news.A, channel="bookTicker"
    )
    return [quote]


def _bar(data: msgspec.Raw | Frame, ts_known: int) -> list[Tick]:  # noqa: ARG001 - read as all the others are
    news = frames.KLINE.decode(data)
    bar = news.k
    return [
        Bar(
            symbol=news.s,
            timeframe=TIMEFRAMES.get(bar.i, bar.i),
            ts_event=bar.t * MILLISECOND,
            open=bar.o,
            high=bar.h,
            low=bar.l,
            close=bar.c,
            volume=bar.v,
            running=not bar.x,
            channel=f"kline_{bar.i}",
        )
    ]
