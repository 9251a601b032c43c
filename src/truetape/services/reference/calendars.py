"""The sessions of a venue: the rules of exchange_calendars, our dated corrections, and those of the operator.

The rules know the past as it came: a closure of 2001 at short notice stands among them as if it had been known since
ever. What was believed before is told by our own corrections (see corrections.csv) for the days that they name, and by
nothing for others: `as_of` is exact where a correction says since when a day was known, and hindsight elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.calendar_corrections import CORRECTION, HOURS, believed
from truetape.domain.errors import BadInput
from truetape.services.reference import exchange_rules
from truetape.services.reference.config import borrowed
from truetape.services.reference.corrections import built_in

GREAT_VENUES: Final = frozenset(
    {"XASX", "XETR", "XFRA", "XHKG", "XLON", "XNAS", "XNYS", "XPAR", "XSWX", "XTKS", "XTSE"}
)
NO_CORRECTIONS: Final = pl.DataFrame(schema=CORRECTION)
_MIC: Final = re.compile(r"[A-Z0-9]{4}")
_NICKNAMES: Final = frozenset({"CBOT", "HKEX", "NYFE", "NYSE", "TASE"})  # of calendars; no ISO 10383 codes
_UNOWNED: Final = {"24-7": "24/7", "24/7": "24/7", "24-5": "24/5", "24/5": "24/5", "us_futures": "us_futures"}
_DECADE: Final = 10


def has_calendar(mic: str) -> bool:
    """Return whether `mic` has a calendar of its own; for great venues without loading all the others."""
    return mic in GREAT_VENUES or mic in known_mics()


def follows_calendar(mic: str) -> bool:
    """Return whether `mic` has a calendar, its own or that of another venue."""
    return mic in borrowed() or has_calendar(mic)


def known_mics() -> tuple[str, ...]:
    """Return the MICs that have a calendar, in alphabetical order."""
    return tuple(sorted(name for name in exchange_rules.names() if _MIC.fullmatch(name) and name not in _NICKNAMES))


def keeper_of(mic: str, *, borrowing: Mapping[str, str] | None = None) -> str:
    """Return the calendar that `mic` follows: its own, or that of another venue; 24/7 is one that never closes.

    Args:
        mic: A MIC, or the name of a calendar that no venue owns: 24/7, 24/5 or us_futures; 24-7 will do too.
        borrowing: Who follows whose calendar; None: as ReferenceConfig says.

    Raises:
        BadInput: None is known.
    """
    lent = borrowed() if borrowing is None else borrowing
    return _known(lent.get(mic, mic))


def zone_of(mic: str) -> str:
    """Return the IANA zone of the clock of `mic`.

    Raises:
        BadInput: `mic` has no calendar.
    """
    return exchange_rules.zone(_known(mic))


def covered(mic: str, *, start: date, end: date) -> tuple[date, date]:
    """Return the part of `start` to `end`, both inclusive, that the calendar of `mic` knows; empty if start > end.

    Raises:
        BadInput: `mic` has no calendar.
    """
    first, last = exchange_rules.bounds(_known(mic))
    return max(start, first), min(end, last)


def believed_hours(
    mic: str, *, start: date, end: date, corrections: pl.DataFrame = NO_CORRECTIONS, as_of: int | None = None
) -> pl.DataFrame:
    """Return the sessions of `mic` from `start` to `end`, both inclusive, as they were expected at `as_of`.

    Args:
        mic: A MIC, or 24/7.
        start: Sessions before the calendar begins are not invented.
        end: Nor are those after its end.
        corrections: CORRECTION, of any venues, beside our own: of one instant they count more.
        as_of: UTC nanoseconds, inclusive; None: by all that is known now.

    Returns:
        HOURS, ascending, and of sessions that a correction told, its `known`, `why` and `source`.

    Raises:
        BadInput: `mic` has no calendar.
    """
    name = _known(mic)
    ruled = exchange_rules.ruled(name, start=start, end=end)
    told = corrections_of(mic, corrections).filter(pl.col("session").is_between(start, end))
    days = told["session"].unique().sort()
    usual = exchange_rules.usual(name, days=days) if len(days) else pl.DataFrame(schema=HOURS)
    return believed(ruled, told, usual=usual, as_of=as_of)


def corrections_of(mic: str, corrections: pl.DataFrame = NO_CORRECTIONS) -> pl.DataFrame:
    """Return our own corrections and `corrections` that concern the calendar of `mic`.

    Raises:
        BadInput: `mic` has no calendar.
    """
    name = _known(mic)
    names = {mic, name, exchange_rules.first_name(name)}
    return pl.concat([built_in(), corrections.select(list(CORRECTION))]).filter(pl.col("mic").is_in(names))


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
    none = pl.DataFrame(schema={"mic": pl.String(), **HOURS})
    return pl.concat([none, *parts]).filter(pl.col("session").is_between(start, end))


def _hours(mic: str, *, start: date, end: date) -> pl.DataFrame:
    found = believed_hours(mic, start=start, end=end)
    return found.select(pl.lit(mic).alias("mic"), *HOURS)


def _known(mic: str) -> str:
    """Return the name of the calendar of `mic`.

    Raises:
        BadInput: There is none.
    """
    name = _UNOWNED.get(mic, mic)
    if name in _UNOWNED or has_calendar(name):
        return name
    fix = f"No calendar is known for this MIC. Write one of these: {', '.join((*known_mics(), '24/7'))}."
    raise BadInput(parameter="mic", value=mic, fix=fix)
