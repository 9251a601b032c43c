"""Tiingo's stream: stocks from IEX, coins and currencies, each at a path of its own, in rows without names."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from truetape.app.sandbox.streams.speaker import (
    UNREADABLE,
    WRONG_BY,
    Frame,
    Ground,
    Kind,
    Opening,
    Speaker,
    good,
    written,
)
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.pairs import is_fx
from truetape.domain.ticks import Quote, Trade
from truetape.domain.time import NANOSECONDS

SERVICES: Final = {"iex": "iex", "crypto": "crypto_data", "fx": "fx"}
ALL_OF_IT: Final = 0  # threshold levels
MOVES: Final = 5  # of stocks only quotes whose middle moved, of coins only trades
REFERENCE: Final = 6
TOLD: Final[dict[tuple[str, int], tuple[Kind, ...]]] = {  # by service and level
    ("iex", ALL_OF_IT): ("trades", "quotes"),
    ("iex", MOVES): ("quotes",),
    ("iex", REFERENCE): ("trades",),
    ("crypto", 2): ("trades", "quotes"),
    ("crypto", MOVES): ("trades",),
    ("fx", 7): ("quotes",),
}
NEW_YORK: Final = ZoneInfo("America/New_York")
UTC: Final = ZoneInfo("UTC")
SUBSCRIPTION: Final = 61
VENUE: Final = "sandbox"  # of coins


class _Data(msgspec.Struct):
    level: int | str | None = msgspec.field(default=None, name="thresholdLevel")
    tickers: list[str] = []


class _Asked(msgspec.Struct):
    event: str = msgspec.field(name="eventName")
    key: str = msgspec.field(default="", name="authorization")
    data: _Data = msgspec.field(default_factory=_Data, name="eventData")


_ASKED: Final = msgspec.json.Decoder(_Asked)


class TiingoSpeaker(Speaker):
    """Every frame of the client carries the key. Of tickers that nobody knows nothing is ever said."""

    provider = "tiingo"
    beat_s = 30.0
    garbage = '{"messageType":"A","service":"iex","data":["T",\x00]}'

    def __init__(self, opening: Opening, ground: Ground) -> None:
        """Begin at the service that the path names."""
        super().__init__(opening, ground)
        self._service = opening.path.partition("/")[0]
        self._level = -1
        self._middles: dict[str, float] = {}
        self._tickers = {self.spelled(symbol).lower(): symbol for symbol in ground.symbols}
        self.cancels = self._service == "iex"

    def hear(self, frame: Frame) -> list[Frame]:
        """Subscribe to tickers or leave them."""
        try:
            asked = _ASKED.decode(frame)
        except UNREADABLE:
            return [_info("E", 400, "Invalid JSON")]
        if not good(asked.key):
            return [_info("E", 401, "Invalid token")]
        if asked.event not in ("subscribe", "unsubscribe"):
            return [_info("E", 400, f"eventName {asked.event} not valid")]
        level = self._level if asked.data.level is None else _level(asked.data.level)
        if (self._service, level) not in TOLD:
            return [_info("E", 400, "thresholdLevel not valid")]
        self._level = level
        for symbol in self._meant(asked.data.tickers):
            for wanted in self.wanted.values():
                wanted.pop(symbol, None)
            for kind in TOLD[self._service, level] if asked.event == "subscribe" else ():
                self.wanted[kind][symbol] = None
        return [_info("I", 200, "Success", data={"subscriptionId": SUBSCRIPTION})]

    def beat(self) -> list[Frame]:
        """Return a heartbeat."""
        return [_info("H", 200, "HeartBeat")]

    def trade(self, event: Event, trade: Trade) -> list[Frame]:  # noqa: ARG002 - rows carry no number
        """Return a trade; of stocks at the level of references the price alone."""
        ticker = self.spelled(trade.symbol).lower()
        if self._service == "crypto":
            return [self._row(["T", ticker, _moment(trade.ts_event, UTC), VENUE, trade.size, trade.price])]
        if self._level == REFERENCE:
            return [self._row([_moment(trade.ts_event, NEW_YORK), ticker, trade.price])]
        return [self._row(_sale("T", ticker, trade.ts_event, price=trade.price, size=trade.size))]

    def cancelled(self, event: Event) -> list[Frame]:
        """Return a trade that never was, its break, and then what was."""
        trade = event.news
        assert isinstance(trade, Trade)
        ticker, wrong = self.spelled(trade.symbol).lower(), round(trade.price * WRONG_BY, 4)
        rows = [_sale(letter, ticker, trade.ts_event, price=wrong, size=trade.size) for letter in ("T", "B")]
        return [*(self._row(row) for row in rows), *self.say(event)]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:  # noqa: ARG002 - rows carry no number
        """Return the best prices with their middle."""
        ticker = self.spelled(quote.symbol).lower()
        bid, ask = quote.bid or 0.0, quote.ask or 0.0
        middle = round((bid + ask) / 2, 8)
        if self._service == "iex":
            moved = self._middles.get(ticker) != middle
            self._middles[ticker] = middle
            known = [quote.bid_size, bid, middle, ask, quote.ask_size]
            at = quote.ts_event
            row = ["Q", _moment(at, NEW_YORK), at, ticker, *known, None, None, 0, 0, 0, None, None]
            return [self._row(row)] if moved or self._level == ALL_OF_IT else []
        venue = [VENUE] if self._service == "crypto" else []
        known = [quote.bid_size, bid, middle, quote.ask_size, ask]
        return [self._row(["Q", ticker, _moment(quote.ts_event, UTC), *venue, *known])]

    def _meant(self, tickers: list[str]) -> list[str]:
        found = [self._tickers[one.lower()] for one in tickers if one.lower() in self._tickers]
        return [symbol for symbol in found if _service(symbol) == self._service]

    def _row(self, row: list[Any]) -> str:
        return written({"messageType": "A", "service": SERVICES[self._service], "data": row})


def _service(symbol: str) -> str:
    if "/" in symbol:
        return "fx" if is_fx(symbol) else "crypto"
    return "" if symbol.startswith("^") else "iex"


def _sale(letter: str, ticker: str, at: int, *, price: float, size: float) -> list[Any]:
    return [letter, _moment(at, NEW_YORK), at, ticker, *[None] * 5, price, size, 0, 0, 0, 0, 0]


def _level(level: int | str) -> int:
    text = str(level)
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 else -1


def _moment(instant: int, zone: ZoneInfo) -> str:
    """Return `instant` in ISO 8601 with nine decimals and the offset of `zone`."""
    seconds, rest = divmod(instant, NANOSECONDS)
    text = datetime.fromtimestamp(seconds, zone).isoformat()
    return f"{text[:19]}.{rest:09d}{text[19:]}"


def _info(kind: str, code: int, words: str, *, data: dict[str, Any] | None = None) -> str:
    said = {"messageType": kind, "response": {"code": code, "message": words}}
    return written(said if data is None else {**said, "data": data})


SPEAKER: Final = TiingoSpeaker
