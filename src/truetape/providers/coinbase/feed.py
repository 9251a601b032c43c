"""Coinbase Exchange's stream: numbered trades, best prices, and books."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from truetape.domain.book import Book, levels
from truetape.domain.conversation import Conversation, portions, refused
from truetape.domain.failures import FailureClass
from truetape.domain.instants import instant
from truetape.domain.ticks import Depth, Quote, Tick, Told, Trade
from truetape.domain.tracks import Track
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.coinbase import frames

HOME: Final = "coinbase.com"
STREAM: Final = "wss://ws-feed.exchange.coinbase.com"
CHANNELS: Final = {"trades": "matches", "quotes": "ticker", "book": "level2_batch"}
BOOKS: Final = "level2"
AGGRESSOR: Final = {"sell": "buy", "buy": "sell"}  # by the side of the order that was waiting
MOST_BOOKS: Final = 500
KEPT_LEVELS: Final = 10_000

_BY_WORDS: Final = {
    "rate limit": FailureClass.THROTTLED,
    "too many": FailureClass.THROTTLED,
    "slow": FailureClass.TRANSIENT,
    "internal": FailureClass.TRANSIENT,
    "authentic": FailureClass.AUTH,
    "permission": FailureClass.ENTITLEMENT,
}


class CoinbaseFeed(Conversation):
    """One connection to Coinbase Exchange."""

    manners = Manners(silent_s=15.0, symbols_per_frame=100, frames_per_second=8.0)
    ready = True

    def __init__(self, *, base_url: str = "") -> None:
        """Begin a conversation at `base_url`."""
        super().__init__()
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._kept = 0
        self._says: dict[type, Callable[[Any, int], list[Tick]]] = {
            frames.Match: self._match,
            frames.LastMatch: self._match,
            frames.Ticker: self._ticker,
            frames.Snapshot: self._snapshot,
            frames.Update: self._update,
            frames.Heartbeat: self._heartbeat,
            frames.Subscriptions: _subscribed,
            frames.Error: _refused,
        }

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - one place for all
        """Return the stream's address."""
        return Endpoint(url=self._root)

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        """Return the subscriptions; heartbeats are always among them."""
        named = [*(CHANNELS[channel] for channel in channels if channel in CHANNELS), "heartbeat"]
        return [
            msgspec.json.encode({"type": "subscribe", "product_ids": part, "channels": named}).decode()
            for part in portions(symbols, self.manners.symbols_per_frame)
        ]

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:
        """Return what one frame says."""
        message = frames.read(frame)
        return [] if message is None else self._says[type(message)](message, ts_known)

    def _match(self, message: frames.Match, ts_known: int) -> list[Tick]:
        trade = Trade(
            symbol=message.product_id,
            ts_event=instant(message.time),
            price=message.price,
            size=message.size,
            trade_id=str(message.trade_id),
            side=AGGRESSOR.get(message.side, ""),
            channel="matches",
        )
        return self._tracks.trade(trade, number=message.trade_id, ts_known=ts_known)

    def _ticker(self, message: frames.Ticker, ts_known: int) -> list[Tick]:
        track = self._tracks.of("ticker", message.product_id)
        track.messages += 1
        if message.sequence and message.sequence <= track.last:
            track.stale += 1
            return []
        track.last = message.sequence
        quote = Quote(
            symbol=message.product_id,
            ts_event=instant(message.time) if message.time else ts_known,
            bid=message.best_bid,
            bid_size=message.best_bid_size,
            ask=message.best_ask,
            ask_size=message.best_ask_size,
            price=message.price,
            volume=message.volume_24h,
            channel="ticker",
        )
        return [quote]

    def _snapshot(self, message: frames.Snapshot, ts_known: int) -> list[Tick]:
        track = self._tracks.of(BOOKS, message.product_id)
        track.messages += 1
        if track.book is None and self._kept < MOST_BOOKS:
            self._kept += 1
            track.book = Book(depth=KEPT_LEVELS)
        if track.book is None:
            track.stale += 1
            return []
        bids, asks = levels(message.bids), levels(message.asks)
        track.book.replace(message.bids, message.asks)
        track.since = ts_known
        depth = Depth(
            symbol=message.product_id,
            ts_event=ts_known,
            bids=bids,
            asks=asks,
            snapshot=True,
            channel=BOOKS,
        )
        return [depth]

    def _update(self, message: frames.Update, ts_known: int) -> list[Tick]:
        track = self._tracks.of(BOOKS, message.product_id)
        track.messages += 1
        at = instant(message.time) if message.time else ts_known
        if track.book is None:
            track.stale += 1
            return []
        bids = [(price, quantity) for side, price, quantity in message.changes if side == "buy"]
        asks = [(price, quantity) for side, price, quantity in message.changes if side == "sell"]
        depth = Depth(symbol=message.product_id, ts_event=at, bids=levels(bids), asks=levels(asks), channel=BOOKS)
        track.book.change(bids, asks)
        track.since = at
        return [depth]

    def _heartbeat(self, message: frames.Heartbeat, ts_known: int) -> list[Tick]:
        told = Told(what="heartbeat")
        key = ("matches", message.product_id)
        track: Track | None = self._tracks.get(key)
        expected = track.last + 1 if track else 0
        if track is None or not track.behind(message.last_trade_id):
            return [told]
        words = f"trades {expected} to {message.last_trade_id} were made and did not come"
        return [track.gap(key, ts_known=ts_known, words=words), told]


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - public data need no key
    """Return a new conversation with Coinbase Exchange, or with what stands in for it at `base_url`."""
    return CoinbaseFeed(base_url=base_url)


def _subscribed(message: frames.Subscriptions, ts_known: int) -> list[Tick]:  # noqa: ARG001 - it has no time
    return [Told(what="subscribed", words=", ".join(channel.name for channel in message.channels[:10]))]


def _refused(message: frames.Error, ts_known: int) -> list[Tick]:  # noqa: ARG001 - it has no time
    words = f"{message.message}: {message.reason}" if message.reason else message.message
    found = (failure for known, failure in _BY_WORDS.items() if known in words.lower())
    return [refused(next(found, FailureClass.PERMANENT), words or "no words")]
