"""Which questions segments can answer, and what of them is left to ask the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.adapters.read_segments.fresh import Run, together
from truetape.adapters.read_segments.layout import COLUMNS, END_NS, FIRST_NS, TABLE
from truetape.adapters.read_segments.marks import Touched
from truetape.domain.time import DAY_NS, day_start_ns
from truetape.ports.store import Selection

_ASKED: Final = frozenset({"instrument_id", "timeframe"})
_FIRST_DAY: Final = date(1678, 1, 1)  # instants reach from 1677 to 2262
_LAST_DAY: Final = date(2261, 12, 31)


@dataclass(frozen=True)
class Question:
    """A selection as segments see it. `first` is inclusive and `end` exclusive, both UTC nanoseconds."""

    selection: Selection
    timeframe: str
    instruments: tuple[str, ...] | None  # ascending, each once; None: all
    first: int
    end: int
    columns: tuple[str, ...]

    @property
    def span(self) -> tuple[int, int]:
        """Both bounds."""
        return self.first, self.end

    @property
    def as_of(self) -> int | None:
        """The knowledge time, UTC nanoseconds, inclusive."""
        return self.selection.as_of

    @property
    def names(self) -> tuple[str, ...]:
        """The columns wanted, and those that rows are put in order by."""
        return (*self.columns, *(name for name in ("instrument_id", "ts_event") if name not in self.columns))


def question_of(table: str, selection: Selection) -> Question | None:
    """Return `selection` as a question to segments, or None if the store has to answer it.

    Segments hold the current bars of one timeframe: no superseded versions, no withdrawals, no other conditions.
    """
    equal = selection.equal
    timeframe = equal.get("timeframe", ())
    if table != TABLE or len(timeframe) != 1 or not _ASKED.issuperset(equal):
        return None
    if selection.history or selection.withdrawn or selection.since_version is not None:
        return None
    if not COLUMNS.keys() >= set(selection.columns) or (selection.limit or 0) < 0:
        return None
    asked = equal.get("instrument_id")
    instruments = None if asked is None else tuple(sorted({*asked}))
    bounds = _bounds(selection)
    if bounds is None or (instruments is not None and not all(instruments)):
        return None
    first, end = bounds
    return Question(selection, timeframe[0], instruments, first, end, selection.columns or tuple(COLUMNS))


def rest_of(question: Question, touched: Touched) -> tuple[Selection, int, int]:
    """Return what to ask the store for, and the span that it is about: first instant, and the one after the last."""
    asked = question.selection
    start = asked.start if touched.first <= question.first else _day(touched.first)
    end = asked.end if touched.last >= question.end - 1 else _day(touched.last)
    equal: dict[str, tuple[str, ...]] = {"timeframe": (question.timeframe,)}
    names = question.instruments if touched.is_everything else tuple(sorted(touched.instruments))
    if names is not None:
        equal["instrument_id"] = names
    rest = replace(asked, equal=equal, start=start, end=end, columns=question.names, limit=None)
    low = question.first if start == asked.start else day_start_ns(start or date.min)
    high = question.end if end == asked.end else day_start_ns((end or date.max) + timedelta(days=1))
    return rest, low, high


def kept_of(question: Question, runs: Sequence[Run]) -> pl.DataFrame | None:
    """Return those rows of `runs` that answer `question`, or None if some are newer than the version it asks for."""
    version = question.selection.at_version
    if version is not None and any(run.after > version for run in runs):
        return None
    rows = together(runs)
    event = pl.col("ts_event").to_physical()
    conditions = [event >= question.first] if question.first > FIRST_NS else []
    conditions += [event < question.end] if question.end < END_NS else []
    if question.as_of is not None:
        conditions.append(pl.col("ts_known").to_physical() <= question.as_of)
    return (rows.filter(conditions) if conditions else rows).select(question.names)


def _bounds(selection: Selection) -> tuple[int, int] | None:
    """Return the first instant and the one after the last; None where there is none, or none that can be counted."""
    days = [day for day in (selection.start, selection.end) if day is not None]
    if not all(_FIRST_DAY <= day <= _LAST_DAY for day in days):
        return None
    first = FIRST_NS if selection.start is None else day_start_ns(selection.start)
    end = END_NS if selection.end is None else day_start_ns(selection.end + timedelta(days=1))
    return (first, end) if first < end else None


def _day(instant_ns: int) -> date:
    return date(1970, 1, 1) + timedelta(days=instant_ns // DAY_NS)
