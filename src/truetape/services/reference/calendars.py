"""The sessions of a venue, from exchange_calendars: holidays, early closes and clock changes included."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.schema import INSTANT

EARLIEST: Final = date(1800, 1, 1)
LATEST: Final = date(2200, 1, 1)
_MIC: Final = re.compile(r"[A-Z0-9]{4}")
GREAT_VENUES: Final = frozenset(
    {"XASX", "XETR", "XFRA", "XHKG", "XLON", "XNAS", "XNYS", "XPAR", "XSWX", "XTKS", "XTSE"}
)
_NICKNAMES: Final = frozenset({"CBOT", "HKEX", "NYFE", "NYSE", "TASE"})  # of calendars; no ISO 10383 codes
_DAY: Final = timedelta(days=1)
_DECADE: Final = 10
_MOMENTS: Final = ("open", "close", "break_start", "break_end")


def has_calendar(mic: str) -> bool:
    """Return whether sessions of `mic` can be had; for great venues without loading all the others."""
    return mic in GREAT_VENUES or mic in known_mics()


def known_mics() -> tuple[str, ...]:
    """Return the MICs that have a calendar, in alphabetical order."""
    from exchange_calendars import get_calendar_names

    names = get_calendar_names(include_aliases=True)
    return tuple(sorted(name for name in names if _MIC.fullmatch(name) and name not in _NICKNAMES))


def covered(mic: str, *, start: date, end: date) -> tuple[date, date]:
    """Return the part of `start` to `end`, both inclusive, that the calendar of `mic` knows; empty if start > end.

    Raises:
        BadInput: `mic` has no calendar.
    """
    known = known_mics()
    if mic not in known:
        fix = f"No calendar is known for this MIC. Write one of these: {', '.join(known)}."
        raise BadInput(parameter="mic", value=mic, fix=fix)
    first, last = _bounds(mic)
    return max(start, first), min(end, last)


def sessions(mic: str, *, start: date, end: date) -> pl.DataFrame:
    """Return the sessions of `mic` from `start` to `end`, both inclusive and as far as its calendar knows them.

    Returns:
        `mic`, `session` (ascending, unique), `open` and `close` (UTC). A lunch break is not shown; see `breaks`.

    Raises:
        BadInput: `mic` has no calendar.
    """
    return _hours(mic, start=start, end=end).select("mic", "session", "open", "close")


def breaks(mic: str, *, start: date, end: date) -> pl.DataFrame:
    """Return the lunch breaks of the sessions of `mic` from `start` to `end`, both inclusive.

    Returns:
        `mic`, `session` (ascending, unique), `break_start` and `break_end` (UTC), of sessions that have one.

    Raises:
        BadInput: `mic` has no calendar.
    """
    hours = _hours(mic, start=start, end=end).select("mic", "session", "break_start", "break_end")
    return hours.filter(pl.col("break_start").is_not_null(), pl.col("break_end").is_not_null())


def schedule(mic: str, *, start: date, end: date) -> pl.DataFrame:
    """Return sessions with their breaks from `start` to `end`, both inclusive, for those who ask about many ranges.

    Whole decades are computed and kept, so that instruments of different ages share them.

    Returns:
        `mic`, `session` (ascending, unique), `open`, `close`, and `break_start` and `break_end`, null without a break.

    Raises:
        BadInput: `mic` has no calendar.
    """
    decades = range(start.year // _DECADE, end.year // _DECADE + 1)
    parts = [
        _hours(mic, start=date(max(one * _DECADE, 1), 1, 1), end=date(one * _DECADE + _DECADE - 1, 12, 31))
        for one in decades
    ]
    return pl.concat([_frame(mic, [], *([] for _ in _MOMENTS)), *parts]).filter(
        pl.col("session").is_between(start, end)
    )


@lru_cache(maxsize=64)
def _hours(mic: str, *, start: date, end: date) -> pl.DataFrame:
    start, end = covered(mic, start=start, end=end)
    if start > end:
        return _frame(mic, [], *([] for _ in _MOMENTS))
    # The library wants a start before the end, inside its bounds.
    lower, _ = covered(mic, start=start - _DAY, end=end)
    _, upper = covered(mic, start=start, end=end + _DAY)
    return _frame(mic, *_schedule(mic, lower, upper)).filter(pl.col("session").is_between(start, end))


def _schedule(mic: str, lower: date, upper: date) -> tuple[Any, ...]:
    from exchange_calendars import get_calendar
    from exchange_calendars.errors import NoSessionsError

    try:
        schedule = get_calendar(mic, start=lower, end=upper).schedule
    except NoSessionsError:
        return ([], *([] for _ in _MOMENTS))
    days = schedule.index.to_numpy("datetime64[D]")
    return days, *(schedule[name].to_numpy("datetime64[ns]") for name in _MOMENTS)


@lru_cache(maxsize=64)
def _bounds(mic: str) -> tuple[date, date]:
    """Return the first and the last date for which the calendar of `mic` knows the holidays."""
    from exchange_calendars import get_calendar

    calendar = get_calendar(mic)
    first, last = calendar.bound_min(), calendar.bound_max()
    return first.date() if first is not None else EARLIEST, last.date() if last is not None else LATEST


def _frame(mic: str, days: Any, *moments: Any) -> pl.DataFrame:
    told = zip(_MOMENTS, moments, strict=True)
    instants = {name: pl.Series(values, dtype=pl.Datetime("ns")).cast(INSTANT) for name, values in told}
    return pl.DataFrame(
        {"mic": pl.repeat(mic, len(days), eager=True), "session": pl.Series(days, dtype=pl.Date), **instants}
    )
