"""Longer bars of finer ones, with the quality of the worst of them; weeks are from Monday to Sunday."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.resampling import labelled

WORST_LAST: Final = ("operator", "consensus", "single_source", "plurality")
_SUNDAY: Final = 6


def whole_periods(start: date | None, end: date | None, *, timeframe: str) -> tuple[date | None, date | None]:
    """Return the first day of the period that holds `start`, and the last day of the one that holds `end`."""
    return _first_day(start, timeframe), _last_day(end, timeframe)


def resample(bars: pl.DataFrame, *, source: str, timeframe: str, spans: pl.DataFrame) -> pl.DataFrame:
    """Return one bar for each stretch of `timeframe` that has a bar, labelled as domain.resampling labels it.

    Its volume is null if one bar's is. Its quality is that of its worst bar: the least score, the weakest method, and
    `agreed` holds the providers that agree on every one of them.

    Args:
        bars: Bars of one symbol in ascending order, with any columns of the bars table.
        source: Their timeframe.
        timeframe: A longer one.
        spans: When the venue trades; see domain.spans. Days make up weeks and months without it.
    """
    parts = labelled(bars, source=source, target=timeframe, spans=spans)
    rules = _rules(parts)
    columns = [rules.get(name, pl.col(name).last()).alias(name) for name in bars.columns if name != "ts_event"]
    return parts.group_by("ts_event", maintain_order=True).agg(columns).select(bars.columns)


def _rules(bars: pl.DataFrame) -> dict[str, pl.Expr]:
    volume = pl.col("volume")
    names = (
        {name for text in bars["agreed"].unique() for name in text.split(",")} if "agreed" in bars.columns else set()
    )
    return {
        "open": pl.col("open").first(ignore_nulls=True),
        "high": pl.col("high").max(),
        "low": pl.col("low").min(),
        "close": pl.col("close").last(ignore_nulls=True),
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
