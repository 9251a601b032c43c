"""IEX Cloud's server-sent events: last trades, or the best prices of IEX with them. Retired, still spoken by others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from truetape.domain.conversation import Conversation, refused
from truetape.domain.fields import Number, Symbol
from truetape.domain.instants import LAST_NS, MILLISECOND
from truetape.domain.ticks import Quote, Tick, Trade
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.iex_cloud.classify import by_body

HOME: Final = "iexapis.com"
STREAM: Final = "https://cloud-sse.iexapis.com/stable"
SYMBOLS: Final = 50  # of one connection

_Milliseconds = Annotated[int, msgspec.Meta(ge=-1, le=LAST_NS // MILLISECOND)]  # -1: not today


class _Row(msgspec.Struct, gc=False):
    symbol: Symbol
    price: Number | None = None  # of a last trade, as are size and time
    size: Number = 0.0
    time: _Milliseconds = -1
    bid: Number | None = msgspec.field(default=None, name="bidPrice")
    bid_size: Number | None = msgspec.field(default=None, name="bidSize")
    ask: Number | None = msgspec.field(default=None, name="askPrice")
    ask_size: Number | None = msgspec.field(default=None, name="askSize")
    updated: _Milliseconds | None = msgspec.field(default=None, name="lastUpdated")
    sale: Number | None = msgspec.field(default=None, name="lastSalePrice")
    sale_size: Number | None = msgspec.field(default=None, name="lastSaleSize")
    sale_time: _Milliseconds | None = msgspec.field(default=None, name="lastSaleTime")
    volume: Number | None = None


_ROWS: Final = msgspec.json.Decoder(list[_Row])


class IexCloudFeed(Conversation):
    """One stream of events: what it tells is chosen by its address."""

    manners = Manners(silent_s=60.0, symbols_per_frame=SYMBOLS, symbols=SYMBOLS, at_connect=True)
    ready = True

    def __init__(self, *, base_url: str = "", key: str = "") -> None:
        """Begin a conversation at `base_url` with the token `key`."""
        super().__init__(symbols=SYMBOLS)
        root = heard_at(base_url, home=HOME, stream=STREAM)
        self._root = root.replace("ws", "http", 1) if root.startswith("ws") else root
        self._key = key
        self._trades = True

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:
        """Return the address that tells last trades alone, or the best prices with the last trade of each symbol."""
        self._trades = "trades" in channels
        channel = "tops" if "quotes" in channels else "last"
        return Endpoint(url=f"{self._root}/{channel}?symbols={','.join(symbols)}", secrets={"token": self._key})

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:  # noqa: ARG002 - see `endpoint`
        """Return nothing: the address says it all."""
        return []

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:
        """Return what one event says; plain words are a refusal."""
        body = frame if isinstance(frame, bytes) else frame.encode()
        failure = by_body(body)
        if failure is not None:
            return [refused(failure.failure_class, failure.words)]
        return [tick for row in _ROWS.decode(body) for tick in self._ticks(row, ts_known)]

    def _ticks(self, row: _Row, ts_known: int) -> list[Tick]:
        if row.price is not None:
            return [_trade(row.symbol, "last", row.price, row.size, row.time, ts_known)]
        ticks: list[Tick] = [_quote(row, ts_known)]
        if self._trades and row.sale and row.sale_size and (row.sale_time or 0) > 0:
            track = self._tracks.of("tops", row.symbol)
            if (row.sale_time or 0) * MILLISECOND > track.since:
                track.since = (row.sale_time or 0) * MILLISECOND
                ticks.append(_trade(row.symbol, "tops", row.sale, row.sale_size, row.sale_time or 0, ts_known))
        return ticks


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - the token has one half
    """Return a new conversation with IEX Cloud, or with what speaks its language at `base_url`."""
    return IexCloudFeed(base_url=base_url, key=key)


def _quote(row: _Row, ts_known: int) -> Quote:
    """Return the best prices of IEX; a price of 0 means that there is none."""
    return Quote(
        symbol=row.symbol,
        ts_event=row.updated * MILLISECOND if row.updated and row.updated > 0 else ts_known,
        bid=row.bid or None,
        bid_size=row.bid_size,
        ask=row.ask or None,
        ask_size=row.ask_size,
        price=row.sale or None,
        volume=row.volume,
        channel="tops",
    )


def _trade(symbol: str, channel: str, price: float, size: float, at_ms: int, ts_known: int) -> Trade:
    at = at_ms * MILLISECOND if at_ms > 0 else ts_known
    return Trade(symbol=symbol, ts_event=at, price=price, size=size, venue="IEX", channel=channel)
