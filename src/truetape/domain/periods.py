"""The calendar periods with which quotas begin anew, in any zone, and the lengths of rolling ones."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from truetape.domain.errors import BadInput
from truetape.domain.plans import Window
from truetape.domain.time import DAY_NS, NANOSECONDS, from_datetime, to_datetime

_SECONDS: Final = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "month": 31 * 86_400})
_EPOCH: Final = date(1970, 1, 1).toordinal()
_MONTHS: Final = 12


def length_ns(window: Window) -> int:
    """Return the nanoseconds that a rolling `window` covers; a month has 31 days, so that it never covers too few."""
    return window.every * _SECONDS[window.period] * NANOSECONDS


def period_ns(window: Window, *, at_ns: int) -> tuple[int, int]:
    """Return the start, inclusive, and the end, exclusive, of the calendar window that holds `at_ns`.

    Months and days begin at the first instant of a local date. Shorter periods are counted from there in time that
    really passes, so that a day of 23 or 25 hours has as many of them; the last one ends with the day. Several days
    are counted from 1970-01-01, several months from January, and lengths that do not divide a day from 1970 in UTC.

    Raises:
        BadInput: The window's zone is unknown.
    """
    if window.period not in {"day", "month"} and DAY_NS % length_ns(window):
        start = at_ns - at_ns % length_ns(window)
        return start, start + length_ns(window)
    today = to_datetime(at_ns).astimezone(_zone(window.zone)).date()
    if window.period == "month":
        months = (today.year * _MONTHS + today.month - 1) // window.every * window.every
        return _month_ns(months, window.zone), _month_ns(months + window.every, window.zone)
    every = window.every if window.period == "day" else 1
    first = (today.toordinal() - _EPOCH) // every * every + _EPOCH
    start, end = _day_ns(first, window.zone), _day_ns(first + every, window.zone)
    if window.period == "day":
        return start, end
    start += (at_ns - start) // length_ns(window) * length_ns(window)
    return start, min(start + length_ns(window), end)


def _month_ns(months: int, zone: str) -> int:
    return _day_ns(date(months // _MONTHS, months % _MONTHS + 1, 1).toordinal(), zone)


@lru_cache(maxsize=256)
def _day_ns(ordinal: int, zone: str) -> int:
    """Return the first instant of a date: where its midnight is left out or comes twice, the earlier reading is it."""
    day = date.fromordinal(ordinal)
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=_zone(zone)))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(
            parameter="zone", value=name, fix="Name an IANA zone, for example America/New_York or UTC."
        ) from None
