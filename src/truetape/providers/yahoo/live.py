"""Yahoo's live row: the running session, stamped with its last trade, beside or instead of the bar it belongs to."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

SECONDS: Final = {"1m": 60, "2m": 120, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "90m": 5400}
DAYS: Final = {"1d": 1, "5d": 7, "1w": 7}
MONTHS: Final = {"1mo": 1, "3mo": 3}
SATURDAY: Final = 5


def settled(rows: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    """Return bars whose last row is live as bars that all carry the label of their timeframe.

    A live row of the same day replaces that day's bar. One inside a longer or shorter bar is merged into it: open of
    the first, highest high, lowest low, close of the last, volumes added.

    Args:
        rows: `ts_event`, open to volume and `adj_close`, ascending, at least one row.
        timeframe: Of `rows`.
    """
    labels = rows["ts_event"].tail(2).to_list()
    before = labels[0] if len(labels) > 1 else None
    begun = _begun(before, labels[-1], timeframe)
    relabelled = pl.concat([rows["ts_event"][:-1], pl.Series([begun], dtype=rows["ts_event"].dtype)])
    rows = pl.DataFrame({**rows.to_dict(), "ts_event": relabelled})
    if timeframe == "1d" or begun != before:
        return rows
    merged = rows.tail(2).select(
        pl.col("open").drop_nulls().first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close", "adj_close").drop_nulls().last(),
        pl.col("volume").sum(),
        pl.col("ts_event").last(),
    )
    return pl.concat([rows[:-2], merged.select(rows.columns)])


def unfinished(begun: date, timeframe: str, *, last_trade: date, open_now: bool) -> bool:
    """Return whether a bar of a day or longer that began on `begun` goes on after the last trade.

    Args:
        begun: The bar's first date.
        timeframe: "1d", "5d", "1w", "1mo" or "3mo".
        last_trade: The session of the last trade.
        open_now: Whether that session was still open at the last trade; else the next is on the next weekday.
    """
    following = last_trade if open_now else last_trade + timedelta(days=1)
    while not open_now and following.weekday() >= SATURDAY:
        following += timedelta(days=1)
    return begun <= last_trade and following < _end(begun, timeframe)


def _begun(before: datetime | None, live: datetime, timeframe: str) -> datetime:
    """Return the label of the bar that a live row with the label `live` belongs to; `before` is the label before it."""
    if timeframe in SECONDS:
        return live - (live - before) % timedelta(seconds=SECONDS[timeframe]) if before else live
    if before and live.date() < _end(before.date(), timeframe):
        return before if timeframe != "1d" else live
    if timeframe == "1w":
        return live - timedelta(days=live.weekday())
    return live.replace(day=1) if timeframe == "1mo" else live


def _end(begun: date, timeframe: str) -> date:
    """Return the date after the last one of the bar that began on `begun`; five trading days fill a week."""
    if timeframe in MONTHS:
        months = begun.year * 12 + begun.month - 1 + MONTHS[timeframe]
        return date(months // 12, months % 12 + 1, 1)
    return begun + timedelta(days=DAYS[timeframe])
