"""Binance's streams: trades, best prices, minutes, and books whose updates are joined to a snapshot over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from truetape.app.sandbox.coins import price
from truetape.app.sandbox.intraday import MINUTE_NS, Hours, around_the_clock
from truetape.app.sandbox.streams.speaker import UNREADABLE, Frame, Ground, Kind, Opening, Speaker, written
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.instants import MILLISECOND
from truetape.domain.ticks import Bar, Depth, Level, Quote, Trade

STREAMS: Final[dict[str, Kind]] = {
    "trade": "trades",
    "aggTrade": "trades",
    "bookTicker": "quotes",
    "kline_1m": "bars",
    "depth": "book",
    "depth@100ms": "book",
}
MOST_STREAMS: Final = 1_024  # of one connection
METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
RAW: Final = "ws"  # the path whose news stand in no envelope


class _Asked(msgspec.Struct):
    method: str
    params: list[str] = []
    id: int | str | None = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


class BinanceSpeaker(Speaker):
    """Names that nobody knows are taken, and nothing is ever said of them."""

    provider = "binance"
    beside = ("/api/v3/depth",)

    def __init__(self, opening: Opening, ground: Ground) -> None:
        """Begin with the streams that the address names."""
        super().__init__(opening, ground)
        self._named: dict[str, None] = {}
        head, _, raw = opening.path.partition("/")
        self._enveloped = head != RAW
        self._take(opening.params.get("streams", "").split("/") if self._enveloped else raw.split("/"))

    @staticmethod
    def hours(symbol: str) -> Hours:  # noqa: ARG004 - no pair closes
        """Return that the market never closes."""
        return around_the_clock

    def hear(self, frame: Frame) -> list[Frame]:
        """Subscribe, unsubscribe or list what is subscribed to."""
        try:
            asked = _ASKED.decode(frame)
        except msgspec.ValidationError as error:
            return [_refused(2, f"Invalid request: {error}", None)]
        except UNREADABLE:
            return [_refused(3, "Invalid JSON: expected value at line 1 column 1", None)]
        words = self._against(asked)
        if words:
            return [_refused(2, f"Invalid request: {words}", asked.id)]
        if asked.method == "LIST_SUBSCRIPTIONS":
            return [written({"result": list(self._named), "id": asked.id})]
        (self._take if asked.method == "SUBSCRIBE" else self._leave)(asked.params)
        return [written({"result": None, "id": asked.id})]

    def trade(self, event: Event, trade: Trade) -> list[Frame]:
        """Return a trade, and the same as an aggregated one; `m` says that the buyer waited."""
        at = trade.ts_event // MILLISECOND
        known = {
            "E": at,
            "s": self.spelled(trade.symbol),
            "p": price(trade.price),
            "q": price(trade.size),
            "T": at,
            "m": trade.side == "sell",
            "M": True,
        }
        number = event.number
        return [
            *self._said(trade.symbol, "trade", {"e": "trade", "t": number, **known}),
            *self._said(trade.symbol, "aggTrade", {"e": "aggTrade", "a": number, "f": number, "l": number, **known}),
        ]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:
        """Return the best prices, which have no time."""
        said = {
            "u": event.number,
            "s": self.spelled(quote.symbol),
            "b": price(quote.bid),
            "B": price(quote.bid_size),
            "a": price(quote.ask),
            "A": price(quote.ask_size),
        }
        return self._said(quote.symbol, "bookTicker", said)

    def bar(self, event: Event, bar: Bar) -> list[Frame]:
        """Return a minute that is closed."""
        spelled, starts = self.spelled(bar.symbol), bar.ts_event // MILLISECOND
        prices = {letter: price(getattr(bar, name)) for letter, name in zip("ohlcv", _VALUES, strict=True)}
        ends = starts + MINUTE_NS // MILLISECOND - 1
        minute = {"t": starts, "T": ends, "s": spelled, "i": "1m", "x": True, **prices}
        said = {"e": "kline", "E": event.at // MILLISECOND, "s": spelled, "k": minute}
        return self._said(bar.symbol, "kline_1m", said)

    def depth(self, event: Event, depth: Depth) -> list[Frame]:
        """Return the changes of a book; each change has one number."""
        said = {
            "e": "depthUpdate",
            "E": event.at // MILLISECOND,
            "s": self.spelled(depth.symbol),
            "U": event.number,
            "u": event.number,
            "b": _texts(depth.bids),
            "a": _texts(depth.asks),
        }
        return [*self._said(depth.symbol, "depth@100ms", said), *self._said(depth.symbol, "depth", said)]

    def about(self, params: Mapping[str, str]) -> str | None:
        """Return whose book is asked for."""
        return self.ours(params.get("symbol", ""))

    def answer(self, params: Mapping[str, str]) -> tuple[int, bytes]:
        """Return the whole book as it stands."""
        symbol = self.about(params)
        if symbol is None:
            return 400, msgspec.json.encode({"code": -1121, "msg": "Invalid symbol."})
        standing = self.ground.standing(symbol)
        bids, asks = standing.best()
        book = {"lastUpdateId": standing.number, "bids": _texts(bids), "asks": _texts(asks)}
        return 200, msgspec.json.encode(book)

    def _against(self, asked: _Asked) -> str:
        """Return why a frame is refused; "" if it is not."""
        if asked.method not in METHODS[:3]:
            return f"unknown variant {asked.method}, expected one of {', '.join(METHODS)}"
        if any("@" not in name for name in asked.params):
            return "invalid stream"
        return "too many parameters" if len({*self._named, *asked.params}) > MOST_STREAMS else ""

    def _take(self, names: list[str]) -> None:
        for name in names:
            symbol, kind = self._meant(name)
            if symbol and kind:
                self.wanted[kind][symbol] = None
            if name:
                self._named[name] = None

    def _leave(self, names: list[str]) -> None:
        for name in names:
            self._named.pop(name, None)
        left = {self._meant(name) for name in names} - {self._meant(name) for name in self._named}
        for symbol, kind in left:
            if symbol and kind:
                self.wanted[kind].pop(symbol, None)

    def _meant(self, name: str) -> tuple[str | None, Kind | None]:
        spelled, _, stream = name.partition("@")
        return self.ours(spelled.upper()), STREAMS.get(stream)

    def _said(self, symbol: str, stream: str, data: dict[str, Any]) -> list[Frame]:
        name = f"{self.spelled(symbol).lower()}@{stream}"
        if name not in self._named:
            return []
        return [written({"stream": name, "data": data} if self._enveloped else data)]


_VALUES: Final = ("open", "high", "low", "close", "volume")


def _refused(code: int, words: str, number: int | str | None) -> str:
    return written({"error": {"code": code, "msg": words}, "id": number})


def _texts(levels: list[Level] | tuple[Level, ...]) -> list[tuple[str, str]]:
    return [(price(at), price(size)) for at, size in levels]


SPEAKER: Final = BinanceSpeaker
