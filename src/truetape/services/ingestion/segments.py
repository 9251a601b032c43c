"""What a connection said in a short time: the lines that are archived, and whom they are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from truetape.domain.captures import answered, opened, received
from truetape.domain.ticks import Gap, Tick, Told


@dataclass(slots=True)
class Segment:
    """Lines in the order in which they came, and what they amount to."""

    since_ns: int  # when it was begun
    closed_ns: int = 0  # when it was handed on
    lines: list[bytes] = field(default_factory=list)
    size: int = 0  # bytes
    frames: int = 0
    ticks: int = 0
    symbols: set[str] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)
    about_all: bool = False  # it speaks of all symbols of the connection
    ended: str = ""

    def open(self, url: str, ts_known: int) -> None:
        """Note that the connection was opened; `url` holds no secret."""
        self._add(opened(url, ts_known))

    def hear(self, frame: str | bytes, ts_known: int, ticks: Iterable[Tick]) -> list[Told]:
        """Take a frame and what it says; return what is said of the connection itself."""
        self._add(received(frame, ts_known))
        self.frames += 1
        return self._count(ticks)

    def answer(self, url: str, body: bytes, ts_known: int, ticks: Iterable[Tick]) -> list[Told]:
        """Take an answer that came over HTTP, as `hear` takes a frame."""
        self._add(answered(url, body, ts_known))
        return self._count(ticks)

    def gap(self, gap: Gap) -> None:
        """Note that something was not heard."""
        self.gaps.append(gap)
        if gap.symbol:
            self.symbols.add(gap.symbol)
        else:
            self.about_all = True

    def _add(self, line: bytes) -> None:
        self.lines.append(line)
        self.size += len(line)

    def _count(self, ticks: Iterable[Tick]) -> list[Told]:
        told: list[Told] = []
        add = self.symbols.add
        for tick in ticks:
            if isinstance(tick, Told):
                told.append(tick)
            elif isinstance(tick, Gap):
                self.gap(tick)
            else:
                self.ticks += 1
                add(tick.symbol)
        return told
