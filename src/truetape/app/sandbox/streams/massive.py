"""Massive's stream: stocks, crypto, currencies and indices, each at a path of its own."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.app.sandbox.intraday import MINUTE_NS
from truetape.app.sandbox.streams.speaker import UNREADABLE, Frame, Ground, Kind, Opening, Speaker, good, written
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.instants import MILLISECOND
from truetape.domain.pairs import is_fx
from truetape.domain.ticks import Bar, Quote, Trade

LETTERS: Final[dict[str, dict[str, Kind]]] = {
    "stocks": {"T": "trades", "Q": "quotes", "AM": "bars"},
    "crypto": {"XT": "trades", "XQ": "quotes", "XA": "bars"},
    "forex": {"C": "quotes", "CA": "bars"},
    "indices": {"V": "quotes", "AM": "bars"},
}
EVERYTHING: Final = "*"
LOT: Final = 100  # shares in one unit of a size of a stock's quote
LOTS_UNTIL_MS: Final = 1_762_128_000_000  # 2025-11-03
EXCHANGES: Final = {"stocks": 10, "crypto": 1, "forex": 48}
TAKERS: Final = {"sell": 1, "buy": 2}


class _Asked(msgspec.Struct):
    action: str
    params: str = ""


_ASKED: Final = msgspec.json.Decoder(_Asked)


class MassiveSpeaker(Speaker):
    """Symbols that nobody knows are taken, and nothing is ever said of them."""

    provider = "massive"
    garbage = '[{"ev":"T","sym":\x00]'

    def __init__(self, opening: Opening, ground: Ground) -> None:
        """Begin at the asset class that the path names."""
        super().__init__(opening, ground)
        self._place = opening.path.partition("/")[0]
        self._letters = LETTERS.get(self._place, {})
        self._topics = {_topic(symbol, self.spelled(symbol)): symbol for symbol in ground.symbols}
        self._known = False

    def welcome(self) -> list[Frame]:
        """Return that the client is connected."""
        return [_status("connected", "Connected Successfully")]

    def hear(self, frame: Frame) -> list[Frame]:
        """Authenticate, subscribe or unsubscribe; each topic is confirmed by itself."""
        try:
            asked = _ASKED.decode(frame)
        except UNREADABLE:
            return [_status("error", "invalid message")]
        if asked.action == "auth":
            self._known = good(asked.params)
            self.closing = not self._known
            return [
                _status(
                    *(("auth_success", "authenticated") if self._known else ("auth_failed", "authentication failed"))
                )
            ]
        if not self._known:
            return [_status("error", "not authorized")]
        if asked.action not in ("subscribe", "unsubscribe"):
            return [_status("error", f"unknown action: {asked.action}")]
        return [self._taken(asked.action, topic.strip()) for topic in asked.params.split(",") if topic.strip()]

    def trade(self, event: Event, trade: Trade) -> list[Frame]:
        """Return a trade of a stock or a coin."""
        known = {
            "p": trade.price,
            "s": trade.size,
            "t": event.at // MILLISECOND,
            "i": str(event.number),
            "x": EXCHANGES[self._place],
        }
        if self._place == "crypto":
            pair = trade.symbol.replace("/", "-")
            return [written([{"ev": "XT", "pair": pair, "c": [TAKERS[trade.side]], **known}])]
        return [written([{"ev": "T", "sym": self.spelled(trade.symbol), "z": 1, "q": event.number, **known}])]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:
        """Return the best prices of a stock, a coin or currencies, or the level of an index."""
        at = event.at // MILLISECOND
        if self._place == "indices":
            return [written([{"ev": "V", "T": self.spelled(quote.symbol), "val": quote.price, "t": at}])]
        exchange = EXCHANGES[self._place]
        if self._place == "forex":
            said = {"ev": "C", "p": quote.symbol, "x": exchange, "a": quote.ask, "b": quote.bid, "t": at}
            return [written([said])]
        lot = LOT if self._place == "stocks" and at < LOTS_UNTIL_MS else 1
        sizes = {"bs": (quote.bid_size or 0.0) / lot, "as": (quote.ask_size or 0.0) / lot}
        prices = {"bp": quote.bid, "ap": quote.ask, "t": at}
        if self._place == "crypto":
            return [written([{"ev": "XQ", "pair": quote.symbol.replace("/", "-"), "x": exchange, **prices, **sizes}])]
        known = {"sym": self.spelled(quote.symbol), "bx": exchange, "ax": exchange, "z": 1, "q": event.number}
        return [written([{"ev": "Q", **known, **prices, **sizes}])]

    def bar(self, event: Event, bar: Bar) -> list[Frame]:  # noqa: ARG002 - minutes carry no number
        """Return a minute."""
        whose = {"sym": self.spelled(bar.symbol)} if "AM" in self._letters else {"pair": self._pair(bar.symbol)}
        prices = {name[0]: getattr(bar, name) for name in ("open", "high", "low", "close", "volume")}
        starts = bar.ts_event // MILLISECOND
        letters = next(letters for letters, kind in self._letters.items() if kind == "bars")
        return [written([{"ev": letters, **whose, **prices, "s": starts, "e": starts + MINUTE_NS // MILLISECOND}])]

    def _pair(self, symbol: str) -> str:
        return symbol.replace("/", "-") if self._place == "crypto" else symbol

    def _taken(self, action: str, topic: str) -> str:
        letters, _, spelled = topic.partition(".")
        kind = self._letters.get(letters)
        if kind is None:
            return _status("error", f"not authorized to subscribe to: {topic}")
        for symbol in self._meant(spelled):
            if action == "subscribe":
                self.wanted[kind][symbol] = None
            else:
                self.wanted[kind].pop(symbol, None)
        return _status("success", f"{action}d to: {topic}")

    def _meant(self, spelled: str) -> list[str]:
        """Return the symbols of this asset class that a topic names, in our spelling."""
        found = [symbol for topic, symbol in self._topics.items() if spelled in (topic, EVERYTHING)]
        return [symbol for symbol in found if _place(symbol) == self._place]


def _status(status: str, words: str) -> str:
    return written([{"ev": "status", "status": status, "message": words}])


def _place(symbol: str) -> str:
    if "/" in symbol:
        return "forex" if is_fx(symbol) else "crypto"
    return "indices" if symbol.startswith("^") else "stocks"


def _topic(symbol: str, spelled: str) -> str:
    """Return how a topic names our `symbol`: pairs have a hyphen there."""
    return f"{spelled[:2]}{symbol.replace('/', '-')}" if "/" in symbol else spelled


SPEAKER: Final = MassiveSpeaker
