"""What a person or a program is told of a venue's calendar: special days, instants, and bars to be expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from truetape.domain.calendar_corrections import CORRECTION, HOURS, TOLD, in_force
from truetape.domain.errors import BadInput
from truetape.domain.kinds import INSTANT
from truetape.domain.trading_hours import TradingHours
from truetape.services.reference.calendars import (
    NO_CORRECTIONS,
    believed_hours,
    corrections_of,
    covered,
    keeper_of,
    zone_of,
)
from truetape.services.reference.corrections import rules

AROUND: Final = timedelta(days=40)  # that hours are known beside the days that are asked about
NEAR: Final = 15  # sessions before and after, whose hours are the usual ones
OFTEN: Final = 0.5  # share of a weekday's dates with a session, from which on it is a usual one
_MOMENTS: Final = ("open", "close", "break_start", "break_end")


@dataclass(frozen=True)
class CalendarView:
    """The calendar of a venue over some days, and around them.

    `around` holds HOURS and TOLD of every session from `start` less AROUND to `end` and AROUND; `closed` the closures
    that somebody told: `session`, TOLD.
    """

    mic: str
    zone: str
    source: str  # by what, or by whom, sessions are told
    start: date  # as far as the calendar reaches, as is end; both inclusive
    end: date
    around: pl.DataFrame
    closed: pl.DataFrame

    @property
    def sessions(self) -> pl.DataFrame:
        """The sessions from `start` to `end`."""
        return self.around.filter(pl.col("session").is_between(self.start, self.end))

    @property
    def hours(self) -> TradingHours:
        """What answers questions about instants from `start` to the end of `end` in UTC."""
        return TradingHours(self.around.select(list(HOURS)), first=self.start, last=self.end)


def computed(
    mic: str, *, start: date, end: date, as_of: int | None = None, corrections: pl.DataFrame = NO_CORRECTIONS
) -> CalendarView:
    """Return the calendar of `mic` by rules and corrections, as it was expected at `as_of`, UTC nanoseconds.

    Raises:
        BadInput: The venue has no calendar, or it knows none of these days.
    """
    keeper = keeper_of(mic)
    first, last = covered(keeper, start=start, end=end)
    if first > last:
        reach = covered(keeper, start=date.min, end=date.max)
        fix = f"The calendar of {mic} reaches from {reach[0]} to {reach[1]}."
        raise BadInput(parameter="The range of days", value=f"{start} to {end}", fix=fix)
    own = corrections.with_columns(mic=pl.when(pl.col("mic") == mic).then(pl.lit(keeper)).otherwise("mic"))
    span = {"start": first - AROUND, "end": last + AROUND}
    around = believed_hours(keeper, **span, corrections=own, as_of=as_of)
    told = in_force(corrections_of(keeper, own), as_of=as_of).filter(pl.col("what") == "closed")
    return CalendarView(
        mic=mic,
        zone=zone_of(keeper),
        source=rules() if mic == keeper else f"{rules()}, by the calendar of {keeper}",
        start=first,
        end=last,
        around=_typed(around),
        closed=told.filter(pl.col("session").is_between(first, last)).select("session", *TOLD),
    )


def kept(mic: str, rows: pl.DataFrame, *, start: date, end: date, source: str) -> CalendarView:
    """Return the calendar that the platform keeps of `mic`: `rows` of the endpoint calendar, around these days.

    Days before the first and after the last session are not known.

    Raises:
        BadInput: There is no session.
    """
    if rows.is_empty():
        fix = "No session of these days is kept. Ask about others, or without --data and --url by the rules alone."
        raise BadInput(parameter="The range of days", value=f"{start} to {end}", fix=fix)
    reach = rows.select(pl.col("session").min().alias("first"), pl.col("session").max().alias("last")).row(0)
    first, last = max(start, reach[0]), min(end, reach[1])
    none = pl.DataFrame(schema={"session": pl.Date(), **{name: CORRECTION[name] for name in TOLD}})
    return CalendarView(mic, str(rows["zone"][0]), source, first, last, _typed(rows), none)


def special_days(view: CalendarView) -> pl.DataFrame:
    """Return the days of `view` that are not like those around them, ascending.

    Returns:
        `day`, `what` (closed, extra session, or other hours), `open`, `close`, `break_start` and `break_end` (times of
        the venue's clock, null where closed), `known`, `why` and `source` where somebody told them.
    """
    local = usual_hours(view)
    mine = local.filter(pl.col("session").is_between(view.start, view.end))
    weekdays = _usual_weekdays(view)
    every = pl.DataFrame({"session": pl.date_range(view.start, view.end, eager=True)})
    absent = every.filter(pl.col("session").dt.weekday().is_in(weekdays)).join(mine, on="session", how="anti")
    closed = absent.join(view.closed, on="session", how="left").with_columns(what=pl.lit("closed"))
    extra = ~pl.col("session").dt.weekday().is_in(weekdays)
    what = pl.when(extra).then(pl.lit("extra session")).when(~pl.col("usual")).then(pl.lit("other hours"))
    odd = mine.with_columns(what=what).filter(pl.col("what").is_not_null())
    columns = [pl.col("session").alias("day"), "what", *_MOMENTS, *TOLD]
    return pl.concat([odd, closed], how="diagonal").sort("session").select(columns)


def usual_hours(view: CalendarView) -> pl.DataFrame:
    """Return each session around `view` with its hours on the venue's clock, and whether those near it have the same.

    Returns:
        `session`, `open`, `close`, `break_start` and `break_end` (hh:mm, with a sign and days where it is another
        date), TOLD, and `usual`.
    """
    clock = [_clock(name, view.zone) for name in _MOMENTS]
    local = view.around.select("session", *clock, *TOLD).with_columns(kind=pl.struct(_MOMENTS).rank("dense"))
    near = {
        kind: (pl.col("kind") == kind).cast(pl.Int32).rolling_sum(2 * NEAR + 1, min_samples=1, center=True)
        for kind in local["kind"].unique()
    }
    own = pl.coalesce(*(pl.when(pl.col("kind") == kind).then(count) for kind, count in near.items()), 0)
    most = pl.max_horizontal(pl.lit(0), *near.values())
    return local.with_columns(usual=own == most).drop("kind")


def answers(view: CalendarView, instants: pl.Series) -> pl.DataFrame:
    """Return what `view` says of each of `instants`: `at`, `open`, `session`, `previous`, `next`; null: not known."""
    hours = view.hours
    return pl.DataFrame(
        {
            "at": instants,
            "open": hours.is_open(instants),
            "session": hours.session_at(instants),
            "previous": hours.previous_session(instants),
            "next": hours.next_session(instants),
        }
    )


def around(start: date, end: date) -> tuple[date, date]:
    """Return the days from AROUND before `start` to AROUND after `end`, as far as there are dates."""
    first = start - AROUND if start > date.min + AROUND else date.min
    return first, end + AROUND if end < date.max - AROUND else date.max


def days_of(instants: Sequence[int]) -> tuple[date, date]:
    """Return the first and the last UTC date of `instants`, UTC nanoseconds."""
    days = pl.Series(instants, dtype=pl.Int64).cast(INSTANT).dt.date()
    first, last = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    return first, last


def _usual_weekdays(view: CalendarView) -> list[int]:
    days = view.around["session"]
    if days.is_empty():
        return []
    first, last = view.around.select(pl.col("session").min().alias("first"), pl.col("session").max().alias("last")).row(
        0
    )
    every = pl.date_range(first, last, eager=True)
    held, everything = (Counter(one.dt.weekday().to_list()) for one in (days, every))
    return sorted(day for day, number in everything.items() if held[day] >= OFTEN * number)


def _clock(name: str, zone: str) -> pl.Expr:
    """Return the time of day on the clock of `zone`; on another date than the session's, with that date's distance."""
    local = pl.col(name).dt.convert_time_zone(zone)
    days = (local.dt.date() - pl.col("session")).dt.total_days()
    time = local.dt.strftime("%H:%M")
    sign = pl.when(days > 0).then(pl.format("{} +{}d", time, days)).otherwise(pl.format("{} {}d", time, days))
    return pl.when(days == 0).then(time).otherwise(sign).alias(name)


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    wanted: dict[str, Any] = {**HOURS, **{name: CORRECTION[name] for name in TOLD}}
    return rows.select([pl.col(name).cast(dtype) for name, dtype in wanted.items()]).sort("session")
