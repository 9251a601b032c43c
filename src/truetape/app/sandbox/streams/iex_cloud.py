"""IEX Cloud's server-sent events: last trades, or the best prices with them; the address says what is told."""

from __future__ import annotations

from typing import Any, Final

from truetape.app.sandbox.streams.speaker import Frame, Ground, Kind, Opening, Speaker, good, written
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.instants import MILLISECOND
from truetape.domain.ticks import Quote, Trade

CHANNELS: Final[dict[str, Kind]] = {"last": "trades", "tops": "quotes"}
MOST_SYMBOLS: Final = 50  # of one connection
NEVER: Final = -1


class IexCloudSpeaker(Speaker):
    """Of symbols that nobody knows nothing is said, unless all are unknown."""

    provider = "iex_cloud"
    tells_events = True
    beat_s = 10.0
    garbage = '[{"symbol":"AAA","price":]'

    def __init__(self, opening: Opening, ground: Ground) -> None:
        """Begin with what the address asks for."""
        super().__init__(opening, ground)
        self._channel = opening.path.rpartition("/")[2]
        self._named = [symbol for symbol in opening.params.get("symbols", "").upper().split(",") if symbol]
        for symbol in filter(None, map(self.ours, self._named)):
            self.wanted[CHANNELS.get(self._channel, "trades")][symbol] = None

    def turned_away(self) -> tuple[int, str] | None:
        """Refuse a wrong token, an unknown channel, no symbols, too many, or none that is known."""
        if not good(self.opening.params.get("token", "")):
            return 401, "An API key is required to access this data and no key was provided"
        if self._channel not in CHANNELS:
            return 404, "Not Found"
        if not self._named or len(self._named) > MOST_SYMBOLS:
            return 400, "Invalid values were supplied for the API request"
        return None if self.symbols else (404, "Unknown symbol")

    def welcome(self) -> list[Frame]:
        """Return how things stand, unless the client wants to know only what follows."""
        if self.opening.params.get("nosnapshot") == "true":
            return []
        standings = [self.ground.standing(symbol) for symbol in self.symbols]
        events = [one.trade if self._channel == "last" else one.quote for one in standings]
        rows = [self._row(event) for event in events if event]
        return [written(rows)] if rows else []

    def hear(self, frame: Frame) -> list[Frame]:  # noqa: ARG002 - events go one way
        """Return nothing: a client cannot speak."""
        return []

    def beat(self) -> list[Frame]:
        """Return a comment."""
        return [": keep-alive\n\n"]

    def trade(self, event: Event, trade: Trade) -> list[Frame]:  # noqa: ARG002 - the event has it
        """Return a last trade."""
        return [written([self._row(event)])]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:  # noqa: ARG002 - the event has it
        """Return the best prices with the last trade."""
        return [written([self._row(event)])]

    def _row(self, event: Event) -> dict[str, Any]:
        news = event.news
        spelled, at = self.spelled(news.symbol), event.at // MILLISECOND
        if isinstance(news, Trade):
            return {"symbol": spelled, "price": news.price, "size": news.size, "time": at, "seq": event.number}
        assert isinstance(news, Quote)
        last = self.ground.standing(news.symbol).trade
        trade = last.news if last and isinstance(last.news, Trade) else None
        return {
            "symbol": spelled,
            "bidPrice": news.bid,
            "bidSize": news.bid_size,
            "askPrice": news.ask,
            "askSize": news.ask_size,
            "lastUpdated": at,
            "lastSalePrice": trade.price if trade else 0,
            "lastSaleSize": trade.size if trade else 0,
            "lastSaleTime": trade.ts_event // MILLISECOND if trade else NEVER,
            "volume": news.volume,
            "seq": event.number,
        }


SPEAKER: Final = IexCloudSpeaker
