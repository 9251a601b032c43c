"""The stretches of time in which a venue trades, as the grid that longer bars are cut by.

A span is one row of a frame with the columns SPANS. Spans ascend and do not overlap. Bars are counted from `anchor`, so
that the same bars can be cut from the opening bell (as Yahoo does) or from the full hour of the venue's clock.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.domain.kinds import INSTANT

SPANS: Final = {
    "session": pl.Date(),  # the session that it belongs to
    "anchor": INSTANT,  # bars begin at whole multiples of their length after it
    "start": INSTANT,  # inclusive
    "end": INSTANT,  # exclusive: no bar begins at or after it
    "until": INSTANT,  # exclusive: what is traded from `end` to it, in the closing auction, belongs to the last bar
}
_NO_BREAK: Final = {"break_start": INSTANT, "break_end": INSTANT}


def trading_spans(sessions: pl.DataFrame, *, closing: timedelta = timedelta()) -> pl.DataFrame:
    """Return the spans of `sessions`, cut at lunch; each is counted from its own beginning.

    Args:
        sessions: `session` (Date, ascending, unique), `open`, `close` (UTC) and, where the venue has lunch breaks,
            `break_start` and `break_end` (null without one that day).
        closing: For how long after the close prices of the closing auction still come.
    """
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in _NO_BREAK.items() if name not in sessions.columns]
    days = sessions.with_columns(missing)
    pauses = pl.col("break_start").is_not_null() & pl.col("break_end").is_not_null()
    last = days.select("session", pl.when(pauses).then("break_end").otherwise("open").alias("start"), end="close")
    first = days.filter(pauses).select("session", start="open", end="break_start")
    auction = pl.lit(closing).cast(pl.Duration("ns"))
    late = [last.with_columns(until=pl.col("end") + auction), first.with_columns(until=pl.col("end"))]
    return _typed(pl.concat(late).sort("start").with_columns(anchor=pl.col("start")))


def clock_spans(sessions: pl.DataFrame, *, zone: str, closing: timedelta = timedelta()) -> pl.DataFrame:
    """Return the spans of `sessions`, counted by the clock of `zone` (IANA): hourly bars begin at the full hour.

    The first bar is labelled with the hour in which the venue opens, so it may begin before the open.
    """
    spans = trading_spans(sessions, closing=closing)
    hour = pl.col("start").dt.convert_time_zone(zone).dt.truncate("1h").dt.convert_time_zone("UTC")
    return _typed(spans.with_columns(anchor=hour))


def endless_spans(start: date, *, end: date) -> pl.DataFrame:
    """Return the UTC days from `start` to `end`, both inclusive: the spans of a venue that never closes."""
    days = pl.date_range(start, end, "1d", eager=True).alias("session")
    begin = days.cast(pl.Datetime("ns")).cast(INSTANT)
    after = begin.dt.offset_by("1d")
    return _typed(pl.DataFrame({"session": days, "anchor": begin, "start": begin, "end": after, "until": after}))


def outside(bars: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `bars` whose `ts_event` lies in none of `spans`: before the open, at lunch, or later."""
    if spans.is_empty():
        return bars
    begun = spans["start"].search_sorted(bars["ts_event"], side="right").cast(pl.Int64) - 1
    until = spans["until"].gather(begun.clip(lower_bound=0))
    return bars.filter((begun < 0) | (bars["ts_event"] >= until))


class Grid:
    """Spans as numbers: in which of them an instant lies, and where the bar of some length begins that holds it."""

    def __init__(self, spans: pl.DataFrame) -> None:
        instants = ("anchor", "start", "end", "until")
        self.anchor, self.start, self.end, self.until = (spans[one].to_physical().to_numpy() for one in instants)
        self._until_or_never = np.append(self.until, np.iinfo(np.int64).min)  # the last stands for "before all"
        self.day = spans["session"].to_physical().to_numpy().astype(np.int64)  # days since 1970-01-01

    def find(self, stamps: Any, *, lasting_ns: int = 1) -> tuple[Any, Any]:
        """Return the number of the span that each of `stamps` (UTC nanoseconds) reaches, and whether it lies in none.

        Args:
            stamps: When something begins that lasts for `lasting_ns`: it lies in a span that begins while it lasts.
            lasting_ns: 1 for what has no length.
        """
        span = np.searchsorted(self.start - (lasting_ns - 1), stamps, side="right")
        span -= 1
        return span, stamps >= _one_or_each(self._until_or_never, span)

    def begins(self, stamps: Any, span: Any, *, length_ns: int) -> Any:
        """Return when the bar of `length_ns` begins that holds each of `stamps`, which lies in `span`."""
        if not len(self.day):
            return stamps
        begin = self.start[span]
        whole = stamps - begin
        np.clip(whole, 0, _one_or_each(self.end - self.start - 1, span), out=whole)
        before = _one_or_each(self.start - self.anchor, span)  # how long after the anchor a span begins
        whole += before
        whole //= length_ns  # numpy divides by one number far faster than it takes remainders
        whole *= length_ns
        whole -= before
        whole += begin
        return whole

    def ends(self, begins: Any, *, length_ns: int) -> Any:
        """Return when the bars of `length_ns` end that begin at `begins`: the last of a span, with its auction."""
        span = np.searchsorted(self.end, begins, side="right")
        over = begins + length_ns
        return np.where(over >= self.end[span], self.until[span], over)


def _one_or_each(values: Any, span: Any) -> Any:
    """Return the value of each span; where all have the same, that one."""
    return values[0] if (values == values[0]).all() else values[span]


def _typed(spans: pl.DataFrame) -> pl.DataFrame:
    return spans.select([pl.col(name).cast(dtype) for name, dtype in SPANS.items()])
