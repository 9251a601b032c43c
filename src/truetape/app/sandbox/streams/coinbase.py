"""Coinbase Exchange's stream: matches, tickers, books and heartbeats of products."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from truetape.app.sandbox.coins import price
from truetape.app.sandbox.intraday import MINUTE_NS, TRADES_PER_MINUTE, Hours, around_the_clock
from truetape.app.sandbox.streams.speaker import UNREADABLE, Frame, Kind, Speaker, written
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.ticks import Depth, Level, Quote, Trade
from truetape.domain.time import iso

CHANNELS: Final[dict[str, Kind]] = {"matches": "trades", "ticker": "quotes", "level2_batch": "book"}
LOCKED: Final = ("level2", "level3", "full", "user")
BEATS: Final = "heartbeat"
WAITED: Final = {"buy": "sell", "sell": "buy"}  # the side of the order that was waiting, by the aggressor's


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class _Asked(msgspec.Struct):
    type: str
    product_ids: list[str] = []
    channels: list[str | _Channel] = []


_ASKED: Final = msgspec.json.Decoder(_Asked)


class CoinbaseSpeaker(Speaker):
    """Matches are numbered from 1 with a product's first day on, as the desk numbers trades."""

    provider = "coinbase"
    beat_s = 1.0

    def __init__(self, *args: Any) -> None:
        """Begin with nothing asked for."""
        super().__init__(*args)
        self._beating: dict[str, None] = {}

    @staticmethod
    def hours(symbol: str) -> Hours:  # noqa: ARG004 - no product closes
        """Return that the market never closes."""
        return around_the_clock

    def hear(self, frame: Frame) -> list[Frame]:
        """Subscribe to channels or leave them; unknown products and channels, and locked ones, are refused."""
        try:
            asked = _ASKED.decode(frame)
        except UNREADABLE:
            return [_refused("Malformed JSON")]
        if asked.type not in ("subscribe", "unsubscribe"):
            return [_refused("Failed to subscribe", f"{asked.type} is not a valid type")]
        pairs = [
            (one, product) if isinstance(one, str) else (one.name, product)
            for one in asked.channels
            for product in (asked.product_ids if isinstance(one, str) else one.product_ids or asked.product_ids)
        ]
        for channel, product in pairs:
            reason = self._against(channel, product)
            if reason:
                return [_refused("Failed to subscribe", reason)]
        if not pairs:
            return [_refused("Failed to subscribe", "No channels and products were given")]
        return self._taken(asked.type, pairs)

    def beat(self) -> list[Frame]:
        """Return the number of the last trade of each product that heartbeats were asked for."""
        return [
            written(
                {
                    "type": BEATS,
                    "sequence": standing.quote.number if standing.quote else 0,
                    "last_trade_id": self._number(standing.trade) if standing.trade else 0,
                    "product_id": self.spelled(symbol),
                    "time": iso(standing.at),
                }
            )
            for symbol, standing in ((symbol, self.ground.standing(symbol)) for symbol in self._beating)
        ]

    def trade(self, event: Event, trade: Trade, *, name: str = "match") -> list[Frame]:
        """Return a match; its side is that of the order that was waiting."""
        said = {
            "type": name,
            "trade_id": self._number(event),
            "maker_order_id": _order(event.number, 1),
            "taker_order_id": _order(event.number, 2),
            "side": WAITED[trade.side],
            "size": price(trade.size),
            "price": price(trade.price),
            "product_id": self.spelled(trade.symbol),
            "sequence": event.number,
            "time": iso(trade.ts_event),
        }
        return [written(said)]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:
        """Return a ticker."""
        said = {
            "type": "ticker",
            "sequence": event.number,
            "product_id": self.spelled(quote.symbol),
            "price": price(quote.price),
            "volume_24h": price(quote.volume),
            "best_bid": price(quote.bid),
            "best_bid_size": price(quote.bid_size),
            "best_ask": price(quote.ask),
            "best_ask_size": price(quote.ask_size),
            "time": iso(quote.ts_event),
        }
        return [written(said)]

    def depth(self, event: Event, depth: Depth) -> list[Frame]:  # noqa: ARG002 - changes carry no number
        """Return the changes of a book."""
        sides = (("buy", depth.bids), ("sell", depth.asks))
        changes = [[side, *level] for side, levels in sides for level in _texts(levels)]
        product = self.spelled(depth.symbol)
        return [
            written({"type": "l2update", "product_id": product, "changes": changes, "time": iso(depth.ts_event)}),
        ]

    def _against(self, channel: str, product: str) -> str:
        """Return why a subscription is refused; "" if it is not."""
        if channel in LOCKED:
            return f"{channel} requires authentication"
        if channel not in CHANNELS and channel != BEATS:
            return f"{channel} is not a valid channel"
        return "" if self.ours(product) else f"{product} is not a valid product"

    def _taken(self, how: str, pairs: list[tuple[str, str]]) -> list[Frame]:
        opened: list[Frame] = []
        for channel, product in pairs:
            symbol = self._ours[product]
            listening = self._beating if channel == BEATS else self.wanted[CHANNELS[channel]]
            if how == "unsubscribe":
                listening.pop(symbol, None)
            elif symbol not in listening:
                listening[symbol] = None
                opened += self._opened(channel, symbol)
        return [self._subscriptions(), *opened]

    def _subscriptions(self) -> str:
        named = {**{name: self.wanted[kind] for name, kind in CHANNELS.items()}, BEATS: self._beating}
        channels = [
            {"name": name, "product_ids": [self.spelled(symbol) for symbol in symbols]}
            for name, symbols in named.items()
            if symbols
        ]
        return written({"type": "subscriptions", "channels": channels})

    def _opened(self, channel: str, symbol: str) -> list[Frame]:
        """Return what is said first on a channel: the whole book, the last match, the last ticker."""
        standing = self.ground.standing(symbol)
        if channel == "level2_batch":
            bids, asks = standing.best()
            book = {"type": "snapshot", "product_id": self.spelled(symbol), "bids": _texts(bids), "asks": _texts(asks)}
            return [written(book)]
        if channel == "matches" and standing.trade and isinstance(standing.trade.news, Trade):
            return self.trade(standing.trade, standing.trade.news, name="last_match")
        return self.say(standing.quote) if channel == "ticker" and standing.quote else []

    def _number(self, event: Event) -> int:
        before = self.ground.first_day_ns(event.news.symbol) // MINUTE_NS * TRADES_PER_MINUTE - 1
        return event.number - before


def _refused(message: str, reason: str = "") -> str:
    return written(
        {"type": "error", "message": message, "reason": reason} if reason else {"type": "error", "message": message}
    )


def _texts(levels: list[Level] | tuple[Level, ...]) -> list[tuple[str, str]]:
    return [(price(at), price(size)) for at, size in levels]


def _order(number: int, which: int) -> str:
    digits = f"{number * 10 + which:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


SPEAKER: Final = CoinbaseSpeaker
