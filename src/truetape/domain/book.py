"""Order books: levels in the exchange's own decimal text, checksums over it, and chains of updates on a snapshot."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from truetape.domain.ticks import Level

MOST_LEVELS: Final = 100_000  # of one side
MOST_BUFFERED: Final = 2_000  # updates that wait for a snapshot
MOST_BUFFERED_LEVELS: Final = 50_000  # of all of them
CHECKED: Final = 10  # levels of a side that a checksum covers
LONGEST_NUMBER: Final = 64

TextLevel = tuple[str, str]  # price and quantity as the exchange writes them


def number(text: str) -> float:
    """Return the finite number that `text` writes in decimal digits.

    Raises:
        ValueError: It writes none.
    """
    value = float(text)
    if not math.isfinite(value) or "_" in text or len(text) > LONGEST_NUMBER:
        raise ValueError(f"{text[:LONGEST_NUMBER]!r} was no plain number")
    return value


def levels(texts: Iterable[TextLevel]) -> tuple[Level, ...]:
    """Return levels as numbers.

    Raises:
        ValueError: One is none.
    """
    return tuple((number(price), number(quantity)) for price, quantity in texts)


class Side:
    """One side of a book, best level last: most changes happen near the best."""

    def __init__(self, sign: int) -> None:
        """Make an empty side; `sign` is 1 for bids (the highest is best), -1 for asks."""
        self._sign = sign
        self._order: list[float] = []
        self._texts: dict[float, TextLevel] = {}

    def __len__(self) -> int:
        """Return how many levels there are."""
        return len(self._order)

    def clear(self) -> None:
        """Forget every level."""
        self._order.clear()
        self._texts.clear()

    def put(self, text: TextLevel, depth: int) -> None:
        """Set one level, or take it away where its quantity is 0; levels beyond `depth` are dropped.

        Raises:
            ValueError: The level is not written in numbers.
        """
        place = self._sign * number(text[0])
        if number(text[1]) == 0:
            if self._texts.pop(place, None) is not None:
                del self._order[bisect_left(self._order, place)]
            return
        if place not in self._texts:
            insort(self._order, place)
        self._texts[place] = text
        while len(self._order) > depth:
            del self._texts[self._order.pop(0)]

    def fill(self, texts: Iterable[TextLevel], depth: int) -> None:
        """Replace every level at once.

        Raises:
            ValueError: A level is not written in numbers; the side is as before then.
        """
        found = {self._sign * number(text[0]): text for text in texts if number(text[1]) != 0}
        self._order = sorted(found)[-depth:]
        self._texts = {place: found[place] for place in self._order}

    def best(self, count: int) -> list[TextLevel]:
        """Return the `count` best levels, best first."""
        return [self._texts[place] for place in self._order[: -count - 1 : -1]]


@dataclass(slots=True)
class Book:
    """The bids and asks of one symbol."""

    depth: int = MOST_LEVELS  # levels that are kept of each side
    bids: Side = field(default_factory=lambda: Side(1))
    asks: Side = field(default_factory=lambda: Side(-1))
    whole: bool = False  # a snapshot has come, and nothing was missed since

    def replace(self, bids: Iterable[TextLevel], asks: Iterable[TextLevel]) -> None:
        """Take a snapshot.

        Raises:
            ValueError: A level is not written in numbers.
        """
        self.bids.fill(bids, self.depth)
        self.asks.fill(asks, self.depth)
        self.whole = True

    def change(self, bids: Iterable[TextLevel], asks: Iterable[TextLevel]) -> None:
        """Take an update: each level replaces that of its price, and a quantity of 0 takes it away.

        Raises:
            ValueError: A level is not written in numbers.
        """
        for text in bids:
            self.bids.put(text, self.depth)
        for text in asks:
            self.asks.put(text, self.depth)

    def drop(self) -> None:
        """Forget everything: what is held is wrong."""
        self.bids.clear()
        self.asks.clear()
        self.whole = False

    def checksum(self) -> int:
        """Return Kraken's CRC32: the 10 lowest asks, then the 10 highest bids, without points or leading zeros."""
        texts = (text for side in (self.asks, self.bids) for level in side.best(CHECKED) for text in level)
        return crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())


@dataclass(frozen=True, slots=True)
class Update:
    """One update of a chain: it covers the numbers `first` to `last`, both inclusive."""

    first: int
    last: int
    ts_event: int
    bids: list[TextLevel]
    asks: list[TextLevel]

    @property
    def levels(self) -> int:
        """How many levels it changes."""
        return len(self.bids) + len(self.asks)


@dataclass(slots=True)
class Chain:
    """Updates whose numbers follow each other, joined to a snapshot that comes by another way (Binance's U and u)."""

    book: Book
    last: int = -1  # number of the last update that the book holds; -1 before a snapshot
    waiting: deque[Update] = field(default_factory=deque)
    waiting_levels: int = 0
    stale: int = 0  # updates older than the book: dropped

    def join(self, last: int, bids: Iterable[TextLevel], asks: Iterable[TextLevel]) -> list[Update] | None:
        """Take a snapshot that holds every update up to `last`; return the waiting updates that went on top of it.

        None where numbers are missing between the snapshot and them, or among them: a newer snapshot is needed.

        Raises:
            ValueError: A level is not written in numbers.
        """
        while self.waiting and self.waiting[0].last <= last:
            self._next()
            self.stale += 1
        if self.waiting and self.waiting[0].first > last + 1:
            return None
        self.book.replace(bids, asks)
        self.last = last
        joined: list[Update] = []
        while self.waiting and self.waiting[0].first <= self.last + 1:
            update = self._next()
            self._take(update)
            joined.append(update)
        if not self.waiting:
            return joined
        self._lose()
        return None

    def follow(self, update: Update) -> bool:
        """Take `update` if it goes on from the book; return False if numbers are missing before it.

        Before a snapshot it waits. A missing number makes the book worthless: it is dropped, and this update waits for
        the next snapshot.

        Raises:
            ValueError: A level is not written in numbers.
        """
        if self.last < 0:
            self._wait(update)
            return True
        if update.last <= self.last:
            self.stale += 1
            return True
        if update.first > self.last + 1:
            self._lose()
            self._wait(update)
            return False
        self._take(update)
        return True

    def _wait(self, update: Update) -> None:
        """Let `update` wait; where too much waits, the oldest are forgotten, and a newer snapshot will be needed."""
        self.waiting.append(update)
        self.waiting_levels += update.levels
        while len(self.waiting) > MOST_BUFFERED or (self.waiting_levels > MOST_BUFFERED_LEVELS and self.waiting):
            self._next()

    def _next(self) -> Update:
        update = self.waiting.popleft()
        self.waiting_levels -= update.levels
        return update

    def _lose(self) -> None:
        self.book.drop()
        self.last = -1

    def _take(self, update: Update) -> None:
        self.book.change(update.bids, update.asks)
        self.last = update.last
