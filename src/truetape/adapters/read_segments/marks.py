"""What was written after the segments were made, and therefore has to be read from the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import msgspec

from truetape.adapters.read_segments.fresh import MOST_ROWS, Lines, Run, packed
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


@dataclass(slots=True)
class Mark:
    """Where one instrument was written to in one period, and with which version of the store at last.

    `runs` are all rows that were written, as long as each came after those before it and replaced none; else None.
    """

    first: int
    last: int
    version: int
    runs: list[Run] | None
    pending: int = 0  # commits that have begun and not ended

    @property
    def known(self) -> list[Run]:
        """The rows that were written, if all of them are here."""
        return self.runs if self.runs is not None and not self.pending else []


@dataclass(frozen=True, slots=True)
class Begun:
    """What a commit is about to write under a mark."""

    mark: Mark
    span: Span
    lines: Lines | None  # what is to be kept of it


@dataclass
class _Page:
    """The marks of one period, and the span that holds them all."""

    first: int = END_NS
    last: int = FIRST_NS
    marks: dict[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class Touched:
    """What the segments lack of a question.

    `instruments` (ALL: every one) have to be read from the store, from `first` to `last`, inclusive. Of others all that
    is lacking are `runs`; rows of a run may lie outside of what was asked.
    """

    instruments: frozenset[str]
    first: int
    last: int
    runs: tuple[Run, ...] = field(default=(), compare=False)

    @property
    def is_everything(self) -> bool:
        """Whether it is about every instrument."""
        return ALL in self.instruments


class Marks:
    """The marks of all timeframes; of more than `most` instruments in a period, one mark stands for all."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._pages: dict[str, dict[str, _Page]] = {}
        self._kept = 0  # rows

    def begin(
        self,
        spans: Iterable[Span],
        *,
        lines: Mapping[Span, Lines] = MappingProxyType({}),
        ends: Mapping[Span, int] = MappingProxyType({}),
    ) -> list[Begun]:
        """Mark what a commit is about to write; hand what is returned to `end`.

        Args:
            spans: What it writes.
            lines: The rows of those spans that may be kept: each lies in one period, and no row replaces another.
            ends: The last instant that segments hold of the series in that period, for instruments of which no row
                was ever replaced or withdrawn there. Spans without a mark are kept only with it.
        """
        begun = []
        for span in spans:
            for period in periods_between(span.timeframe, span.first, span.last):
                page = self._pages.setdefault(span.timeframe, {}).setdefault(period.label, _Page())
                mark = self._mark(page, span.instrument, end=ends.get(span))
                first, last = max(span.first, period.first), min(span.last, period.end - 1)
                if mark.pending or first <= mark.last or span not in lines:
                    self._drop(mark)
                page.first, page.last = min(page.first, first), max(page.last, last)
                mark.first, mark.last = min(mark.first, first), max(mark.last, last)
                mark.pending += 1
                mark.version = UNDER_WAY
                begun.append(Begun(mark, span, lines.get(span)))
        return begun

    def end(self, begun: Iterable[Begun], *, version: int, is_written: bool) -> None:
        """Note that a commit is over, that the store has this version now, and whether everything was written."""
        for one in begun:
            mark = one.mark
            mark.pending -= 1
            if not mark.pending:
                mark.version = version
            if not is_written:
                self._drop(mark)
            elif mark.runs is not None and one.lines is not None:
                self._keep(mark, Run(one.span.instrument, one.lines, version))

    def add(self, spans: Iterable[Span], *, version: int) -> None:
        """Mark what was written before, up to `version`."""
        self.end(self.begin(spans), version=version, is_written=True)

    def touched(self, timeframe: str, *, instruments: Collection[str] | None, first: int, last: int) -> Touched | None:
        """Return what was written to of these instruments (None: all) from `first` to `last`; None: nothing was."""
        asked: dict[str, list[Mark]] = {}
        for page in self._pages.get(timeframe, {}).values():
            if page.first <= last and page.last >= first:
                for name, mark in _of(page, instruments):
                    if mark.first <= last and mark.last >= first:
                        asked.setdefault(name, []).append(mark)
        if not asked:
            return None
        unknown = asked
        if ALL not in asked:
            unknown = {name: marks for name, marks in asked.items() if not all(one.known for one in marks)}
        runs = [run for name, marks in asked.items() if name not in unknown for one in marks for run in one.known]
        low = min((one.first for marks in unknown.values() for one in marks), default=END_NS)
        high = max((one.last for marks in unknown.values() for one in marks), default=FIRST_NS)
        return Touched(frozenset(unknown), max(low, first), min(high, last), tuple(runs))

    def forget(self, timeframe: str, label: str, *, version: int) -> None:
        """Drop the marks of a period whose segments hold everything up to `version`."""
        page = self._pages.get(timeframe, {}).get(label)
        if page is None:
            return
        for mark in page.marks.values():
            self._drop(mark)  # of those that stay the segments hold some rows
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

    def is_marked(self, timeframe: str, label: str, instrument: str) -> bool:
        """Return whether the instrument was written to in this period."""
        page = self._pages.get(timeframe, {}).get(label)
        return page is not None and (ALL in page.marks or instrument in page.marks)

    def _mark(self, page: _Page, instrument: str, *, end: int | None) -> Mark:
        """Return the mark of an instrument, or of all; a new one of an instrument whose rows end at `end`."""
        if ALL in page.marks or (len(page.marks) >= self._most and instrument not in page.marks):
            instrument = ALL
        mark = page.marks.get(instrument)
        if mark is None and instrument == ALL:
            mark = Mark(page.first, page.last, UNDER_WAY, None)
        elif mark is None:
            mark = Mark(END_NS, FIRST_NS if end is None else end, UNDER_WAY, None if end is None else [])
        page.marks[instrument] = mark
        return mark

    def _keep(self, mark: Mark, run: Run) -> None:
        assert mark.runs is not None, "what is not known is not added to"
        if self._kept + run.lines.count > MOST_ROWS:
            self._drop(mark)
            return
        self._kept += run.lines.count
        mark.runs.append(run)
        mark.runs = packed(mark.runs)

    def _drop(self, mark: Mark) -> None:
        """Leave what was written under a mark to the store."""
        self._kept -= sum(run.lines.count for run in mark.runs or ())
        mark.runs = None


def _of(page: _Page, instruments: Collection[str] | None) -> Iterator[tuple[str, Mark]]:
    if instruments is None or len(instruments) > len(page.marks):
        yield from ((name, one) for name, one in page.marks.items() if _is_wanted(name, instruments))
        return
    for name in (*instruments, ALL):
        if (mark := page.marks.get(name)) is not None:
            yield name, mark


def _is_wanted(name: str, instruments: Collection[str] | None) -> bool:
    return instruments is None or name == ALL or name in instruments
