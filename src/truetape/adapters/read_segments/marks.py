"""What was written after the segments were made, and therefore has to be read from the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from truetape.adapters.read_segments.layout import END_NS, FIRST_NS, periods_between

ALL: Final = ""  # stands for every instrument; no instrument has this id
MOST: Final = 50_000  # instruments that are told apart in one period
UNDER_WAY: Final = 2**63 - 1  # later than any version of a store


class Span(msgspec.Struct, frozen=True, array_like=True):
    """What one commit wrote of one series: from `first` to `last`, both inclusive, UTC nanoseconds."""

    timeframe: str
    instrument: str
    first: int
    last: int


class Mark(msgspec.Struct, array_like=True):
    """Where one instrument was written to in one period, and with which version of the store at last."""

    first: int
    last: int
    version: int
    pending: int = 0  # commits that have begun and not ended


@dataclass
class _Page:
    """The marks of one period, and the span that holds them all."""

    first: int = END_NS
    last: int = FIRST_NS
    marks: dict[str, Mark] = field(default_factory=dict)


class Touched(msgspec.Struct, frozen=True):
    """What of a question has to be read from the store: these instruments (ALL: every one) in this span, inclusive."""

    instruments: frozenset[str]
    first: int
    last: int

    @property
    def is_everything(self) -> bool:
        """Whether it is about every instrument."""
        return ALL in self.instruments


class Marks:
    """The marks of all timeframes; of more than `most` instruments in a period, one mark stands for all."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._pages: dict[str, dict[str, _Page]] = {}

    def begin(self, spans: Iterable[Span]) -> list[Mark]:
        """Mark what a commit is about to write; hand what is returned to `end`."""
        marked = list(self._marked(spans))
        for mark in marked:
            mark.pending += 1
            mark.version = UNDER_WAY
        return marked

    def end(self, marked: Iterable[Mark], *, version: int) -> None:
        """Note that a commit is over, and that the store has this version now."""
        for mark in marked:
            mark.pending -= 1
            if not mark.pending:
                mark.version = version

    def add(self, spans: Iterable[Span], *, version: int) -> None:
        """Mark what was written before, up to `version`."""
        self.end(self.begin(spans), version=version)

    def touched(self, timeframe: str, *, instruments: Collection[str] | None, first: int, last: int) -> Touched | None:
        """Return what was written to of these instruments (None: all) from `first` to `last`; None: nothing was."""
        names: set[str] = set()
        low, high = END_NS, FIRST_NS
        for page in self._pages.get(timeframe, {}).values():
            if page.first > last or page.last < first:
                continue
            for name, mark in _of(page, instruments):
                if mark.first <= last and mark.last >= first:
                    names.add(name)
                    low, high = min(low, mark.first), max(high, mark.last)
        return Touched(frozenset(names), max(low, first), min(high, last)) if names else None

    def forget(self, timeframe: str, label: str, *, version: int) -> None:
        """Drop the marks of a period whose segments hold everything up to `version`."""
        page = self._pages.get(timeframe, {}).get(label)
        if page is None:
            return
        page.marks = {name: mark for name, mark in page.marks.items() if mark.version > version}
        if not page.marks:
            del self._pages[timeframe][label]
            return
        page.first = min(mark.first for mark in page.marks.values())
        page.last = max(mark.last for mark in page.marks.values())

    def labels(self) -> dict[tuple[str, str], int]:
        """Return the periods that have marks, as timeframe and label, with how many."""
        return {
            (timeframe, label): len(page.marks)
            for timeframe, pages in self._pages.items()
            for label, page in pages.items()
        }

    def spans(self) -> list[Span]:
        """Return the marks as spans."""
        return [
            Span(timeframe, name, mark.first, mark.last)
            for timeframe, pages in self._pages.items()
            for page in pages.values()
            for name, mark in page.marks.items()
        ]

    def _marked(self, spans: Iterable[Span]) -> Iterator[Mark]:
        """Yield the mark of each period of each span, widened by it."""
        for span in spans:
            for period in periods_between(span.timeframe, span.first, span.last):
                pages = self._pages.setdefault(span.timeframe, {})
                page = pages.setdefault(period.label, _Page())
                first, last = max(span.first, period.first), min(span.last, period.end - 1)
                page.first, page.last = min(page.first, first), max(page.last, last)
                yield _widened(page, span.instrument, first, last, most=self._most)


def _widened(page: _Page, instrument: str, first: int, last: int, *, most: int) -> Mark:
    if ALL in page.marks or (len(page.marks) >= most and instrument not in page.marks):
        instrument = ALL
    mark = page.marks.get(instrument)
    if mark is None:
        mark = page.marks[instrument] = Mark(first, last, UNDER_WAY)
        if instrument == ALL:
            mark.first, mark.last = page.first, page.last
    mark.first, mark.last = min(mark.first, first), max(mark.last, last)
    return mark


def _of(page: _Page, instruments: Collection[str] | None) -> Iterator[tuple[str, Mark]]:
    if instruments is None or len(instruments) > len(page.marks):
        yield from ((name, one) for name, one in page.marks.items() if _is_wanted(name, instruments))
        return
    for name in (*instruments, ALL):
        if (mark := page.marks.get(name)) is not None:
            yield name, mark


def _is_wanted(name: str, instruments: Collection[str] | None) -> bool:
    return instruments is None or name == ALL or name in instruments
