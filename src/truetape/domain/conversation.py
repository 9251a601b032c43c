"""What every live feed has in common: nothing that a server sends can break it, and what it wants is said once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from truetape.domain.asks import Request
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import plain
from truetape.domain.ticks import Tick, Told
from truetape.domain.tracks import Tracks

SHOWN: Final = 200  # characters of a frame that cannot be read
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class Conversation:
    """One conversation with a provider that has said nothing yet. Feeds say in `hear` what its frames mean."""

    ready = False

    def __init__(self, *, symbols: int = 0) -> None:
        """Begin with nothing heard; `symbols` is the most that one connection may ask for, 0 for any number."""
        self._tracks = Tracks()
        self._most = symbols
        self._replies: list[str | bytes] = []
        self._wanted: list[Request] = []

    @property
    def tracks(self) -> Tracks:
        """What was counted and is kept of each symbol."""
        return self._tracks

    def hear(self, frame: str | bytes, ts_known: int) -> list[Tick]:
        """Return what one frame says, in its order.

        Raises:
            MsgspecError, ValueError, OverflowError, RecursionError: The frame cannot be read.
        """
        raise NotImplementedError

    def answered(self, url: str, body: bytes, ts_known: int) -> list[Tick]:  # noqa: ARG002 - most feeds ask nothing
        """Return what the answer to a request says; raises as `hear` does."""
        return []

    def part(self, symbols: Sequence[str]) -> list[list[str]]:
        """Return `symbols` in lists that may share a connection: of one place, and not too many."""
        places: dict[str, list[str]] = {}
        for symbol in symbols:
            places.setdefault(self.place(symbol), []).append(symbol)
        return [part for place in places.values() for part in portions(place, self._most or len(place))]

    def place(self, symbol: str) -> str:  # noqa: ARG002 - most servers hear everything at one place
        """Return which of the provider's servers `symbol` is heard at."""
        return ""

    def greet(self) -> list[str | bytes]:
        """Return nothing: most servers need no greeting."""
        return []

    def receive(self, frame: str | bytes, ts_known: int) -> list[Tick]:
        """Return what one frame says, in its order; Told("unreadable") for one that cannot be read."""
        try:
            return self.hear(frame, ts_known)
        except UNREADABLE as error:
            return [_unreadable(frame, error)]

    def fetched(self, url: str, body: bytes, ts_known: int) -> list[Tick]:
        """Return what the answer to a request of `wanted` says; Told("unreadable") for one that cannot be read."""
        try:
            return self.answered(url, body, ts_known)
        except UNREADABLE as error:
            return [_unreadable(body, error)]

    def replies(self) -> list[str | bytes]:
        """Return, once, what the last frames want said to them."""
        if not self._replies:
            return []
        said, self._replies = self._replies, []
        return said

    def wanted(self) -> list[Request]:
        """Return, once, what must be asked for over HTTP."""
        if not self._wanted:
            return []
        asked, self._wanted = self._wanted, []
        return asked


def refused(failure_class: FailureClass, words: str, *, retry_after_s: float | None = None) -> Told:
    """Return a refusal in the provider's own words, cut and cleaned."""
    said = plain(words.encode(errors="replace"))
    failure = Failure(failure_class=failure_class, words=said, retry_after_s=retry_after_s)
    return Told(what="refused", words=said, failure=failure)


def portions(symbols: Sequence[str], size: int) -> list[list[str]]:
    """Return `symbols` in their order, in lists of at most `size`."""
    return [list(symbols[at : at + size]) for at in range(0, len(symbols), size)]


def _unreadable(frame: str | bytes, error: Exception) -> Told:
    head = frame[:SHOWN]
    shown = plain(head if isinstance(head, bytes) else head.encode(errors="replace"))[:SHOWN]
    return Told(what="unreadable", words=f"{type(error).__name__}: {str(error)[:SHOWN]} in {shown}")
