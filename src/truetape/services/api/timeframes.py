"""Which bars answer a question about a timeframe: those that were acquired in it, else what finer ones make up.

One instrument has one truth for each timeframe. If any bar of it was ever acquired, the acquired ones answer, whatever
finer ones say; if none was, the bars are made anew at each question, so that they follow every correction at once.
Weeks and months are made of days, where there are any: those know closing auctions. Everything else is made of the
finest timeframe that there is.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.resampling import LENGTHS_NS
from truetape.domain.spans import SPANS, endless_spans, trading_spans
from truetape.domain.time import DAY_NS, DERIVED_TIMEFRAMES, TIMEFRAMES
from truetape.ports.store import Selection
from truetape.services.api.reading import Reading
from truetape.services.api.resample import whole_periods

CLOSING: Final = timedelta(minutes=1)  # after the close, in which a bar may begin that holds the closing auction
_DAY: Final = timedelta(days=1)
_LASTING_NS: Final = {**LENGTHS_NS, "1d": DAY_NS, "1w": 7 * DAY_NS, "1mo": 31 * DAY_NS}


async def source_of(reading: Reading, instrument: str, timeframe: str) -> str:
    """Return the timeframe whose stored bars answer: `timeframe` itself if it was acquired, or if nothing was.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    for one in (timeframe, *finer(timeframe)):
        series = {"instrument_id": (instrument,), "timeframe": (one,)}
        wanted = Selection(equal=series, as_of=reading.as_of, columns=("ts_event",), limit=1)
        if not (await reading.read("bars", wanted)).is_empty():
            return one
    return timeframe


def finer(timeframe: str) -> tuple[str, ...]:
    """Return the timeframes whose bars make up bars of `timeframe`, the preferred one first."""
    if timeframe in DERIVED_TIMEFRAMES:
        return ("1d", *LENGTHS_NS)
    return TIMEFRAMES[: TIMEFRAMES.index(timeframe)]


def enough(limit: int, *, source: str, timeframe: str) -> int:
    """Return of how many bars of `source` surely `limit` bars of `timeframe` can be made, if none is left out."""
    return (limit + 1) * (_LASTING_NS[timeframe] // _LASTING_NS[source]) + DAY_NS // _LASTING_NS[source]


def reach(start: date | None, end: date | None, *, timeframe: str) -> tuple[date | None, date | None]:
    """Return the UTC dates, both inclusive, of the bars that make up those labelled from `start` to `end`."""
    if timeframe in DERIVED_TIMEFRAMES:
        start, end = whole_periods(start, end, timeframe=timeframe)
    first = start - _DAY if start is not None and start > date.min else start
    return first, end + _DAY if end is not None and end < date.max else end


async def spans_of(reading: Reading, mic: str, bars: pl.DataFrame) -> pl.DataFrame:
    """Return when the venue trades on the days of `bars` (see domain.spans), lunch breaks left out.

    Days before the first and after the last session that is known count whole, as do all of a venue without calendar.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    if bars.is_empty():
        return pl.DataFrame(schema=SPANS)
    days = bars.select(
        pl.col("ts_event").dt.date().min().alias("first"), pl.col("ts_event").dt.date().max().alias("last")
    )
    first, last = days.row(0)
    around = Selection(equal={"mic": (mic,)}, start=first - _DAY, end=last + _DAY, as_of=reading.as_of)
    sessions = (await reading.read("sessions", around)).select("session", "open", "close")
    if sessions.is_empty():
        return endless_spans(first, end=last)
    breaks = (await reading.read("session_breaks", around)).select("session", "break_start", "break_end")
    spans = trading_spans(sessions.join(breaks, on="session", how="left"), closing=CLOSING)
    begins, ends = sessions["open"].dt.date()[0], sessions["close"].dt.date()[-1]
    before = endless_spans(first, end=begins - _DAY) if first < begins - _DAY else spans.clear()
    after = endless_spans(ends + _DAY, end=last) if last > ends + _DAY else spans.clear()
    return pl.concat([before, spans, after])
