"""All segments as they are at one time, and which of their rows answer a question."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from truetape.adapters.read_segments.decode import Piece
from truetape.adapters.read_segments.layout import FIRST_NS, Period, periods
from truetape.adapters.read_segments.lists import Lists
from truetape.adapters.read_segments.manifest import Filled, Manifest
from truetape.adapters.read_segments.marks import ALL
from truetape.adapters.read_segments.question import Question
from truetape.adapters.read_segments.segment import Segment


@dataclass(frozen=True)
class Row:
    """The segments of one period, in the order of their instruments."""

    period: Period
    version: int
    segments: tuple[Segment, ...]

    def segment_of(self, instrument: bytes) -> Segment:
        """Return the segment in which the instrument stands, if it stands in any."""
        if len(self.segments) == 1:
            return self.segments[0]
        return self.segments[max(0, bisect_right(self.segments, instrument, key=_first_key) - 1)]


@dataclass(frozen=True)
class Shelf:
    """The segments of one timeframe, ascending in time; periods without segments are empty since `version`."""

    version: int
    rows: tuple[Row, ...]
    lists: Lists

    def ends(self, label: str, instruments: Sequence[str]) -> list[int | None]:
        """Return the last instant of each instrument in the period `label`, or an earlier one than any if it has none.

        It is None for instruments of which a row was replaced or withdrawn.

        Raises:
            OSError: A segment cannot be read.
        """
        row = next((one for one in self.rows if one.period.label == label), None)
        ends: dict[str, int | None] = {}
        for segment in row.segments if row is not None else ():
            ends |= segment.ends(instruments)
        return [ends.get(name, FIRST_NS) for name in instruments]

    def between(self, first: int, end: int) -> tuple[Row, ...]:
        """Return the periods that hold an instant from `first` (inclusive) to `end` (exclusive)."""
        if not self.rows or (first <= self.rows[0].period.first and end >= self.rows[-1].period.end):
            return self.rows
        return tuple(one for one in self.rows if one.period.first < end and one.period.end > first)


class Shelves:
    """The shelves of all timeframes. What is here never changes: a new segment makes new shelves."""

    def __init__(self, shelves: Mapping[str, Shelf]) -> None:
        self._shelves = shelves

    @classmethod
    def of(cls, root: Path, manifest: Manifest, *, before: Self | None = None) -> Self:
        """Return the shelves of `manifest`; segments that stood on those `before` are not opened again."""
        held = {one.folder: one for one in before.segments()} if before is not None else {}
        shelves = {}
        for timeframe, version in manifest.surveyed.items():
            if timeframe not in manifest.unfit:
                rows = tuple(_rows(root, timeframe, manifest.filled.get(timeframe, {}), held))
                lists = Lists(one for row in rows for one in row.segments)
                shelves[timeframe] = Shelf(version, rows, lists)
        return cls(shelves)

    def of_timeframe(self, timeframe: str) -> Shelf | None:
        """Return the shelf of `timeframe`, or None if its periods are not known."""
        return self._shelves.get(timeframe)

    def segments(self) -> Iterator[Segment]:
        """Yield every segment."""
        yield from (one for shelf in self._shelves.values() for row in shelf.rows for one in row.segments)


def pieces(shelf: Shelf, question: Question, *, except_for: frozenset[str], low: int, high: int) -> list[Piece]:
    """Return the rows that answer `question`, but those of `except_for` from `low` (inclusive) to `high` (exclusive).

    With instruments they come instrument by instrument, each ascending; else period by period, each in order.
    """
    rows = shelf.between(question.first, question.end)
    if question.instruments is None:
        found = [one for row in rows for one in _of_all(row, question, except_for, low, high)]
    else:
        found = []
        for name in question.instruments:
            spans = [(question.first, question.end)]
            if name in except_for or ALL in except_for:
                spans = [(question.first, low), (high, question.end)]
            found += list(_of_one(rows, name, spans))
    if question.as_of is None:
        return found
    return [one.known_by(question.as_of) for one in found]


def changed(shelf: Shelf, question: Question) -> Iterator[str]:
    """Yield the instruments of `question` of which rows were replaced or withdrawn."""
    for row in shelf.between(question.first, question.end):
        if question.instruments is None:
            for segment in row.segments:
                yield from segment.names.filter(segment.changed)
            continue
        for name in question.instruments:
            key = name.encode()
            segment = row.segment_of(key)
            place = segment.place(key)
            if place is not None and segment.changed[place]:
                yield name


def _of_one(rows: Iterable[Row], name: str, spans: list[tuple[int, int]]) -> Iterator[Piece]:
    key = name.encode()
    for row in rows:
        segment = row.segment_of(key)
        place = segment.place(key)
        if place is None:
            continue
        period = row.period
        for first, end in spans:
            if first <= period.first and end >= period.end:
                start, stop = segment.rows_of(place)
            elif first < period.end and end > period.first and first < end:
                start, stop = segment.within(place, first, end)
            else:
                continue
            if start < stop:
                yield Piece(segment, slice(start, stop), name)


def _of_all(row: Row, question: Question, except_for: frozenset[str], low: int, high: int) -> Iterator[Piece]:
    for segment in row.segments:
        if question.first <= row.period.first and question.end >= row.period.end:
            numbers: slice | Any = slice(0, segment.rows)
        else:
            numbers = segment.on_days(question.first, question.end)
        yield Piece(segment, _left(segment, numbers, except_for, low, high))


def _left(segment: Segment, numbers: slice | Any, except_for: frozenset[str], low: int, high: int) -> slice | Any:
    places = [place for name in except_for if (place := segment.place(name.encode())) is not None]
    is_all = ALL in except_for
    if not places and not is_all:
        return numbers
    rows = np.arange(numbers.start, numbers.stop, dtype=np.uint32) if isinstance(numbers, slice) else numbers
    events = segment.events[rows]
    out = (events >= low) & (events < high)
    if not is_all:
        out &= np.isin(segment.codes("series", rows), places)
    return rows[~out]


def _rows(root: Path, timeframe: str, filled: Mapping[str, Filled], held: Mapping[Path, Segment]) -> Iterator[Row]:
    for period in periods(timeframe):
        one = filled.get(period.label)
        if one is not None and one.parts:
            folders = ((root / part.folder, part.rows) for part in one.parts)
            segments = tuple(held.get(folder) or Segment(folder, rows=rows) for folder, rows in folders)
            yield Row(period, one.version, segments)


def _first_key(segment: Segment) -> bytes:
    return segment.first_key
