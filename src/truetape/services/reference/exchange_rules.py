"""What the package exchange_calendars knows of a venue: its sessions by rule, its usual hours, its zone, its bounds."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import polars as pl

from truetape.domain.calendar_corrections import HOURS
from truetape.domain.kinds import INSTANT

EARLIEST: Final = date(1800, 1, 1)
LATEST: Final = date(2099, 12, 31)  # nobody knows the clock changes of the century after
PACKAGE: Final = "exchange_calendars"
_DAY: Final = timedelta(days=1)
_SAMPLE: Final = (date(2022, 3, 1), date(2022, 4, 1))  # that every calendar knows, for what does not depend on days
_MOMENTS: Final = ("open", "close", "break_start", "break_end")


def release() -> str:
    """Return which release of the package is installed, such as "exchange_calendars 4.13.2"."""
    return f"{PACKAGE} {version(PACKAGE)}"


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Return every name of a calendar, other names of the same calendars included."""
    from exchange_calendars import get_calendar_names

    return frozenset(get_calendar_names(include_aliases=True))


@lru_cache(maxsize=256)
def first_name(name: str) -> str:
    """Return the name under which the calendar `name` is kept: XNYS for XNAS."""
    from exchange_calendars import resolve_alias

    found: str = resolve_alias(name)
    return found


@lru_cache(maxsize=256)
def zone(name: str) -> str:
    """Return the IANA zone of the hours of the calendar `name`."""
    return str(_calendar(name).tz)


@lru_cache(maxsize=256)
def bounds(name: str) -> tuple[date, date]:
    """Return the first and the last date for which the calendar `name` knows the holidays."""
    calendar = _calendar(name)
    first, last = calendar.bound_min(), calendar.bound_max()
    return first.date() if first is not None else EARLIEST, last.date() if last is not None else LATEST


@lru_cache(maxsize=64)
def ruled(name: str, *, start: date, end: date) -> pl.DataFrame:
    """Return HOURS of the sessions from `start` to `end`, both inclusive, as far as the calendar `name` knows them."""
    first, last = bounds(name)
    start, end = max(start, first), min(end, last)
    if start > end:
        return pl.DataFrame(schema=HOURS)
    # The library wants a start before the end, inside its bounds.
    lower, upper = max(start - _DAY, first), min(end + _DAY, last)
    return _schedule(name, lower, upper).filter(pl.col("session").is_between(start, end))


def usual(name: str, *, days: pl.Series) -> pl.DataFrame:
    """Return HOURS of each of `days` (Date, ascending, unique), as they would be if no day were special."""
    calendar = _calendar(name)
    times = {
        "open": (calendar.open_times, calendar.open_offset),
        "close": (calendar.close_times, calendar.close_offset),
        "break_start": (calendar.break_start_times or (), 0),
        "break_end": (calendar.break_end_times or (), 0),
    }
    frame = pl.DataFrame({"session": days})
    moments = [_moment(since, offset, calendar.tz.key).alias(name) for name, (since, offset) in times.items()]
    return frame.with_columns(moments).select([pl.col(name).cast(dtype) for name, dtype in HOURS.items()])


def _moment(times: Any, offset: int, zone: str) -> pl.Expr:
    """Return when it is the time of day that holds on a session's date, `offset` days beside it."""
    since_midnight = pl.lit(None, dtype=pl.Duration("ns"))
    for since, at in times:
        length = pl.lit(None if at is None else timedelta(hours=at.hour, minutes=at.minute, seconds=at.second))
        holds = pl.lit(value=True) if since is None else pl.col("session") >= since.date()
        since_midnight = pl.when(holds).then(length.cast(pl.Duration("ns"))).otherwise(since_midnight)
    local = pl.col("session").cast(pl.Datetime("ns")) + timedelta(days=offset) + since_midnight
    return local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _schedule(name: str, lower: date, upper: date) -> pl.DataFrame:
    from exchange_calendars import get_calendar
    from exchange_calendars.errors import NoSessionsError

    try:
        schedule = get_calendar(name, start=lower, end=upper).schedule
    except NoSessionsError:
        return pl.DataFrame(schema=HOURS)
    days = pl.Series("session", schedule.index.to_numpy("datetime64[D]"), dtype=pl.Date)
    moments = {name: pl.Series(schedule[name].to_numpy("datetime64[ns]"), dtype=pl.Datetime("ns")) for name in _MOMENTS}
    return pl.DataFrame({"session": days, **{name: one.cast(INSTANT) for name, one in moments.items()}})


@lru_cache(maxsize=256)
def _calendar(name: str) -> Any:
    from exchange_calendars import get_calendar

    return get_calendar(name, start=_SAMPLE[0], end=_SAMPLE[1])
