"""Massive's stream: stocks, crypto, currencies and indices, each at an address of its own, in batched frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from truetape.domain.conversation import Conversation, portions, refused
from truetape.domain.failures import FailureClass
from truetape.domain.fields import listed
from truetape.domain.instants import MILLISECOND
from truetape.domain.ticks import Bar, Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.massive import events
from truetape.providers.massive.pairs import hyphened, joined

HOME: Final = "massive.com"
STREAM: Final = "wss://socket.massive.com"
CHANNELS: Final = {
    "stocks": {"trades": "T", "quotes": "Q", "bars": "AM"},
    "crypto": {"trades": "XT", "quotes": "XQ", "bars": "XA"},
    "forex": {"quotes": "C", "bars": "CA"},
    "indices": {"quotes": "V", "bars": "AM"},
}
PLACES: Final = {"X:": "crypto", "C:": "forex", "I:": "indices", "O:": "options"}
ROUND_LOT: Final = 100  # shares
SHARES_SINCE: Final = 1_762_128_000_000  # 2025-11-03, ms: from then on quote sizes are in shares, no longer in lots

_REFUSALS: Final = {
    "auth_failed": FailureClass.AUTH,
    "auth_timeout": FailureClass.TRANSIENT,
    "max_connections": FailureClass.CONFLICT,
    "slow_consumer": FailureClass.TRANSIENT,
    "force_disconnect": FailureClass.TRANSIENT,
}
_TOLD: Final = {
    "connected": "welcome",
    "auth_success": "authenticated",
    "success": "subscribed",
    "unreadable": "unreadable",
}
_UNENTITLED: Final = ("not authorized", "not entitled", "upgrade")


class MassiveFeed(Conversation):
    """One connection to one of Massive's asset classes."""

    manners = Manners(silent_s=90.0, symbols_per_frame=500, frames_per_second=5.0)

    def __init__(self, *, base_url: str = "", key: str = "") -> None:
        """Begin a conversation at `base_url` with `key`."""
        super().__init__()
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._key = key

    def place(self, symbol: str) -> str:
        """Return the asset class that `symbol` belongs to by its prefix."""
        return PLACES.get(symbol[:2], "stocks")

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - all channels are there
        """Return the address of the asset class of `symbols`."""
        return Endpoint(url=f"{self._root}/{self.place(symbols[0]) if symbols else 'stocks'}", said=(self._key,))

    def greet(self) -> list[Frame]:
        """Return the authentication."""
        return [msgspec.json.encode({"action": "auth", "params": self._key}).decode()]

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        """Return the subscriptions; what an asset class does not have is left out."""
        topics = [
            f"{letters}.{hyphened(symbol)}" for symbol in symbols for letters in _letters(self.place(symbol), channels)
        ]
        return [
            msgspec.json.encode({"action": "subscribe", "params": ",".join(part)}).decode()
            for part in portions(topics, self.manners.symbols_per_frame)
        ]

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:  # noqa: ARG002 - each event has a time of its own
        """Return what one frame says, in its order."""
        ticks: list[Tick] = []
        for event in events.read(frame):
            if type(event) is events.T:
                ticks.append(_trade(event))
            elif isinstance(event, events.Status):
                ticks.append(self._told(event))
            else:
                ticks.append(_SAYS[type(event)](event))
        return ticks

    def _told(self, event: events.Status) -> Told:
        words = event.message
        if event.status == "auth_success":
            self.ready = True
        if event.status in _TOLD:
            return Told(what=_TOLD[event.status], words=words[:200])
        unentitled = any(known in words.lower() for known in _UNENTITLED)
        custom = FailureClass.ENTITLEMENT if unentitled else FailureClass.PERMANENT
        return refused(_REFUSALS.get(event.status, custom), f"{event.status}: {words}")


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - the key has one half
    """Return a new conversation with Massive, or with what stands in for it at `base_url`."""
    return MassiveFeed(base_url=base_url, key=key)


def _letters(place: str, channels: Sequence[str]) -> list[str]:
    known = CHANNELS.get(place, CHANNELS["stocks"])
    return [known[channel] for channel in channels if channel in known]


def _trade(event: events.T) -> Trade:
    return Trade(
        symbol=event.sym,
        ts_event=event.t * MILLISECOND,
        price=event.p,
        size=event.s if event.ds is None else event.ds,
        trade_id=event.i,
        conditions=listed(event.c) if event.c else "",
        venue=str(event.x),
        channel="T",
    )


def _coin_trade(event: events.XT) -> Trade:
    return Trade(
        symbol=joined("X:", event.pair),
        ts_event=event.t * MILLISECOND,
        price=event.p,
        size=event.s,
        trade_id=event.i,
        conditions=listed(event.c) if event.c else "",
        side=events.SIDES.get(event.c[0], "") if event.c else "",
        venue=str(event.x),
        channel="XT",
    )


def _quote(event: events.Q) -> Quote:
    lot = ROUND_LOT if event.t < SHARES_SINCE else 1
    return Quote(
        symbol=event.sym,
        ts_event=event.t * MILLISECOND,
        bid=event.bp,
        bid_size=None if event.bs is None else event.bs * lot,
        ask=event.ap,
        ask_size=None if event.as_ is None else event.as_ * lot,
        channel="Q",
    )


def _coin_quote(event: events.XQ) -> Quote:
    return Quote(
        symbol=joined("X:", event.pair),
        ts_event=event.t * MILLISECOND,
        bid=event.bp,
        bid_size=event.bs,
        ask=event.ap,
        ask_size=event.as_,
        channel="XQ",
    )


def _currency(event: events.C) -> Quote:
    return Quote(symbol=joined("C:", event.p), ts_event=event.t * MILLISECOND, bid=event.b, ask=event.a, channel="C")


def _level(event: events.V) -> Quote:
    return Quote(symbol=event.T, ts_event=event.t * MILLISECOND, price=event.val, channel="V")


def _bar(event: events.AM) -> Bar:
    return _span(event, event.sym, "AM")


def _second(event: events.A) -> Bar:
    return _span(event, event.sym, "A", timeframe="1s")


def _coin_bar(event: events.XA) -> Bar:
    return _span(event, joined("X:", event.pair), "XA")


def _currency_bar(event: events.CA) -> Bar:
    return _span(event, joined("C:", event.pair), "CA")


def _span(event: events.Span, symbol: str, channel: str, *, timeframe: str = "1m") -> Bar:
    return Bar(
        symbol=symbol,
        timeframe=timeframe,
        ts_event=event.s * MILLISECOND,
        open=event.o,
        high=event.h,
        low=event.l,
        close=event.c,
        volume=event.v,
        channel=channel,
    )


_SAYS: Final[dict[type, Callable[..., Tick]]] = {
    events.XT: _coin_trade,
    events.Q: _quote,
    events.XQ: _coin_quote,
    events.C: _currency,
    events.V: _level,
    events.A: _second,
    events.AM: _bar,
    events.XA: _coin_bar,
    events.CA: _currency_bar,
}
