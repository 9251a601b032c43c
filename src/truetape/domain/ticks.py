"""What a live feed says, one value for each thing said.

Instants are UTC nanoseconds. `symbol` is in the provider's spelling, `channel` the provider's own name for the kind of
news. Sizes are in units of the instrument (shares, coins), not in lots.
"""

from __future__ import annotations

import msgspec

from truetape.domain.failures import Failure

Level = tuple[float, float]  # price, quantity; a quantity of 0 takes the level away


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One trade."""

    symbol: str
    ts_event: int
    price: float
    size: float
    trade_id: str = ""
    conditions: str = ""  # the venue's codes, comma separated
    side: str = ""  # of the aggressor: buy, sell or ""
    venue: str = ""
    channel: str = "trades"
    correction: str = ""  # "cancel": the trade of this id never was; "correct": it was as said here; "" for a new one


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The best bid and ask, or what else is last known of a price; null where the provider does not say."""

    symbol: str
    ts_event: int
    bid: float | None = None
    bid_size: float | None = None
    ask: float | None = None
    ask_size: float | None = None
    price: float | None = None  # last trade
    volume: float | None = None  # of the session so far
    channel: str = "quotes"


class Bar(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A bar that the provider built itself."""

    symbol: str
    timeframe: str
    ts_event: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    running: bool = False
    channel: str = "bars"


class Depth(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole order book, or what changed in it."""

    symbol: str
    ts_event: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    snapshot: bool = False
    channel: str = "book"


class Gap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something was said that we did not hear, or what we hold is wrong: it must be healed from elsewhere."""

    symbol: str  # "" where every symbol of the channel is concerned
    channel: str
    ts_event: int  # when it was noticed
    since: int  # of the last thing heard before it; 0 if nothing was
    words: str  # sequence numbers expected and found, or the checksums


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The provider speaks of the connection itself: welcome, authenticated, subscribed, heartbeat, refused, closing."""

    what: str
    words: str = ""
    failure: Failure | None = None  # of a refusal


Tick = Trade | Quote | Bar | Depth | Gap | Told
