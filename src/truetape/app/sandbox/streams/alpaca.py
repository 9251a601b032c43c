"""Alpaca's stream: stocks of a tape or coins, in JSON or msgpack, with corrections, cancels and minutes said again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from truetape.app.sandbox.intraday import MINUTE_NS
from truetape.app.sandbox.streams.speaker import UNREADABLE, WRONG_BY, Frame, Ground, Kind, Opening, Speaker, good
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.ticks import Bar, Depth, Level, Quote, Trade
from truetape.domain.time import NANOSECONDS, iso

KINDS: Final[dict[str, Kind]] = {"trades": "trades", "quotes": "quotes", "bars": "bars", "orderbooks": "book"}
QUIET: Final = ("updatedBars", "dailyBars", "statuses", "lulds")  # asked for, and rarely or never said
COINS: Final = "v1beta3/crypto"
FREE: Final = "v2/iex"
FREE_SYMBOLS: Final = 30  # of trades and of quotes on the free tape
LOT: Final = 100  # shares in one unit of a size of a stock's quote
LOTS_UNTIL: Final = 1_762_128_000 * NANOSECONDS  # 2025-11-03
KEPT_MINUTES: Final = 1_000
EVERYTHING: Final = "*"
TAKERS: Final = {"buy": "B", "sell": "S"}
ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    405: "symbol limit exceeded",
    410: "invalid subscribe action for this feed",
}


class _Asked(msgspec.Struct):
    action: str
    key: str = ""
    secret: str = ""


_ASKED: Final = msgspec.json.Decoder(_Asked)
_ASKED_PACKED: Final = msgspec.msgpack.Decoder(_Asked)
_LISTS: Final = msgspec.json.Decoder(dict[str, Any])
_LISTS_PACKED: Final = msgspec.msgpack.Decoder(dict[str, Any])


class AlpacaSpeaker(Speaker):
    """The header Content-Type chooses the codec, the path whether stocks or coins are told."""

    provider = "alpaca"

    def __init__(self, opening: Opening, ground: Ground) -> None:
        """Begin at the tape or the coins that the path names."""
        super().__init__(opening, ground)
        self._packed = opening.headers.get("content-type") == "application/msgpack"
        self._coins = opening.path.startswith(COINS)
        self._quiet: dict[str, dict[str, None]] = {name: {} for name in QUIET}
        self._known = good(opening.headers.get("apca-api-key-id", ""))
        self._minutes: dict[tuple[str, int], Event] = {}
        self.corrects = self.cancels = not self._coins
        self.garbage = b"\xc1\xff\x92" if self._packed else '[{"T":"t","S":\x00]'

    def welcome(self) -> list[Frame]:
        """Return that the client is connected, and authenticated if its headers were good."""
        words = ["connected", "authenticated"] if self._known else ["connected"]
        return [self._frame({"T": "success", "msg": said}) for said in words]

    def hear(self, frame: Frame) -> list[Frame]:
        """Authenticate, subscribe or unsubscribe."""
        try:
            asked = (_ASKED_PACKED if self._packed else _ASKED).decode(frame)  # type: ignore[arg-type]
            lists = (_LISTS_PACKED if self._packed else _LISTS).decode(frame)  # type: ignore[arg-type]
        except (*UNREADABLE, TypeError):
            return [self._error(400)]
        if asked.action == "auth":
            return [self._authenticated(asked)]
        if not self._known:
            return [self._error(401)]
        named = {name: symbols for name, symbols in lists.items() if name != "action"}
        code = self._against(asked.action, named)
        return [self._error(code)] if code else self._taken(asked.action, named)

    def trade(self, event: Event, trade: Trade) -> list[Frame]:
        """Return a trade."""
        return [self._frame(self._trade(event.number, trade))]

    def corrected(self, event: Event) -> list[Frame]:
        """Return a trade with a wrong price, and its correction a moment later."""
        trade = event.news
        assert isinstance(trade, Trade)
        wrong = round(trade.price * WRONG_BY, 4)
        said = self._trade(event.number, trade) | {"p": wrong}
        correction = {
            "T": "c",
            "S": said["S"],
            "x": said["x"],
            "oi": event.number,
            "op": wrong,
            "os": said["s"],
            "oc": said["c"],
            "ci": _unused(event.number),
            "cp": _number(trade.price),
            "cs": said["s"],
            "cc": said["c"],
            "t": self._stamp(trade.ts_event + 1),
            "z": said["z"],
        }
        return [self._frame(said), self._frame(correction)]

    def cancelled(self, event: Event) -> list[Frame]:
        """Return a trade that never was, its cancel, and then what was."""
        trade = event.news
        assert isinstance(trade, Trade)
        said = self._trade(_unused(event.number), trade) | {"p": round(trade.price * WRONG_BY, 4)}
        cancel = {name: said[name] for name in ("S", "i", "x", "p", "s", "t", "z")} | {"T": "x", "a": "C"}
        return [self._frame(said), self._frame(cancel), *self.say(event)]

    def late(self, event: Event) -> list[Frame]:
        """Return what comes late; if its minute was told already, that minute again."""
        at = event.news.ts_event // MINUTE_NS * MINUTE_NS
        told = self._minutes.get((event.news.symbol, at))
        again = []
        if told and isinstance(told.news, Bar) and event.news.symbol in self._quiet["updatedBars"]:
            again = [self._frame(self._bar(told.news, "u"))]
        return [*self.say(event), *again]

    def quote(self, event: Event, quote: Quote) -> list[Frame]:
        """Return a quote."""
        lot = LOT if event.at < LOTS_UNTIL and not self._coins else 1
        said = {
            "T": "q",
            "S": self.spelled(quote.symbol),
            "bx": "N",
            "bp": _number(quote.bid),
            "bs": _number((quote.bid_size or 0.0) / lot),
            "ax": "N",
            "ap": _number(quote.ask),
            "as": _number((quote.ask_size or 0.0) / lot),
            "c": ["R"],
            "t": self._stamp(quote.ts_event),
            "z": "A",
        }
        return [self._frame(said)]

    def bar(self, event: Event, bar: Bar) -> list[Frame]:
        """Return a minute."""
        self._minutes[bar.symbol, bar.ts_event] = event
        if len(self._minutes) > KEPT_MINUTES:
            del self._minutes[next(iter(self._minutes))]
        return [self._frame(self._bar(bar, "b"))]

    def depth(self, event: Event, depth: Depth) -> list[Frame]:
        """Return the changes of a coin's book."""
        return [self._frame(self._book(depth.symbol, depth.bids, depth.asks, at=event.at))]

    def _authenticated(self, asked: _Asked) -> Frame:
        if self._known:
            return self._error(403)
        self._known = good(asked.key) and good(asked.secret)
        self.closing = not self._known
        return self._frame({"T": "success", "msg": "authenticated"}) if self._known else self._error(402)

    def _against(self, action: str, named: dict[str, Any]) -> int:
        """Return the code of the error that a frame gets; 0 for none."""
        known = {*QUIET, *KINDS} - (set() if self._coins else {"orderbooks"})
        if action not in ("subscribe", "unsubscribe") or not named.keys() <= known:
            return 410
        if any(
            not isinstance(symbols, list) or any(not isinstance(one, str) for one in symbols)
            for symbols in named.values()
        ):
            return 400
        limited = ("trades", "quotes") if self.opening.path == FREE and action == "subscribe" else ()
        return 405 if any(self._after(name, named) > FREE_SYMBOLS for name in limited) else 0

    def _after(self, name: str, named: dict[str, Any]) -> int:
        """Return how many symbols a subscription would make on a channel."""
        return len({*self.wanted[KINDS[name]], *self._meant(named.get(name, []))})

    def _meant(self, spelled: Sequence[str]) -> list[str]:
        """Return the symbols that are heard here, in our spelling; of others nothing is ever said."""
        everything = list(self._ours) if EVERYTHING in spelled else spelled
        found = [self._ours[one] for one in everything if one in self._ours]
        return [symbol for symbol in found if ("/" in symbol) is self._coins and not symbol.startswith("^")]

    def _taken(self, action: str, named: dict[str, Any]) -> list[Frame]:
        opened: list[Frame] = []
        for name, spelled in named.items():
            listening = self.wanted[KINDS[name]] if name in KINDS else self._quiet[name]
            for symbol in self._meant(spelled):
                if action == "unsubscribe":
                    listening.pop(symbol, None)
                elif symbol not in listening:
                    listening[symbol] = None
                    opened += self._whole(symbol) if name == "orderbooks" else []
        return [self._subscription(), *opened]

    def _subscription(self) -> Frame:
        wanted = {name: self.wanted[kind] for name, kind in KINDS.items() if self._coins or name != "orderbooks"}
        with_trades = {} if self._coins else dict.fromkeys(("corrections", "cancelErrors"), self.wanted["trades"])
        said = {
            name: [self.spelled(symbol) for symbol in symbols]
            for name, symbols in {**wanted, **self._quiet, **with_trades}.items()
        }
        return self._frame({"T": "subscription", **said})

    def _whole(self, symbol: str) -> list[Frame]:
        standing = self.ground.standing(symbol)
        bids, asks = standing.best()
        return [self._frame(self._book(symbol, bids, asks, at=standing.at) | {"r": True})]

    def _trade(self, number: int, trade: Trade) -> dict[str, Any]:
        said = {
            "T": "t",
            "S": self.spelled(trade.symbol),
            "i": number,
            "p": _number(trade.price),
            "s": _number(trade.size),
            "t": self._stamp(trade.ts_event),
        }
        if self._coins:
            return {**said, "tks": TAKERS[trade.side]}
        return {**said, "x": trade.venue, "c": [trade.conditions], "z": "A"}

    def _bar(self, bar: Bar, letter: str) -> dict[str, Any]:
        prices = {name[0]: _number(getattr(bar, name)) for name in ("open", "high", "low", "close", "volume")}
        return {"T": letter, "S": self.spelled(bar.symbol), **prices, "t": self._stamp(bar.ts_event)}

    def _book(self, symbol: str, bids: Sequence[Level], asks: Sequence[Level], *, at: int) -> dict[str, Any]:
        sides = {
            letter: [{"p": _number(price), "s": _number(size)} for price, size in levels]
            for letter, levels in (("b", bids), ("a", asks))
        }
        return {"T": "o", "S": self.spelled(symbol), "t": self._stamp(at), **sides}

    def _stamp(self, instant: int) -> str | msgspec.msgpack.Ext:
        if not self._packed:
            return iso(instant)
        seconds, rest = divmod(instant, NANOSECONDS)
        return msgspec.msgpack.Ext(-1, (rest << 34 | seconds).to_bytes(8, "big"))

    def _error(self, code: int) -> Frame:
        return self._frame({"T": "error", "code": code, "msg": ERRORS[code]})

    def _frame(self, said: dict[str, Any]) -> Frame:
        return msgspec.msgpack.encode([said]) if self._packed else msgspec.json.encode([said]).decode()


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value


def _unused(number: int) -> int:
    """Return an id that no trade of the tape has."""
    return number + 10**12


SPEAKER: Final = AlpacaSpeaker
