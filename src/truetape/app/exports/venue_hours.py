"""When bars ended and whether they lie in the regular session, by the calendar of their venue."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.resampling import LENGTHS_NS
from truetape.domain.trading_hours import TradingHours
from truetape.services.reference.calendars import has_calendar, schedule

_PERIODS: Final = {"1d": "1d", "1w": "1w", "1mo": "1mo"}


def ended(begins: pl.Series, *, timeframe: str, mic: str) -> pl.Series:
    """Return when the bars that are labelled `begins` had ended, as instants: no engine may see them before.

    A daily bar ends with its session, where the venue has a calendar, else with its date in UTC; weeks and months with
    the last day of the calendar's. A bar of hours or minutes ends so much later than it begins.
    """
    if timeframe in LENGTHS_NS:
        return (begins.cast(pl.Int64) + LENGTHS_NS[timeframe]).cast(INSTANT)
    first = begins.dt.truncate(timeframe) if timeframe != "1d" else begins
    after = first.dt.offset_by(_PERIODS[timeframe])
    if timeframe != "1d" or not has_calendar(mic) or begins.is_empty():
        return after.cast(INSTANT)
    closes = _hours(begins, mic).select("session", "close")
    days = pl.DataFrame({"session": begins.dt.date(), "after": after})
    found = days.join(closes, on="session", how="left", maintain_order="left")
    return found.select(pl.coalesce("close", "after"))["close"].cast(INSTANT)


def in_session(begins: pl.Series, *, mic: str) -> pl.Series:
    """Return true for bars that begin in a regular session; for all of a venue without a calendar."""
    if not has_calendar(mic) or begins.is_empty():
        return pl.Series([True]).new_from_index(0, len(begins))
    days = begins.dt.date()
    hours = TradingHours(_hours(begins, mic), first=days.min(), last=days.max())  # type: ignore[arg-type]
    return hours.session_at(begins).is_not_null()


def _hours(begins: pl.Series, mic: str) -> pl.DataFrame:
    days = begins.dt.date()
    return schedule(mic, start=days.min(), end=days.max())  # type: ignore[arg-type]
