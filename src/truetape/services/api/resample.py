"""Longer bars of daily ones: weeks from Monday to Sunday, and calendar months."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Final

import polars as pl

WORST_LAST: Final = ("operator", "consensus", "single_source", "plurality")
_SUNDAY: Final = 6


def whole_periods(start: date | None, end: date | None, *, timeframe: str) -> tuple[date | None, date | None]:
    """Return the first day of the period that holds `start`, and the last day of the one that holds `end`."""
    return _first_day(start, timeframe), _last_day(end, timeframe)


def resample(bars: pl.DataFrame, *, timeframe: str) -> pl.DataFrame:
    """Return one bar for each week ("1w") or month ("1mo") that has a session.

    A bar is labelled with its first session date. Its volume is null if one session's is. Its quality is that of its
    worst session: the least score, the weakest method, and `agreed` holds the providers that agree on every session.

    Args:
        bars: Daily bars of one symbol in ascending order, with any columns of the bars table.
        timeframe: "1w" or "1mo".
    """
    period = pl.col("ts_event").dt.truncate(timeframe).alias("period")
    rules = _rules(bars)
    columns = [rules.get(name, pl.col(name).last()).alias(name) for name in bars.columns]
    return bars.group_by(period, maintain_order=True).agg(columns).drop("period")


def _rules(bars: pl.DataFrame) -> dict[str, pl.Expr]:
    volume = pl.col("volume")
    names = (
        {name for text in bars["agreed"].unique() for name in text.split(",")} if "agreed" in bars.columns else set()
    )
    return {
        "ts_event": pl.col("ts_event").first(),
        "open": pl.col("open").first(),
        "high": pl.col("high").max(),
        "low": pl.col("low").min(),
        "volume": pl.when(volume.is_not_null().all()).then(volume.sum()),
        "provider": pl.col("provider").unique().sort().str.join(","),
        "score": pl.col("score").min(),
        "method": pl.col("method").cast(pl.Enum(WORST_LAST)).max().cast(pl.String),
        "agreed": _agreed_throughout(sorted(names)),
        "version": pl.col("version").max(),
        "ts_known": pl.col("ts_known").max(),
        "simulated": pl.col("simulated").any(),
    }


def _agreed_throughout(names: list[str]) -> pl.Expr:
    agrees = pl.col("agreed").str.split(",").list
    always = [pl.when(agrees.contains(name).all()).then(pl.lit(name)) for name in names]
    return pl.concat_str(always, separator=",", ignore_nulls=True) if always else pl.lit("")


def _first_day(day: date | None, timeframe: str) -> date | None:
    if day is None:
        return None
    return day.replace(day=1) if timeframe == "1mo" else day - timedelta(days=min(day.weekday(), day.toordinal() - 1))


def _last_day(day: date | None, timeframe: str) -> date | None:
    if day is None:
        return None
    if timeframe == "1mo":
        return day.replace(day=monthrange(day.year, day.month)[1])
    ordinal = day.toordinal() + _SUNDAY - day.weekday()
    return date.fromordinal(min(ordinal, date.max.toordinal()))
