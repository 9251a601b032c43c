"""The providers' side of a stream: a pure machine that hears a client's frames and says what happens in its format.

Keys are any text; an empty one, and one that begins with "wrong", is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, Final, Literal

import msgspec

from truetape.app.sandbox.intraday import Hours
from truetape.app.sandbox.streams.tape import Event, Standing, usual_hours
from truetape.domain.ticks import Bar, Depth, Quote, Trade

Frame = str | bytes
Kind = Literal["trades", "quotes", "bars", "book"]

KIND_OF: Final[Mapping[type, Kind]] = {Trade: "trades", Quote: "quotes", Bar: "bars", Depth: "book"}
WRONG_BY: Final = 1.25  # a price that is corrected later was so many times too high
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)


@dataclass(frozen=True)
class Opening:
    """How a client connected."""

    path: str = ""  # behind /stream, without slashes at its ends
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # by name in small letters


@dataclass(frozen=True)
class Ground:
    """What a speaker stands on.

    Attributes:
        symbols: Every symbol of the dataset, in our spelling.
        standing: What is known of one of them now.
        first_day_ns: When its first day in the dataset began, UTC nanoseconds.
    """

    symbols: Sequence[str]
    standing: Callable[[str], Standing]
    first_day_ns: Callable[[str], int]


class Speaker:
    """One connection of a provider. What a provider does not do stands here as a default."""

    provider: ClassVar[str] = ""
    beside: ClassVar[tuple[str, ...]] = ()  # paths over HTTP that `answer` answers
    tells_events: ClassVar[bool] = False  # server-sent events, no WebSocket
    hours: Callable[[str], Hours] = staticmethod(usual_hours)
    beat_s: float = 0.0  # it says so often that it lives; 0 for never
    corrects: bool = False  # trades are corrected
    cancels: bool = False  # trades are cancelled
    checks: bool = False  # books carry checksums
    garbage: Frame = '{"type":"match","trade_id":\x00}]'

    def __init__(self, opening: Opening, ground: Ground) -> None:
        """Begin a conversation with who connected by `opening`."""
        spell: Callable[[str], str] = import_module(f"truetape.providers.{self.provider}").spell
        self.opening = opening
        self.ground = ground
        self.closing = False  # the connection is to be closed when everything is said
        self.wanted: dict[Kind, dict[str, None]] = {kind: {} for kind in KIND_OF.values()}
        self._spelled = {symbol: spell(symbol) for symbol in ground.symbols}
        self._ours = {spelled: symbol for symbol, spelled in self._spelled.items()}

    @property
    def symbols(self) -> list[str]:
        """What is listened to now, in our spelling, in the order of its first mention."""
        return list({symbol: None for wanted in self.wanted.values() for symbol in wanted})

    def wants(self, event: Event) -> bool:
        """Return whether the client asked for such an event."""
        return event.news.symbol in self.wanted[KIND_OF[type(event.news)]]

    def turned_away(self) -> tuple[int, str] | None:
        """Return the status and words that refuse the connection itself; None if it is taken."""
        return None

    def welcome(self) -> list[Frame]:
        """Return what is said to everybody who connects."""
        return []

    def hear(self, frame: Frame) -> list[Frame]:
        """Return what is answered to a frame of the client, whatever it holds."""
        raise NotImplementedError

    def beat(self) -> list[Frame]:
        """Return what shows that the connection lives."""
        return []

    def say(self, event: Event) -> list[Frame]:
        """Return `event` as the provider says it."""
        news = event.news
        if isinstance(news, Trade):
            return self.trade(event, news)
        if isinstance(news, Quote):
            return self.quote(event, news)
        return self.bar(event, news) if isinstance(news, Bar) else self.depth(event, news)

    def trade(self, event: Event, trade: Trade) -> list[Frame]:  # noqa: ARG002 - not every provider has them
        """Return a trade."""
        return []

    def quote(self, event: Event, quote: Quote) -> list[Frame]:  # noqa: ARG002 - not every provider has them
        """Return a quote."""
        return []

    def bar(self, event: Event, bar: Bar) -> list[Frame]:  # noqa: ARG002 - not every provider has them
        """Return a minute."""
        return []

    def depth(self, event: Event, depth: Depth) -> list[Frame]:  # noqa: ARG002 - not every provider has them
        """Return a change of a book."""
        return []

    def spoilt(self, event: Event) -> list[Frame]:  # noqa: ARG002 - only with `checks`
        """Return a change of a book with a checksum that disagrees."""
        return []

    def corrected(self, event: Event) -> list[Frame]:  # noqa: ARG002 - only with `corrects`
        """Return a trade said wrong, and its correction."""
        return []

    def cancelled(self, event: Event) -> list[Frame]:  # noqa: ARG002 - only with `cancels`
        """Return a trade that never was, and that it was none; then `event` itself."""
        return []

    def late(self, event: Event) -> list[Frame]:
        """Return `event`, which comes behind later ones, and what follows from that."""
        return self.say(event)

    def about(self, params: Mapping[str, str]) -> str | None:  # noqa: ARG002 - most streams stand alone
        """Return the symbol, ours, that a request over HTTP beside the stream is about; None for none."""
        return None

    def answer(self, params: Mapping[str, str]) -> tuple[int, bytes]:  # noqa: ARG002 - only with `beside`
        """Return the status and body that a request over HTTP beside the stream gets, such as a whole book."""
        return 404, b""

    def spelled(self, symbol: str) -> str:
        """Return our `symbol` in the provider's spelling."""
        return self._spelled[symbol]

    def ours(self, spelled: str) -> str | None:
        """Return the symbol that the provider spells so; None if there is none."""
        return self._ours.get(spelled)


def good(key: str) -> bool:
    """Return whether the sandbox takes `key`."""
    return bool(key) and not key.startswith("wrong")


def written(value: Any) -> str:
    """Return `value` as JSON text."""
    return msgspec.json.encode(value).decode()
