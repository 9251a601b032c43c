"""What was heard of one symbol on one channel: counts, sequence numbers with their gaps, and the order book."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from truetape.domain.book import Book
from truetape.domain.ticks import Gap, Tick, Trade

MOST_TRACKS: Final = 20_000  # symbols times channels of one feed; a server cannot make us keep more
MOST_MISSING: Final = 64  # ranges of numbers that may still come late

Place = Literal["next", "gap", "late", "repeat"]
Key = tuple[str, str]  # channel and symbol, both as the provider writes them


@dataclass(slots=True)
class Track:
    """Counts and state of one symbol on one channel."""

    messages: int = 0
    stale: int = 0  # repeats, and updates older than what is held: dropped
    right: int = 0  # checksums that agreed
    wrong: int = 0
    gaps: int = 0
    last: int = -1  # the highest sequence number heard; -1 before the first
    since: int = 0  # ts_event of the last thing heard, UTC nanoseconds
    book: Book | None = None
    missing: list[tuple[int, int]] = field(default_factory=list)  # numbers not heard yet, first and last inclusive

    def place(self, number: int) -> Place:
        """Return where `number` stands in a sequence that goes on by 1, and remember it; the first is always next."""
        expected = self.last + 1
        if number == expected or self.last < 0:
            self.last = number
            return "next"
        if number > expected:
            self.missing = [*self.missing[1 - MOST_MISSING :], (expected, number - 1)]
            self.last = number
            return "gap"
        return "late" if self._fill(number) else "repeat"

    def behind(self, number: int) -> bool:
        """Return whether numbers up to `number`, which the server says were sent, have not come; they may come late."""
        if self.last < 0 or number <= self.last:
            return False
        self.missing = [*self.missing[1 - MOST_MISSING :], (self.last + 1, number)]
        self.last = number
        return True

    def gap(self, key: Key, *, ts_known: int, words: str) -> Gap:
        """Return the gap that was noticed at `ts_known`, and count it."""
        self.gaps += 1
        channel, symbol = key
        return Gap(symbol=symbol, channel=channel, ts_event=ts_known, since=self.since, words=words)

    def _fill(self, number: int) -> bool:
        """Take `number` out of what is missing; return whether it was there."""
        for at, (first, last) in enumerate(self.missing):
            if first <= number <= last:
                around = [(first, number - 1), (number + 1, last)]
                self.missing[at : at + 1] = [one for one in around if one[0] <= one[1]]
                return True
        return False


class Tracks(dict[Key, Track]):
    """Tracks by channel and symbol, at most MOST_TRACKS; one more is kept by nobody."""

    def of(self, channel: str, symbol: str) -> Track:
        """Return the track of `symbol` on `channel`, begun if it is new."""
        found = self.get((channel, symbol))
        if found is None:
            found = Track()
            if len(self) < MOST_TRACKS:
                self[channel, symbol] = found
        return found

    def trade(self, trade: Trade, *, number: int, ts_known: int) -> list[Tick]:
        """Return `trade`, before it the gap that its `number` shows, or nothing for a repeat; numbers go on by 1."""
        track = self.of(trade.channel, trade.symbol)
        track.messages += 1
        expected = track.last + 1
        place = track.place(number)
        if place == "repeat":
            track.stale += 1
            return []
        if place != "gap":
            track.since = max(track.since, trade.ts_event)
            return [trade]
        words = f"trade {expected} was expected and {number} came"
        gap = track.gap((trade.channel, trade.symbol), ts_known=ts_known, words=words)
        track.since = trade.ts_event
        return [gap, trade]
