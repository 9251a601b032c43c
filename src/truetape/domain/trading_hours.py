"""When one venue trades, asked about many instants at once: open or not, which session, which bars are to be expected.

A session begins with its open, inclusive, and ends with its close, exclusive; a lunch break lies within it and is not
open. Sessions may begin on the day before their date, as those of futures do, and follow each other without a pause.
What lies outside the days that are known is answered with null: nothing is guessed.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.kinds import INSTANT
from truetape.domain.resampling import LENGTHS_NS
from truetape.domain.spans import Grid, trading_spans
from truetape.domain.time import DAY_NS, TIMEFRAMES, day_start_ns

MOST_LABELS: Final = 50_000_000  # of bars in one answer
_PERIODS: Final = {"1d": "1d", "1w": "1w", "1mo": "1mo"}
_NEVER: Final = np.iinfo(np.int64).min


class TradingHours:
    """The sessions of one venue, in the order of time, as arrays that a million questions are answered from at once.

    Questions and answers are Series of one length: instants are INSTANT, days and sessions Date; null is answered with
    null.
    """

    def __init__(self, schedule: pl.DataFrame, *, first: date, last: date) -> None:
        """Keep `schedule`, which knows every session of the days from `first` to `last`, both inclusive.

        Args:
            schedule: `session` (Date, ascending, unique), `open` and `close` (UTC, not overlapping), and where the
                venue has lunch breaks, `break_start` and `break_end`. Sessions around these days may be there too.
            first: From its 00:00 UTC on, instants are answered.
            last: Until its end in UTC.
        """
        self.first, self.last = first, last
        self.schedule = schedule
        self._grid = Grid(trading_spans(schedule.select(pl.exclude("mic"))))
        self._open, self._close = (schedule[name].to_physical().to_numpy() for name in ("open", "close"))
        self._days = schedule["session"].to_physical().to_numpy()

    def is_open(self, instants: pl.Series) -> pl.Series:
        """Return whether the venue trades at each of `instants`: not before the open, at lunch, or after the close."""
        stamps, unknown = self._stamps(instants)
        _, is_out = self._grid.find(stamps)
        return _answers(pl.Series("is_open", ~is_out), unknown)

    def session_at(self, instants: pl.Series) -> pl.Series:
        """Return the session in which each of `instants` lies, lunch included; null in none, and where nobody knows."""
        stamps, unknown = self._stamps(instants)
        place = np.searchsorted(self._open, stamps, side="right") - 1
        inside = stamps < np.append(self._close, _NEVER)[place]
        return self._sessions(np.where(inside, place, -1), unknown)

    def next_session(self, instants: pl.Series) -> pl.Series:
        """Return the first session that opens after each of `instants`; null after the last that is known."""
        stamps, unknown = self._stamps(instants)
        return self._sessions(np.searchsorted(self._open, stamps, side="right"), unknown)

    def previous_session(self, instants: pl.Series) -> pl.Series:
        """Return the last session that had closed at each of `instants`; null before the first that is known."""
        stamps, unknown = self._stamps(instants)
        return self._sessions(np.searchsorted(self._close, stamps, side="right") - 1, unknown)

    def is_session(self, days: pl.Series) -> pl.Series:
        """Return whether there is a session of each of `days`."""
        numbers, unknown = self._numbers(days)
        place = np.searchsorted(self._days, numbers)
        found = np.append(self._days, np.iinfo(np.int32).min)[place] == numbers
        return _answers(pl.Series("is_session", found), unknown)

    def session_after(self, days: pl.Series, *, sessions: int = 1) -> pl.Series:
        """Return the session that is the given number of `sessions` after each of `days`; null beyond the last."""
        numbers, unknown = self._numbers(days)
        return self._sessions(np.searchsorted(self._days, numbers, side="right") + sessions - 1, unknown)

    def session_before(self, days: pl.Series, *, sessions: int = 1) -> pl.Series:
        """Return the session that is the given number of `sessions` before each of `days`; null beyond the first."""
        numbers, unknown = self._numbers(days)
        return self._sessions(np.searchsorted(self._days, numbers) - sessions, unknown)

    def bar_count(self, starts: pl.Series, ends: pl.Series, *, timeframe: str) -> pl.Series:
        """Return how many bars of `timeframe` are labelled from each of `starts`, inclusive, to `ends`, exclusive.

        Labels are those of `domain.resampling`: bars below a day begin with the open, and anew after lunch, and the
        last one may be shorter; days, weeks and months are labelled at 00:00 UTC and counted if they have a session.

        Raises:
            BadInput: There is no such timeframe.
        """
        since, unknown = self._stamps(starts)
        until, unknown_too = self._stamps(ends, inclusive=True)
        count = np.maximum(self._before(until, timeframe) - self._before(since, timeframe), 0)
        return _answers(pl.Series("bars", count, dtype=pl.Int64), unknown | unknown_too)

    def bar_labels(self, start: int, end: int, *, timeframe: str) -> pl.Series:
        """Return the labels of the bars that `bar_count` counts, ascending; `start` and `end` are UTC nanoseconds.

        Bars outside the days that are known are not invented.

        Raises:
            BadInput: There is no such timeframe, or there are more than MOST_LABELS bars.
        """
        since, until = (self._before(np.array([one]), timeframe)[0] for one in (start, end))
        if until - since > MOST_LABELS:
            fix = f"At most {MOST_LABELS:,} bars are told at once: ask for a shorter time."
            raise BadInput(parameter="bars", value=f"{until - since:,} bars", fix=fix)
        if timeframe not in LENGTHS_NS:
            return pl.Series("ts_event", self._labels(timeframe)[since:until]).cast(INSTANT)
        return pl.Series("ts_event", self._begins(since, until, LENGTHS_NS[timeframe])).cast(INSTANT)

    def _begins(self, since: int, until: int, length_ns: int) -> Any:
        """Return when the bars begin whose number, counted from the first one, is from `since` to before `until`."""
        before = self._bars_before(length_ns)
        numbers = np.arange(since, until)
        span = np.searchsorted(before, numbers, side="right") - 1
        return self._grid.start[span] + (numbers - before[span]) * length_ns if len(numbers) else numbers

    def _before(self, stamps: Any, timeframe: str) -> Any:
        """Return how many bars of `timeframe` are labelled before each of `stamps`."""
        if timeframe not in TIMEFRAMES:
            raise BadInput(parameter="timeframe", value=timeframe, fix=f"Write one of {', '.join(TIMEFRAMES)}.")
        if timeframe not in LENGTHS_NS:
            return np.searchsorted(self._labels(timeframe), stamps)
        length_ns = LENGTHS_NS[timeframe]
        before = self._bars_before(length_ns)
        span = np.searchsorted(self._grid.start, stamps, side="right") - 1
        begun = -((np.append(self._grid.start, 0)[span] - stamps) // length_ns)
        return np.where(span < 0, 0, np.minimum(before[span] + begun, before[span + 1]))

    def _bars_before(self, length_ns: int) -> Any:
        """Return how many bars begin before each span, and at the end all."""
        each = -((self._grid.start - self._grid.end) // length_ns)
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(each)])

    def _labels(self, timeframe: str) -> Any:
        """Return the labels of the days, weeks or months with a session, UTC nanoseconds, ascending."""
        days = self.schedule["session"].dt.truncate(_PERIODS[timeframe]).unique().sort()
        return days.to_physical().to_numpy().astype(np.int64) * DAY_NS

    def _stamps(self, instants: pl.Series, *, inclusive: bool = False) -> tuple[Any, Any]:
        """Return `instants` as UTC nanoseconds, and true for those of which nothing is known.

        The instant at which the last day ends is known too where `inclusive`, as the end of a time.
        """
        missing = instants.is_null().to_numpy()
        stamps = instants.cast(INSTANT).to_physical().fill_null(0).to_numpy()
        until = day_start_ns(self.last) + DAY_NS + inclusive
        return stamps, missing | (stamps < day_start_ns(self.first)) | (stamps >= until)

    def _numbers(self, days: pl.Series) -> tuple[Any, Any]:
        """Return `days` as days since 1970-01-01, and true for those of which nothing is known."""
        unknown = ~days.is_between(self.first, self.last).fill_null(value=False)
        return days.to_physical().fill_null(0).to_numpy(), unknown.to_numpy()

    def _sessions(self, places: Any, unknown: Any) -> pl.Series:
        """Return the sessions at `places`; null where there is none, or nothing is known."""
        absent = (places < 0) | (places >= len(self._days))
        days = np.append(self._days, 0)[np.where(absent, -1, places)]
        return _answers(pl.Series("session", days, dtype=pl.Int32).cast(pl.Date), unknown | absent)


def open_pieces(schedule: pl.DataFrame) -> pl.DataFrame:
    """Return when venues are open: `mic`, `open` and `close`, ascending, sessions cut at their lunch breaks.

    Args:
        schedule: `mic`, `open`, `close` and, where breaks are known, `break_start` and `break_end`; of any venues.
    """
    if "break_start" not in schedule.columns:
        return schedule.select("mic", "open", "close").sort("mic", "open")
    rests = pl.col("break_start").is_not_null() & pl.col("break_end").is_not_null()
    first = schedule.select("mic", "open", pl.when(rests).then("break_start").otherwise("close").alias("close"))
    second = schedule.filter(rests).select("mic", pl.col("break_end").alias("open"), "close")
    return pl.concat([first, second]).sort("mic", "open")


def _answers(values: pl.Series, unknown: Any) -> pl.Series:
    """Return `values` with null where nothing is known."""
    if not unknown.any():
        return values
    return pl.select(pl.when(pl.lit(pl.Series(~unknown))).then(pl.lit(values))).to_series().alias(values.name)
