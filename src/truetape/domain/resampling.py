"""Longer bars out of shorter ones, cut as the venue cuts its day: 1m to 5m, 15m, 30m, 1h, 1d, 1w and 1mo.

- open is the first known, high the greatest, low the least, close the last; volume is the sum, and null if that of one
  bar is not known. A stretch without trades has no bar.
- Bars of minutes and hours are labelled with the instant at which they begin, daily bars with the session's date,
  weeks with the Monday of their ISO week and months with their first day, at 00:00 UTC, as providers' bars are decoded.
- A bar that its spans have not ended, or that holds a running one, is running.
- It composes: 1m to 5m to 1h is 1m to 1h, and 1m to 1d to 1w is 1m to 1w; of fractional volumes, but for the last bits.
  Weeks do not add up to months.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.kinds import INSTANT
from truetape.domain.spans import Grid
from truetape.domain.time import DAY_NS, NANOSECONDS, TIMEFRAMES

LENGTHS_NS: Final = {
    "1m": 60 * NANOSECONDS,
    "5m": 300 * NANOSECONDS,
    "15m": 900 * NANOSECONDS,
    "30m": 1800 * NANOSECONDS,
    "1h": 3600 * NANOSECONDS,
}
PRICES: Final = ("open", "high", "low", "close")
_NONE: Final = -1 << 62  # no day
_THURSDAY: Final = 3  # 1970-01-01 was one: so many days after a Monday
_WEEK: Final = 7
_MONTH: Final = 31  # days after its first, a month has ended and the next has not


def resample(
    bars: pl.DataFrame,
    *,
    source: str,
    target: str,
    spans: pl.DataFrame,
    by: Sequence[str] = ("instrument_id",),
    complete_until: int | None = None,
) -> pl.DataFrame:
    """Return the bars of `target` that `bars` make up, ordered by (`by`, `ts_event`) as their groups came.

    Args:
        bars: Bars of one venue and of the timeframe `source`: the columns `by`, `ts_event` (unique in its group), and
            any of open, high, low, close, volume, running, timeframe. Of other columns the last value is taken. Bars
            outside all spans, and rows without any price, make up nothing.
        source: The timeframe of `bars`.
        target: A longer one.
        spans: When the venue trades; see `domain.spans`. A week or month ends with its last session if a later
            one stands in it, else with the calendar's week or month.
        by: What tells the series apart; nothing for a single one.
        complete_until: Until when `bars` are complete, UTC nanoseconds, exclusive; None: whatever was to come is there.

    Raises:
        BadInput: Bars of `target` cannot be made of bars of `source`.
    """
    rows, begins = _ordered(bars, by)
    rows = labelled(rows, source=source, target=target, spans=spans)
    if len(rows) != len(begins):
        begins = rows.select(_begins(by)).to_series()
    made = _folded(rows, begins, by, target)
    if complete_until is None:
        return made
    ends = _ends(Grid(spans), made["ts_event"].to_physical().to_numpy(), target)
    return made.with_columns(running=pl.col("running") | pl.Series(ends > complete_until))


def labelled(bars: pl.DataFrame, *, source: str, target: str, spans: pl.DataFrame) -> pl.DataFrame:
    """Return the `bars` that are a part of one of `target`, with that bar's label as their `ts_event`, as they came.

    Args:
        bars: Bars of one venue and of the timeframe `source`: `ts_event`, any of the prices, and any other columns.
        source: The timeframe of `bars`.
        target: A longer one.
        spans: When the venue trades; see `domain.spans`. Bars outside all spans, and rows without any price, are left
            out.

    Raises:
        BadInput: Bars of `target` cannot be made of bars of `source`.
    """
    _refuse(source, target)
    held = [name for name in PRICES if name in bars.columns]
    rows = bars.filter(~pl.all_horizontal(pl.col(held).is_null()))
    labels, is_out = _labels(Grid(spans), rows["ts_event"].to_physical().to_numpy(), source, target)
    if is_out.any():
        rows, labels = rows.filter(pl.Series(~is_out)), labels[~is_out]
    return rows.with_columns(pl.Series("ts_event", labels).cast(INSTANT))


def _refuse(source: str, target: str) -> None:
    """Accept a pair of timeframes of which the shorter fills the longer.

    Raises:
        BadInput: It is no such pair.
    """
    for name, value in (("source", source), ("target", target)):
        if value not in TIMEFRAMES:
            raise BadInput(parameter=name, value=value, fix=f"Write one of {', '.join(TIMEFRAMES)}.")
    longer = TIMEFRAMES[TIMEFRAMES.index(source) + 1 :] if source != "1w" else ()
    if target not in longer:
        fix = f"Bars of {source} make up bars of {', '.join(longer) or 'no longer timeframe'}."
        raise BadInput(parameter="target", value=target, fix=fix)


def _ordered(bars: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Return `bars` with each group in one piece and in the order of time, and true for the first row of each group."""
    begins = bars.select(_begins(by)).to_series()
    stamps = bars["ts_event"].to_physical().to_numpy()
    falls = np.flatnonzero(stamps[1:] < stamps[:-1]) + 1  # rows before which time goes back
    if begins.gather(falls).all() and not (by and bars.filter(begins).select(by).is_duplicated().any()):
        return bars, begins
    rows = bars.sort([*by, "ts_event"])
    return rows, rows.select(_begins(by)).to_series()


def _begins(columns: Sequence[str]) -> pl.Expr:
    """Return true for each row in which one of `columns` is another than in the row before."""
    first = pl.int_range(pl.len()) == 0
    return pl.any_horizontal(first, *(pl.col(name).ne_missing(pl.col(name).shift()) for name in columns)).alias(
        "begins"
    )


def _folded(rows: pl.DataFrame, begins: pl.Series, by: Sequence[str], target: str) -> pl.DataFrame:
    """Return one row for each run of rows of one group with the same `ts_event`; `begins`: where a group does."""
    starts = (rows["ts_event"] != rows["ts_event"].shift()).fill_null(value=True) | begins
    number = starts.cum_sum().set_sorted().alias("_number")
    known = [name for name in [*rows.columns, "running"] if name not in by]
    rules = _rules(rows, target)
    columns = [rules.get(name, pl.col(name).last()).alias(name) for name in dict.fromkeys(known)]
    heads = [pl.col(name).first() for name in by]
    made = rows.with_columns(number).group_by("_number", maintain_order=True).agg([*heads, *columns])
    return made.select([*rows.columns, *(["running"] if "running" not in rows.columns else [])])


def _rules(rows: pl.DataFrame, target: str) -> dict[str, pl.Expr]:
    volume = pl.col("volume")
    ran = pl.col("running").fill_null(value=False).any() if "running" in rows.columns else pl.lit(value=False)
    return {
        "ts_event": pl.col("ts_event").first(),
        "open": pl.col("open").first(ignore_nulls=True),
        "high": pl.col("high").max(),
        "low": pl.col("low").min(),
        "close": pl.col("close").last(ignore_nulls=True),
        "volume": pl.when(volume.null_count() == 0).then(volume.sum()),
        "timeframe": pl.lit(target),
        "running": ran,
    }


def _labels(grid: Grid, stamps: Any, source: str, target: str) -> tuple[Any, Any]:
    """Return the label of the bar of `target` that each bar of `source` is a part of, and true for those of none."""
    if source not in LENGTHS_NS:
        return _period(stamps // DAY_NS, target) * DAY_NS, np.zeros(len(stamps), dtype=bool)
    span, is_out = grid.find(stamps, lasting_ns=LENGTHS_NS[source])
    if not len(grid.day):
        return stamps, is_out
    if target in LENGTHS_NS:
        return grid.begins(stamps, span, length_ns=LENGTHS_NS[target]), is_out
    return (_period(grid.day, target) * DAY_NS)[span], is_out


def _ends(grid: Grid, labels: Any, target: str) -> Any:
    """Return when the bars of `target` with these `labels` end, UTC nanoseconds."""
    if target in LENGTHS_NS:
        return grid.ends(labels, length_ns=LENGTHS_NS[target])
    periods = _period(grid.day, target)
    days = labels // DAY_NS
    last = np.searchsorted(periods, days, side="right") - 1
    is_known = (np.append(periods, _NONE)[last] == days) & ((last < len(periods) - 1) | (target == "1d"))
    return np.where(is_known, np.append(grid.until, 0)[last], _after(days, target) * DAY_NS)


def _period(days: Any, target: str) -> Any:
    """Return the first day of the day, week or month of each of `days`, all counted since 1970-01-01."""
    if target == "1d":
        return days
    if target == "1w":
        return days - (days + _THURSDAY) % _WEEK
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _after(days: Any, target: str) -> Any:
    """Return the first day of the period after the one that begins on each of `days`."""
    if target == "1mo":
        return _period(days + _MONTH, target)
    return days + (_WEEK if target == "1w" else 1)
