"""Alpaca's stream: trades with their corrections, quotes, bars and coins' books, in JSON or msgpack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec

from truetape.domain.conversation import Conversation, portions, refused
from truetape.domain.failures import FailureClass
from truetape.domain.fields import listed
from truetape.domain.ticks import Bar, Depth, Quote, Tick, Told, Trade
from truetape.domain.time import DAY_NS, NANOSECONDS
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.alpaca import messages

Codec = Literal["json", "msgpack"]

HOME: Final = "alpaca.markets"
STREAM: Final = "wss://stream.data.alpaca.markets"
STOCKS: Final = "v2/iex"  # the tape that every plan may hear
COINS: Final = "v1beta3/crypto/us"
CHANNELS: Final = {
    "trades": ("trades",),
    "quotes": ("quotes",),
    "bars": ("bars", "updatedBars"),
    "book": ("orderbooks",),
}
SIDES: Final = {"B": "buy", "S": "sell"}
LOT: Final = 100  # shares in one unit of a size of a stock's quote
LOTS_UNTIL: Final = 1_762_128_000 * NANOSECONDS  # 2025-11-03: from then on sizes are in shares

_TOLD: Final = {"connected": "welcome", "authenticated": "authenticated"}
_ALREADY: Final = 403
_BY_CODE: Final = {
    401: FailureClass.AUTH,
    402: FailureClass.AUTH,
    404: FailureClass.TRANSIENT,
    405: FailureClass.ENTITLEMENT,
    406: FailureClass.CONFLICT,
    407: FailureClass.TRANSIENT,
    408: FailureClass.ENTITLEMENT,
    409: FailureClass.ENTITLEMENT,
    500: FailureClass.TRANSIENT,
}


class AlpacaFeed(Conversation):
    """One connection to Alpaca: to stocks of one tape, or to coins."""

    manners = Manners(silent_s=180.0, symbols_per_frame=500, frames_per_second=5.0)

    def __init__(
        self, *, base_url: str = "", key: str = "", secret: str = "", tape: str = STOCKS, codec: Codec = "json"
    ) -> None:
        """Begin a conversation at `base_url`; `tape` is the path that stocks are heard at."""
        super().__init__()
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._key = key
        self._secret = secret
        self._tape = tape
        self._codec = codec

    def place(self, symbol: str) -> str:
        """Return the path that `symbol` is heard at."""
        return COINS if "/" in symbol else self._tape

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - all channels are there
        """Return the address of the tape, or of coins; the header chooses msgpack for both ways."""
        headers = {"Content-Type": "application/msgpack"} if self._codec == "msgpack" else {}
        path = self.place(symbols[0]) if symbols else self._tape
        return Endpoint(url=f"{self._root}/{path}", headers=headers, said=(self._key, self._secret))

    def greet(self) -> list[Frame]:
        """Return the authentication, which must come within 10 seconds."""
        return [self._frame({"action": "auth", "key": self._key, "secret": self._secret})]

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        """Return the subscriptions; corrections and cancels come with trades by themselves."""
        named = [name for channel in channels for name in CHANNELS.get(channel, ())]
        coins = bool(symbols) and self.place(symbols[0]) == COINS
        wanted = [name for name in named if coins or name != "orderbooks"]
        return [
            self._frame({"action": "subscribe", **dict.fromkeys(wanted, part)})
            for part in portions(symbols, self.manners.symbols_per_frame)
            if wanted
        ]

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:  # noqa: ARG002 - each message has a time of its own
        """Return what one frame says, in its order."""
        ticks: list[Tick] = []
        for message in messages.read(frame):
            if type(message) is messages.Trade:
                ticks.append(_trade(message))
            elif isinstance(message, messages.Success):
                self.ready = self.ready or message.msg == "authenticated"
                ticks.append(Told(what=_TOLD.get(message.msg, "said"), words=message.msg))
            elif isinstance(message, messages.Broken):
                ticks.append(Told(what="unreadable", words=message.words))
            else:
                ticks.append(_SAYS[type(message)](message))
        return ticks

    def _frame(self, value: dict[str, object]) -> Frame:
        return msgspec.msgpack.encode(value) if self._codec == "msgpack" else msgspec.json.encode(value).decode()


def make(*, base_url: str = "", key: str = "", secret: str = "", tape: str = STOCKS, codec: Codec = "json") -> Feed:
    """Return a new conversation with Alpaca, or with what stands in for it at `base_url`."""
    return AlpacaFeed(base_url=base_url, key=key, secret=secret, tape=tape, codec=codec)


def _trade(message: messages.Trade) -> Trade:
    return Trade(
        symbol=message.S,
        ts_event=messages.moment(message.t),
        price=message.p,
        size=message.s,
        trade_id=str(message.i),
        conditions=listed(message.c) if message.c else "",
        side=SIDES.get(message.tks, ""),
        venue=message.x,
    )


def _correction(message: messages.Correction) -> Trade:
    """Return the trade as it should have been said, under the id that it was said with, at the correction's time."""
    return Trade(
        symbol=message.S,
        ts_event=messages.moment(message.t),
        price=message.cp,
        size=message.cs,
        trade_id=str(message.oi),
        conditions=listed(message.cc) if message.cc else "",
        venue=message.x,
        channel="corrections",
        correction="correct",
    )


def _cancel(message: messages.Cancel) -> Trade:
    return Trade(
        symbol=message.S,
        ts_event=messages.moment(message.t),
        price=message.p,
        size=message.s,
        trade_id=str(message.i),
        venue=message.x,
        channel="cancelErrors",
        correction="cancel",
    )


def _quote(message: messages.Quote) -> Quote:
    at = messages.moment(message.t)
    lot = LOT if at < LOTS_UNTIL and "/" not in message.S else 1
    return Quote(
        symbol=message.S,
        ts_event=at,
        bid=message.bp,
        bid_size=None if message.bs is None else message.bs * lot,
        ask=message.ap,
        ask_size=None if message.as_ is None else message.as_ * lot,
    )


def _minute(message: messages.Bar) -> Bar:
    return _bar(message, "bars", "1m", messages.moment(message.t))


def _minute_again(message: messages.UpdatedBar) -> Bar:
    return _bar(message, "updatedBars", "1m", messages.moment(message.t))


def _day(message: messages.DailyBar) -> Bar:
    """Return the day so far, labelled by its date at 00:00 UTC: it is sent with its midnight in New York."""
    at = messages.moment(message.t)
    return _bar(message, "dailyBars", "1d", at - at % DAY_NS, running=True)


def _bar(message: messages.Bar, channel: str, timeframe: str, ts_event: int, *, running: bool = False) -> Bar:
    return Bar(
        symbol=message.S,
        timeframe=timeframe,
        ts_event=ts_event,
        open=message.o,
        high=message.h,
        low=message.l,
        close=message.c,
        volume=message.v,
        running=running,
        channel=channel,
    )


def _book(message: messages.Book) -> Depth:
    return Depth(
        symbol=message.S,
        ts_event=messages.moment(message.t),
        bids=tuple((level.p, level.s) for level in message.b),
        asks=tuple((level.p, level.s) for level in message.a),
        snapshot=message.r,
        channel="orderbooks",
    )


def _error(message: messages.Error) -> Told:
    if message.code == _ALREADY:
        return Told(what="said", words=message.msg[:200])
    return refused(_BY_CODE.get(message.code, FailureClass.PERMANENT), f"{message.code}: {message.msg}")


def _subscribed(message: messages.Subscription) -> Told:
    counts = ((len(message.trades), "trades"), (len(message.quotes), "quotes"), (len(message.bars), "bars"))
    return Told(what="subscribed", words=", ".join(f"{count} {name}" for count, name in counts if count))


_SAYS: Final[dict[type, Callable[[Any], Tick]]] = {
    messages.Quote: _quote,
    messages.Bar: _minute,
    messages.UpdatedBar: _minute_again,
    messages.DailyBar: _day,
    messages.Correction: _correction,
    messages.Cancel: _cancel,
    messages.Book: _book,
    messages.Error: _error,
    messages.Subscription: _subscribed,
}
