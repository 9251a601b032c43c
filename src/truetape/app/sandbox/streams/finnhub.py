"""Finnhub's stream: trades of shares and coins; of currencies prices alone."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.app.sandbox.streams.speaker import UNREADABLE, Frame, Speaker, good, written
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.instants import MILLISECOND
from truetape.domain.pairs import is_fx
from truetape.domain.ticks import Trade

MOST_SYMBOLS: Final = 50  # of a free key


class _Asked(msgspec.Struct):
    type: str
    symbol: str = ""


_ASKED: Final = msgspec.json.Decoder(_Asked)


class FinnhubSpeaker(Speaker):
    """Subscriptions are not confirmed."""

    provider = "finnhub"
    beat_s = 30.0
    garbage = '{"type":"trade","data":[{"s":\x00]}'

    def turned_away(self) -> tuple[int, str] | None:
        """Refuse a connection without a good key."""
        return None if good(self.opening.params.get("token", "")) else (401, "Invalid API key")

    def hear(self, frame: Frame) -> list[Frame]:
        """Subscribe to a symbol or leave it."""
        try:
            asked = _ASKED.decode(frame)
        except UNREADABLE:
            return [_refused("Invalid message")]
        symbol, listening = self.ours(asked.symbol), self.wanted["trades"]
        if asked.type not in ("subscribe", "unsubscribe"):
            return [_refused(f"Invalid message type {asked.type}")]
        if symbol is None:
            return [_refused(f"Invalid symbol {asked.symbol}")]
        if asked.type == "unsubscribe":
            listening.pop(symbol, None)
            return []
        if len({*listening, symbol}) > MOST_SYMBOLS:
            return [_refused("Subscribing to too many symbols")]
        listening[symbol] = None
        return []

    def beat(self) -> list[Frame]:
        """Return a ping."""
        return [written({"type": "ping"})]

    def trade(self, event: Event, trade: Trade) -> list[Frame]:
        """Return a trade; of currencies a price without a size."""
        row = {"c": None, "p": trade.price, "s": self.spelled(trade.symbol), "t": event.at // MILLISECOND}
        return [written({"data": [{**row, "v": 0 if is_fx(trade.symbol) else trade.size}], "type": "trade"})]


def _refused(words: str) -> str:
    return written({"type": "error", "msg": words})


SPEAKER: Final = FinnhubSpeaker
