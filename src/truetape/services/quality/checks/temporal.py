"""Checks of time: what is missing, twice, late, too early, or labelled with another time than its own."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.domain.time import DAY_NS
from truetape.services.quality.checks.check import Broken, Check, Tuning, at_rows

_HOUR_NS: Final = DAY_NS // 24
_EAST_H: Final = 14  # so many hours before 00:00 UTC of its label a session begins at most
_MINUTES: Final = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
_STEPS: Final = {name: minutes * _HOUR_NS // 60 for name, minutes in _MINUTES.items()}
_SHORT: Final = tuple(_STEPS)
_FRIDAY: Final = 5


def missing_session(_frame: pl.DataFrame, _: Tuning) -> Broken:
    """The calendar has sessions between this bar and the one before."""
    missing = pl.col("sessions_since") - 1
    before = pl.col("previous_ts").dt.date()
    return Broken(
        where=missing > 0,
        words=pl.format("sessions without a bar after {} and before this one: {}", before, missing),
        value=missing,
        high=0.0,
        repair="acquire",
        repair_value=missing,
    )


def long_gap(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """More days lie between this bar and the one before than any holiday has, where no calendar is known."""
    if not frame["is_session"].null_count():
        return None
    apart = pl.col("ts_event") - pl.col("previous_ts")
    days = apart.dt.total_days()
    return Broken(
        where=(apart > pl.duration(days=tuning["days"], time_unit="ns")) & pl.col("is_session").is_null(),
        words=pl.format("no bar for {} days after {}", days, pl.col("previous_ts").dt.date()),
        value=days,
        high=tuning["days"],
        repair="acquire",
    )


def missing_bar(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """Bars of a session are left out, in a series that seldom does so, and not at this time of most of its days."""
    step = pl.col("timeframe").replace_strict(_STEPS, default=None, return_dtype=pl.Int64)
    steps = (pl.col("ts_event") - pl.col("previous_ts")).dt.total_nanoseconds() / step
    gap = (pl.col("day") == pl.col("day").shift(1)) & (steps > 1)
    marked = frame.select("series", "day", "ts_event", steps.alias("steps"), gap.fill_null(value=False).alias("gap"))
    if not marked["gap"].any():
        return None
    at = pl.col("ts_event").dt.time()
    recurs = pl.col("gap").sum().over("series", at) > tuning["recurs"] * pl.col("day").n_unique().over("series")
    seldom = pl.col("gap").mean().over("series") <= tuning["share"]
    missing = (pl.col("steps") - 1).floor()
    return Broken(
        where=marked.select(pl.col("gap") & seldom & ~recurs).to_series(),
        measured={"steps": marked["steps"]},
        words=pl.format("bars without a row after {} and before this one: {}", "previous_ts", missing.cast(pl.Int64)),
        value=missing,
        high=0.0,
        repair="acquire",
        repair_value=missing,
    )


def outside_session(_frame: pl.DataFrame, _: Tuning) -> Broken:
    """The calendar has no session on the day of the bar."""
    day = pl.col("day")
    return Broken(
        where=~pl.col("is_session"),
        words=pl.format("{} has no session on {}, a {}", "venue", day, day.dt.strftime("%A")),
        repair="drop_row",
    )


def wrong_day(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The bar is labelled with a day without a session, while a session beside it has no bar: it is off by a day."""
    if not frame.select((~pl.col("is_session")).any()).item():
        return None
    late = (pl.col("sessions_since").shift(-1) > 1) & ~pl.col("starts").shift(-1)
    days = pl.when(pl.col("sessions_since") > 0).then(1.0).when(late).then(-1.0)
    moved = frame.select(pl.when(~pl.col("is_session")).then(days).alias("days"))["days"]
    other = pl.when(pl.col("days") > 0).then(pl.lit("after")).otherwise(pl.lit("before"))
    return Broken(
        where=moved.is_not_null(),
        measured={"days": moved},
        words=pl.format("{} is no session, and the session {} it has no bar: the label is off by a day", "day", other),
        repair="shift_days",
        repair_value=pl.col("days"),
    )


def weekend(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The bar is labelled with a Saturday or a Sunday, in a series that has none otherwise, and without a calendar."""
    if not frame["is_session"].null_count():
        return None
    off = (pl.col("day").dt.weekday() > _FRIDAY) & pl.col("is_session").is_null()
    marked = frame.select(off.fill_null(value=False).alias("off"))["off"]
    if not marked.any():
        return None
    rare = pl.lit(marked).mean().over("series") <= tuning["share"]
    return Broken(
        where=pl.lit(marked) & rare,
        words=pl.format("{} is a {}; the series has hardly any others", "day", pl.col("day").dt.strftime("%A")),
    )


def outside_hours(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The bar begins after a session closed and before the next one opens, in a series that seldom does so."""
    closed = pl.col("ts_event") >= pl.col("session_close")
    marked = frame.select("series", closed.fill_null(value=False).alias("closed"))
    if not marked["closed"].any():
        return None
    return Broken(
        where=marked.select(pl.col("closed") & (pl.col("closed").mean().over("series") <= tuning["share"])).to_series(),
        words=pl.format("{} closed at {} and was not open again", "venue", "session_close"),
    )


def half_day_overrun(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The bar begins after an early close, at a time at which the venue is open on other days."""
    length = pl.col("session_close") - pl.col("session_open")
    since = pl.col("ts_event") - pl.col("session_open")
    late = frame.select((since >= length).fill_null(value=False).alias("late"))["late"]
    if not late.any():
        return None
    usual = length.median().over("venue")
    return Broken(
        where=pl.lit(late) & (length < usual) & (since < usual),
        words=pl.format("it begins after the early close of {} at {}", "venue", "session_close"),
        repair="drop_row",
    )


def shifted_hour(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The bars of a day are an hour off, against the series' other days: a clock change was missed.

    The first bar of a day is compared with the open of its session; what most days of the series have is right.
    """
    firsts = frame.filter(pl.col("starts") | (pl.col("day") != pl.col("day").shift(1)))
    apart = (pl.col("ts_event") - pl.col("session_open")).dt.total_nanoseconds() / _HOUR_NS
    days = firsts.select("row", "series", "day", apart.alias("apart")).drop_nulls("apart")
    usual = days.group_by("series").agg(pl.col("apart").mode().min().alias("usual"))
    off = (pl.col("apart") - pl.col("usual")).alias("hours")
    shifted = days.join(usual, on="series").select("row", off).filter(pl.col("hours").abs() == 1)
    if shifted.is_empty():
        return None
    hours = at_rows(frame, shifted["row"], shifted["hours"])
    return Broken(
        where=hours.is_not_null(),
        measured={"hours": hours},
        words=pl.format(
            "the bars of {} are {} hours off against other days: a clock change was missed", "day", "hours"
        ),
        value=pl.col("hours"),
        low=0.0,
        high=0.0,
        repair="shift_hours",
        repair_value=-pl.col("hours"),
    )


def duplicate(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The instant is there twice in one series: with the same values, or with others."""
    again = pl.col("ts_event") == pl.col("previous_ts")
    if "trade_id" in frame.columns or not frame.select(again.any()).item():
        return None
    names = [name for name in (*PRICES, "volume", "price", "bid", "ask") if name in frame.columns]
    same = pl.all_horizontal([pl.col(name).eq_missing(pl.col(name).shift(1)) for name in names])
    marks = frame.select(again.fill_null(value=False).alias("again"), same.alias("same"))
    how = pl.when(pl.col("same")).then(pl.lit("the same")).otherwise(pl.lit("other"))
    return Broken(
        where=marks["again"],
        measured={"same": marks["same"]},
        words=pl.format("the row before it is of the same instant, with {} values", how),
        severity=pl.when(pl.col("same")).then(pl.lit("warning")).otherwise(pl.lit("error")),
        repair="drop_row",
    )


def stale(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The bar repeats those before it to the last digit, volume included; the first of such a run is honest."""
    same = (pl.col("close") == pl.col("previous_close")) & (pl.col("volume") == pl.col("volume").shift(1))
    rows = frame.select((same & (pl.col("volume") > 0)).alias("same"))["same"].arg_true().cast(pl.Int64)
    others = [name for name in PRICES if name != "close"]
    equal = pl.Series([True]).new_from_index(0, len(rows))
    for name in others:
        equal &= frame[name].gather(rows).eq_missing(frame[name].gather(rows - 1))
    repeats = rows.filter(equal)
    if repeats.is_empty():
        return None
    run = (repeats - pl.Series(range(len(repeats)))).alias("run")
    lengths = pl.DataFrame([repeats.alias("row"), run]).with_columns(pl.len().over("run").alias("length"))
    length = at_rows(frame, frame["row"].gather(repeats), lengths["length"] + 1)
    return Broken(
        where=length >= tuning["bars"],
        measured={"length": length},
        words=pl.format("the bar repeats those before it, volume included: {} alike", pl.col("length").cast(pl.Int64)),
        repair="rebuild",
    )


def out_of_order(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The row came before one that is earlier, in a series that otherwise runs forth; or the other way round."""
    back = frame.select((pl.col("place") < pl.col("previous_place")).fill_null(value=False).alias("back"), "series")
    if not back["back"].any():
        return None
    forth = pl.col("back").sum().over("series") * 2 < pl.len().over("series")
    first = back.select((pl.col("series") != pl.col("series").shift(1)).fill_null(value=True)).to_series()
    return Broken(
        where=back.select(pl.when(forth).then("back").otherwise(~pl.col("back"))).to_series() & ~first,
        words=pl.format("the row before it in time, of {}, stands on the wrong side of it", "previous_ts"),
    )


def in_future(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The row is of an instant that has not come yet; a session may begin before 00:00 UTC of its label."""
    if frame["now"].null_count() == len(frame):
        return None
    whole = ~pl.col("timeframe").is_in((*_SHORT, ""))
    return Broken(
        where=pl.col("ts_event") > frame["now"][0],
        confirmed=~whole | (pl.col("ts_event") - pl.col("now") > pl.duration(hours=_EAST_H, time_unit="ns")),
        words=pl.format("it is of {}, which had not come at {}", "ts_event", "now"),
        repair="drop_row",
    )


def _check(name: str, severity: str, sentence: str, **given: object) -> Check:
    kinds = given.pop("kinds", ("bars",))
    return Check(name=name, severity=severity, sentence=sentence, family="temporal", kinds=kinds, **given)  # type: ignore[arg-type]


CHECKS: Final = (
    _check(
        "missing_session",
        "warning",
        "Sessions of the calendar have no bar.",
        judge=missing_session,
        needs=("sessions_since", "previous_ts"),
        timeframes=("1d",),
    ),
    _check(
        "long_gap",
        "warning",
        "More days than any holiday has are without a bar, where no calendar is known.",
        judge=long_gap,
        needs=("previous_ts", "is_session"),
        limits={"days": 14.0},
        timeframes=(*_SHORT, "1d"),
    ),
    _check(
        "missing_bar",
        "note",
        "Bars of a session are left out, in a series that seldom does so.",
        judge=missing_bar,
        needs=("previous_ts", "day", "series"),
        limits={"share": 0.02, "recurs": 0.3},
        timeframes=_SHORT,
    ),
    _check(
        "outside_session",
        "warning",
        "The calendar has no session on the day of the bar.",
        judge=outside_session,
        needs=("is_session", "venue"),
        timeframes=("1d",),
    ),
    _check(
        "wrong_day",
        "error",
        "The bar is labelled with the day before or after its own.",
        judge=wrong_day,
        needs=("is_session", "sessions_since"),
        timeframes=("1d",),
    ),
    _check(
        "weekend",
        "warning",
        "The bar is of a Saturday or a Sunday, which its series hardly has otherwise.",
        judge=weekend,
        needs=("day", "is_session", "series"),
        limits={"share": 0.01},
        timeframes=(*_SHORT, "1d"),
    ),
    _check(
        "outside_hours",
        "note",
        "The bar begins while the venue is closed, in a series that seldom does so.",
        judge=outside_hours,
        needs=("session_close", "series"),
        limits={"share": 0.02},
        timeframes=_SHORT,
    ),
    _check(
        "half_day_overrun",
        "warning",
        "The bar begins after an early close.",
        judge=half_day_overrun,
        needs=("session_open", "session_close"),
        timeframes=_SHORT,
    ),
    _check(
        "shifted_hour",
        "error",
        "The bars of a day are an hour off: a clock change was missed.",
        judge=shifted_hour,
        needs=("session_open", "day", "series"),
        timeframes=_SHORT,
    ),
    _check(
        "duplicate",
        "warning",
        "An instant is there twice in one series.",
        judge=duplicate,
        needs=("previous_ts",),
        kinds=("bars", "quotes"),
    ),
    _check(
        "stale",
        "warning",
        "The bar repeats those before it to the last digit, volume included.",
        judge=stale,
        needs=("previous_close",),
        limits={"bars": 3.0},
        timeframes=("1d", "1w", "1mo"),
    ),
    _check(
        "out_of_order",
        "warning",
        "A row came before one that is earlier.",
        judge=out_of_order,
        needs=("previous_place", "previous_ts", "series"),
        kinds=("bars", "quotes", "trades"),
    ),
    _check(
        "in_future",
        "error",
        "The row is of an instant that has not come yet.",
        judge=in_future,
        needs=("now",),
        kinds=("bars", "quotes", "trades"),
    ),
)
