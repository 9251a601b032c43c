"""Kraken's order books: every update is checked against the exchange's own CRC32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from truetape.domain.book import Book, TextLevel, levels
from truetape.domain.conversation import refused
from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Depth, Tick
from truetape.domain.tracks import Track, Tracks

MOST_BOOKS: Final = 1_000
KEPT_LEVELS: Final = 1_000
PATIENCE: Final = 3  # wrong checksums in a row after which the same book is not asked for again


@dataclass(frozen=True, slots=True)
class BookNews:
    """What a frame says of one book; `checksum` is None where it states none."""

    channel: str
    symbol: str
    ts_event: int
    bids: list[TextLevel]
    asks: list[TextLevel]
    snapshot: bool
    checksum: int | None
    depth: int  # levels of a side that were subscribed to


class CheckedBooks:
    """The books of one connection. `spoilt` fills with the channel and symbol of each that must be asked for again."""

    def __init__(self, tracks: Tracks) -> None:
        """Keep the books on `tracks`."""
        self._tracks = tracks
        self._wrong: dict[tuple[str, str], int] = {}
        self._kept = 0
        self.spoilt: list[tuple[str, str]] = []

    def take(self, news: BookNews, ts_known: int) -> list[Tick]:
        """Return what `news` changes in its book; before it the gap, if the checksum shows that the book is wrong.

        Raises:
            ValueError: A level is not written in numbers.
        """
        track = self._tracks.of(news.channel, news.symbol)
        track.messages += 1
        book = self._book(track, news.depth)
        bids, asks = levels(news.bids), levels(news.asks)
        if book is None or not (news.snapshot or book.whole):
            track.stale += 1
            return []
        if news.snapshot:
            book.replace(news.bids, news.asks)
        else:
            book.change(news.bids, news.asks)
        if news.checksum is not None and not self._agrees(news, book, track):
            words = f"the checksum {news.checksum} was expected and {book.checksum()} found"
            book.drop()
            return [track.gap((news.channel, news.symbol), ts_known=ts_known, words=words), *self._given_up(news)]
        track.since = news.ts_event
        depth = Depth(
            symbol=news.symbol,
            ts_event=news.ts_event,
            bids=bids,
            asks=asks,
            snapshot=news.snapshot,
            channel=news.channel,
        )
        return [depth]

    def _given_up(self, news: BookNews) -> list[Tick]:
        if self._wrong[news.channel, news.symbol] != PATIENCE:
            return []
        words = f"the book of {news.symbol} was wrong {PATIENCE} times in a row and is no longer asked for"
        return [refused(FailureClass.TRANSIENT, words)]

    def _book(self, track: Track, depth: int) -> Book | None:
        if track.book is None and self._kept < MOST_BOOKS:
            self._kept += 1
            track.book = Book(depth=max(1, min(depth, KEPT_LEVELS)))
        return track.book

    def _agrees(self, news: BookNews, book: Book, track: Track) -> bool:
        key = (news.channel, news.symbol)
        if book.checksum() == news.checksum:
            track.right += 1
            self._wrong.pop(key, None)
            return True
        track.wrong += 1
        times = self._wrong[key] = self._wrong.get(key, 0) + 1
        if times < PATIENCE:
            self.spoilt.append(key)
        return False
