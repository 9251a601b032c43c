"""Replay recorded captures through the code that reads a live socket, and report what it made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

import msgspec

from truetape.app.capture_lines import Line, lines
from truetape.domain.book import Book, TextLevel
from truetape.domain.captures import bytes_of, frame_of
from truetape.domain.errors import BadInput
from truetape.domain.ticks import Gap, Tick, Told
from truetape.domain.time import iso
from truetape.domain.tracks import Key
from truetape.ports.feed import Feed

STREAMS: Final = ("alpaca", "binance", "coinbase", "finnhub", "iex_cloud", "kraken", "massive", "tiingo", "yahoo")
MOST_ROWS: Final = 20_000
MOST_WORDS: Final = 20


class BookState(msgspec.Struct, frozen=True, kw_only=True):
    """A book at the end of the capture, in the exchange's own text, best levels first."""

    whole: bool  # False: no snapshot came, or something was missed since
    bid_levels: int
    ask_levels: int
    bids: list[TextLevel]
    asks: list[TextLevel]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard of one symbol on one channel."""

    channel: str
    symbol: str
    messages: int  # frames that spoke of it
    records: int  # trades, quotes, bars and changes of books that came out
    stale: int  # repeats and updates older than what was held: dropped
    gaps: int
    checksums_right: int
    checksums_wrong: int
    book: BookState | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What captures say. Instants are in ISO 8601."""

    provider: str
    captures: list[str]
    first: str  # instant of the first and of the last line
    last: str
    lines: dict[str, int]  # received, sent, opened, answer or other
    told: dict[str, int]  # what was said of connections
    words: list[str]  # of the first refusals and frames that could not be read
    rows: list[Row]  # by channel and symbol
    left_out: int  # records of symbols beyond the first 20,000


@dataclass(slots=True)
class _Counts:
    messages: int = 0
    records: int = 0
    stale: int = 0
    gaps: int = 0
    right: int = 0
    wrong: int = 0
    book: Book | None = None


class _Ear:
    """One conversation of a capture, and what it said of each symbol."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.received = 0
        self.left_out = 0
        self.told: Counter[str] = Counter()
        self.words: list[str] = []
        self._counts: dict[Key, _Counts] = {}

    def hear(self, line: Line) -> None:
        """Give a line to the feed as a socket or an answer would."""
        if line.kind == "answer":
            self._count(self.feed.fetched(line.url, bytes_of(line.body), line.ts_known))
        else:
            self.received += 1
            self._count(self.feed.receive(frame_of(line.body), line.ts_known))
            self.feed.replies()
        self.feed.wanted()

    def counts(self) -> dict[Key, _Counts]:
        """Return what was counted, with what the feed counted itself."""
        for key, track in self.feed.tracks.items():
            counts = self._of(key)
            counts.messages = track.messages or counts.messages
            counts.stale, counts.right, counts.wrong, counts.book = track.stale, track.right, track.wrong, track.book
        return self._counts

    def _count(self, ticks: list[Tick]) -> None:
        heard: set[Key] = set()
        for tick in ticks:
            if isinstance(tick, Told):
                self._note(tick)
                continue
            key = (tick.channel, tick.symbol)
            counts = self._of(key)
            if isinstance(tick, Gap):
                counts.gaps += 1
                continue
            counts.records += 1
            counts.messages += key not in heard
            heard.add(key)

    def _of(self, key: Key) -> _Counts:
        found = self._counts.get(key)
        if found is None:
            found = _Counts()
            if len(self._counts) >= MOST_ROWS:
                self.left_out += 1
                return found
            self._counts[key] = found
        return found

    def _note(self, tick: Told) -> None:
        self.told[tick.what] += 1
        if tick.what in ("refused", "unreadable") and len(self.words) < MOST_WORDS:
            failure = f" ({tick.failure.failure_class.value})" if tick.failure else ""
            self.words.append(f"{tick.what}{failure}: {tick.words}")


@dataclass
class _Replay:
    """All captures together: each is a conversation, and begins another where a connection is opened again."""

    make: Callable[[], Feed]
    ears: list[_Ear] = field(default_factory=list)
    ended: list[_Ear] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    first: int = 0
    last: int = 0

    def take(self, line: Line) -> None:
        """Give `line` to whom it concerns: an answer over REST to all conversations."""
        self.kinds[line.kind] += 1
        if line.kind == "other":
            return
        self.first = self.first or line.ts_known
        self.last = max(self.last, line.ts_known)
        if line.kind == "received":
            self.ears[line.file].hear(line)
        elif line.kind == "answer":
            for ear in self.ears:
                ear.hear(line)
        elif line.kind == "opened" and self.ears[line.file].received:
            self.ended.append(self.ears[line.file])
            self.ears[line.file] = _Ear(self.make())

    def heard(self) -> list[_Ear]:
        """Return the conversations that received something; the first of all if none did."""
        return [ear for ear in (*self.ended, *self.ears) if ear.received] or self.ears[:1]


def replay(captures: Sequence[str], *, provider: str) -> Report:
    """Return what the captures say, read in order of time as if they were heard live; "-" is standard input.

    Raises:
        BadInput: The provider has no stream that is known, or a capture cannot be read or holds nothing of one.
    """
    if provider not in STREAMS:
        raise BadInput(parameter="--provider", value=provider, fix=f"Choose one of {', '.join(STREAMS)}.")
    make: Callable[[], Feed] = import_module(f"truetape.providers.{provider}.feed").make
    state = _Replay(make, [_Ear(make()) for _ in captures])
    for line in lines(captures):
        state.take(line)
    if not set(state.kinds) - {"other"}:
        fix = "No line of it is `<seconds>: <message>` or `<url> -> <seconds>: <answer>`: it is no capture."
        raise BadInput(parameter="The capture", value=", ".join(captures)[:200], fix=fix)
    return _report(state, captures, provider)


def _report(state: _Replay, captures: Sequence[str], provider: str) -> Report:
    ears = state.heard()
    counted: dict[Key, _Counts] = {}
    for ear in ears:
        for key, counts in ear.counts().items():
            counted[key] = _both(counted[key], counts) if key in counted else counts
    told = sum((ear.told for ear in ears), Counter[str]())
    return Report(
        provider=provider,
        captures=list(captures),
        first=iso(state.first),
        last=iso(state.last),
        lines=dict(sorted(state.kinds.items())),
        told=dict(sorted(told.items())),
        words=[words for ear in ears for words in ear.words][:MOST_WORDS],
        rows=[_row(key, counts) for key, counts in sorted(counted.items())],
        left_out=sum(ear.left_out for ear in ears),
    )


def _both(earlier: _Counts, later: _Counts) -> _Counts:
    return _Counts(
        messages=earlier.messages + later.messages,
        records=earlier.records + later.records,
        stale=earlier.stale + later.stale,
        gaps=earlier.gaps + later.gaps,
        right=earlier.right + later.right,
        wrong=earlier.wrong + later.wrong,
        book=later.book or earlier.book,
    )


def _row(key: Key, counts: _Counts) -> Row:
    return Row(
        channel=key[0],
        symbol=key[1],
        messages=counts.messages,
        records=counts.records,
        stale=counts.stale,
        gaps=counts.gaps,
        checksums_right=counts.right,
        checksums_wrong=counts.wrong,
        book=_state(counts.book) if counts.book else None,
    )


def _state(book: Book) -> BookState:
    return BookState(
        whole=book.whole,
        bid_levels=len(book.bids),
        ask_levels=len(book.asks),
        bids=book.bids.best(len(book.bids)),
        asks=book.asks.best(len(book.asks)),
    )
