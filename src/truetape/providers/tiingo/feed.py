"""Tiingo's stream: stocks from IEX, coins and currencies, each at an address of its own, rows without names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from truetape.domain.conversation import Conversation, portions, refused
from truetape.domain.failures import FailureClass
from truetape.domain.fields import LONGEST_SYMBOL, Text
from truetape.domain.instants import LAST_NS, instant
from truetape.domain.ticks import Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.tiingo.classify import by_words
from truetape.providers.tiingo.symbols import is_fx, is_pair

HOME: Final = "tiingo.com"
STREAM: Final = "wss://api.tiingo.com"
EVERYTHING: Final = {"iex": 0, "crypto": 2, "fx": 7}  # threshold levels: trades and every quote
PRICES: Final = {"iex": 5, "crypto": 2, "fx": 7}  # stocks only where a price moves
FLAGS: Final = ((12, "after_hours"), (13, "intermarket_sweep"), (14, "odd_lot"), (15, "rule_611"))

_BY_STATUS: Final = {
    401: FailureClass.AUTH,
    403: FailureClass.ENTITLEMENT,
    429: FailureClass.THROTTLED,
    500: FailureClass.TRANSIENT,
}

_Cell = str | int | float | bool | None
_Row = list[_Cell]


class _Response(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Given(msgspec.Struct):
    subscription: int | str | None = msgspec.field(default=None, name="subscriptionId")


class _Said(msgspec.Struct):
    kind: Text = msgspec.field(name="messageType")
    service: Text = ""
    response: _Response | None = None
    data: _Row | _Given | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


class TiingoFeed(Conversation):
    """One connection to one of Tiingo's services."""

    manners = Manners(silent_s=75.0, symbols_per_frame=500, frames_per_second=2.0)
    ready = True

    def __init__(self, *, base_url: str = "", key: str = "") -> None:
        """Begin a conversation at `base_url` with `key`."""
        super().__init__()
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._key = key
        self._subscription: int | str | None = None

    def place(self, symbol: str) -> str:
        """Return the service that `symbol` is heard at."""
        if is_fx(symbol):
            return "fx"
        return "crypto" if is_pair(symbol) else "iex"

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - all channels are there
        """Return the address of the service of `symbols`."""
        return Endpoint(url=f"{self._root}/{self.place(symbols[0]) if symbols else 'iex'}", said=(self._key,))

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        """Return the subscriptions, which carry the key; more symbols join the subscription that there is."""
        service = self.place(symbols[0]) if symbols else "iex"
        level = (EVERYTHING if "trades" in channels else PRICES)[service]
        known = {} if self._subscription is None else {"subscriptionId": self._subscription}
        return [
            msgspec.json.encode(
                {
                    "eventName": "subscribe",
                    "authorization": self._key,
                    "eventData": {**known, "thresholdLevel": level, "tickers": [symbol.lower() for symbol in part]},
                }
            ).decode()
            for part in portions(symbols, self.manners.symbols_per_frame)
        ]

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:  # noqa: ARG002 - each row has a time of its own
        """Return what one frame says."""
        said = _SAID.decode(frame)
        if isinstance(said.data, list):
            return [_tick(said.service, said.data)] if said.kind in ("A", "U") else []
        if said.kind == "H":
            return [Told(what="heartbeat")]
        response = said.response or _Response()
        if said.kind == "E" or response.code not in (0, 200):
            return [_refused(response)]
        if isinstance(said.data, _Given) and said.data.subscription is not None:
            self._subscription = said.data.subscription
            return [Told(what="subscribed", words=str(self._subscription)[:LONGEST_SYMBOL])]
        return [Told(what="said", words=response.message[:200])]


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - the key has one half
    """Return a new conversation with Tiingo, or with what stands in for it at `base_url`."""
    return TiingoFeed(base_url=base_url, key=key)


def _refused(response: _Response) -> Told:
    custom = by_words(response.message).failure_class
    words = f"{response.code}: {response.message}" if response.code else response.message
    return refused(_BY_STATUS.get(response.code, custom), words or "no words")


def _tick(service: str, row: _Row) -> Tick:
    """Return what a row says; its service, length and first cell tell its form.

    Raises:
        ValueError: It has no form that is known.
    """
    tick = _stock(row) if service == "iex" else _pair(service, row)
    if tick is None:
        raise ValueError(f"a row of {len(row)} cells of {service}")
    return tick


def _stock(row: _Row) -> Tick | None:
    match len(row), row[:1]:
        case 16, ["Q"]:
            return _stock_quote(row)
        case 16, ["T" | "B"]:
            return _stock_trade(row)
        case 6, ["T"]:
            return _trade(_upper(row[3]), _nanoseconds(row[2]), size=row[4], price=row[5], channel="iex")
        case 3, [str()]:
            return Quote(symbol=_upper(row[1]), ts_event=_moment(row[0]), price=_number(row[2]), channel="iex")
    return None


def _pair(service: str, row: _Row) -> Tick | None:
    match service, len(row), row[:1]:
        case "crypto_data", 6, ["T"]:
            symbol, at = _text(row[1]), _moment(row[2])
            return _trade(symbol, at, size=row[4], price=row[5], venue=row[3], channel="crypto_data")
        case "crypto_data", 9, ["Q"]:
            return _quote(row, _text(row[1]), _moment(row[2]), at=4, channel="crypto_data")
        case "fx", 8, ["Q"]:
            return _quote(row, _text(row[1]), _moment(row[2]), at=3, channel="fx")
    return None


def _stock_quote(row: _Row) -> Quote:
    return Quote(
        symbol=_upper(row[3]),
        ts_event=_nanoseconds(row[2]),
        bid_size=_maybe(row[4]),
        bid=_maybe(row[5]),
        ask=_maybe(row[7]),
        ask_size=_maybe(row[8]),
        price=_maybe(row[9]),
        channel="iex",
    )


def _stock_trade(row: _Row) -> Trade:
    """Return a trade, or a break of one: then the trade of that price, size and time never was."""
    return Trade(
        symbol=_upper(row[3]),
        ts_event=_nanoseconds(row[2]),
        price=_number(row[9]),
        size=_number(row[10]),
        conditions=",".join(name for at, name in FLAGS if row[at] in (1, True)),
        venue="IEX",
        channel="iex",
        correction="cancel" if row[0] == "B" else "",
    )


def _trade(symbol: str, ts_event: int, *, size: _Cell, price: _Cell, venue: _Cell = "", channel: str) -> Trade:
    return Trade(
        symbol=symbol,
        ts_event=ts_event,
        price=_number(price),
        size=_number(size),
        venue=_text(venue),
        channel=channel,
    )


def _quote(row: _Row, symbol: str, ts_event: int, *, at: int, channel: str) -> Quote:
    """Return a quote whose cells from `at` on are bid size, bid, middle, and then of the ask size and price.

    Raises:
        ValueError: A cell is no number.
    """
    return Quote(
        symbol=symbol,
        ts_event=ts_event,
        bid_size=_maybe(row[at]),
        bid=_maybe(row[at + 1]),
        ask_size=_maybe(row[at + 3]),
        ask=_maybe(row[at + 4]),
        channel=channel,
    )


def _text(cell: _Cell) -> str:
    if not isinstance(cell, str) or len(cell) > LONGEST_SYMBOL:
        raise ValueError(f"{str(cell)[:40]!r} was no short text")
    return cell


def _upper(cell: _Cell) -> str:
    return _text(cell).upper()


def _moment(cell: _Cell) -> int:
    return instant(_text(cell))


def _nanoseconds(cell: _Cell) -> int:
    if not isinstance(cell, int) or isinstance(cell, bool) or not 0 <= cell <= LAST_NS:
        raise ValueError(f"{str(cell)[:40]!r} was no instant")
    return cell


def _number(cell: _Cell) -> float:
    if not isinstance(cell, int | float) or isinstance(cell, bool) or not math.isfinite(cell):
        raise ValueError(f"{str(cell)[:40]!r} was no number")
    return float(cell)


def _maybe(cell: _Cell) -> float | None:
    return None if cell is None else _number(cell)
