"""Kraken's stream, version 2: trades, tickers, minutes, and books with the exchange's checksum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from truetape.app.sandbox.coins import price
from truetape.app.sandbox.intraday import Hours, around_the_clock
from truetape.app.sandbox.streams.speaker import UNREADABLE, Frame, Kind, Speaker, written
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.book import Book
from truetape.domain.ticks import Bar, Depth, Level, Quote, Trade
from truetape.domain.time import iso

CHANNELS: Final[dict[str, Kind]] = {"trade": "trades", "ticker": "quotes", "ohlc": "bars", "book": "book"}
DEPTHS: Final = (10, 25, 100, 500, 1000)
METHODS: Final = ("subscribe", "unsubscribe")
CONNECTION: Final = 7  # the number of every connection


class _Params(msgspec.Struct):
    channel: str = ""
    symbol: list[str] = []
    snapshot: bool = True
    depth: int = 10
    interval: int = 1


class _Asked(msgspec.Struct):
    method: str
    params: _Params = msgspec.field(default_factory=_Params)
    req_id: int | None = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


class KrakenSpeaker(Speaker):
    """Numbers are JSON; the digits of books are those that the checksum counts."""

    provider = "kraken"
    beat_s = 1.0
    checks = True

    @staticmethod
    def hours(symbol: str) -> Hours:  # noqa: ARG004 - no pair closes
        """Return that the market never closes."""
        return around_the_clock

    def welcome(self) -> list[Frame]:
        """Return that the exchange is online."""
        data = {"system": "online", "api_version": "v2", "connection_id": CONNECTION, "version": "2.0.0"}
        return [written({"channel": "status", "type": "update", "data": [data]})]

    def beat(self) -> list[Frame]:
        """Return a heartbeat."""
        return [written({"channel": "heartbeat"})]

    def hear(self, frame: Frame) -> list[Frame]:
        """Subscribe, unsubscribe or answer a ping; each symbol is confirmed or refused by itself."""
        try:
            asked = _ASKED.decode(frame)
        except UNREADABLE:
            return [written({"error": "Malformed request", "success": False})]
        if asked.method == "ping":
            return [written({"method": "pong", "req_id": asked.req_id})]
        if asked.method not in METHODS:
            return [self._answer(asked, error="Method not supported")]
        return [said for symbol in asked.params.symbol for said in self._answered(asked, symbol)]

    def trade(self, event: Event, trade: Trade) -> list[Frame]:
        """Return a trade."""
        return [_message("trade", "update", self._trade(event, trade))]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:
        """Return a ticker."""
        return [_message("ticker", "update", self._ticker(event, quote))]

    def bar(self, event: Event, bar: Bar) -> list[Frame]:  # noqa: ARG002 - bars carry no number
        """Return a minute."""
        said = {
            "symbol": self.spelled(bar.symbol),
            **{name: _raw(getattr(bar, name)) for name in ("open", "high", "low", "close", "volume")},
            "interval_begin": iso(bar.ts_event),
            "interval": 1,
        }
        return [_message("ohlc", "update", said)]

    def depth(self, event: Event, depth: Depth) -> list[Frame]:
        """Return the changes of a book."""
        return [self._book(depth.symbol, depth.bids, depth.asks, at=event.at, how="update")]

    def spoilt(self, event: Event) -> list[Frame]:
        """Return the changes of a book with a checksum that is off by one."""
        news = event.news
        assert isinstance(news, Depth)
        return [self._book(news.symbol, news.bids, news.asks, at=event.at, how="update", off=1)]

    def _answered(self, asked: _Asked, spelled: str) -> list[Frame]:
        error = self._against(asked, spelled)
        if error:
            return [self._answer(asked, symbol=spelled, error=error)]
        channel, symbol = asked.params.channel, self._ours[spelled]
        listening = self.wanted[CHANNELS[channel]]
        if asked.method == "unsubscribe":
            del listening[symbol]
            return [self._answer(asked, symbol=spelled)]
        listening[symbol] = None
        return [self._answer(asked, symbol=spelled), *(self._opened(channel, symbol) if asked.params.snapshot else [])]

    def _against(self, asked: _Asked, spelled: str) -> str:
        """Return why a subscription is refused; "" if it is not."""
        params, symbol = asked.params, self.ours(spelled)
        if params.channel not in CHANNELS:
            return f"Subscription {params.channel} not supported"
        if symbol is None:
            return f"Currency pair not supported {spelled}"
        if params.channel == "book" and params.depth not in DEPTHS:
            return "Subscription depth not supported"
        if params.channel == "ohlc" and params.interval != 1:
            return "Subscription ohlc interval not supported"
        there = symbol in self.wanted[CHANNELS[params.channel]]
        known = {
            "subscribe": "Already subscribed" if there else "",
            "unsubscribe": "" if there else "Subscription Not Found",
        }
        return known[asked.method]

    def _answer(self, asked: _Asked, *, symbol: str = "", error: str = "") -> str:
        said: dict[str, Any] = {"method": asked.method, "success": not error}
        if error:
            said |= {"error": error} | ({"symbol": symbol} if symbol else {})
        else:
            said["result"] = {"channel": asked.params.channel, "symbol": symbol}
        return written(said if asked.req_id is None else {**said, "req_id": asked.req_id})

    def _opened(self, channel: str, symbol: str) -> list[Frame]:
        """Return what stands when a subscription begins: the whole book, the last ticker, the last trade."""
        standing = self.ground.standing(symbol)
        if channel == "book":
            bids, asks = standing.best()
            return [self._book(symbol, bids, asks, at=standing.at, how="snapshot")]
        event = {"ticker": standing.quote, "trade": standing.trade}.get(channel)
        if event is None:
            return []
        news = event.news
        said = self._trade(event, news) if isinstance(news, Trade) else self._ticker(event, news)
        return [_message(channel, "snapshot", said)]

    def _trade(self, event: Event, trade: Trade) -> dict[str, Any]:
        return {
            "symbol": self.spelled(trade.symbol),
            "side": trade.side,
            "price": _raw(trade.price),
            "qty": _raw(trade.size),
            "ord_type": "market",
            "trade_id": event.number,
            "timestamp": iso(trade.ts_event),
        }

    def _ticker(self, event: Event, quote: Any) -> dict[str, Any]:
        return {
            "symbol": self.spelled(quote.symbol),
            "bid": _raw(quote.bid),
            "bid_qty": _raw(quote.bid_size),
            "ask": _raw(quote.ask),
            "ask_qty": _raw(quote.ask_size),
            "last": _raw(quote.price),
            "volume": _raw(quote.volume),
            "timestamp": iso(event.at),
        }

    def _book(
        self, symbol: str, bids: Sequence[Level], asks: Sequence[Level], *, at: int, how: str, off: int = 0
    ) -> str:
        said = {
            "symbol": self.spelled(symbol),
            "bids": [_level(level) for level in bids],
            "asks": [_level(level) for level in asks],
            "checksum": (self._checksum(symbol) + off) % 2**32,
            "timestamp": iso(at),
        }
        return _message("book", how, said)

    def _checksum(self, symbol: str) -> int:
        whole = Book()
        whole.replace(
            *([(price(at), price(size)) for at, size in side] for side in self.ground.standing(symbol).best())
        )
        return whole.checksum()


def _message(channel: str, how: str, said: dict[str, Any]) -> str:
    return written({"channel": channel, "type": how, "data": [said]})


def _level(level: Level) -> dict[str, msgspec.Raw]:
    return {"price": _raw(level[0]), "qty": _raw(level[1])}


def _raw(value: float | None) -> msgspec.Raw:
    return msgspec.Raw(price(value).encode())


SPEAKER: Final = KrakenSpeaker
