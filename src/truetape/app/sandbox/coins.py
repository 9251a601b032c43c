"""What the crypto exchanges' desks have in common: bars, trades and quotes of pairs whose market never closes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import polars as pl

from truetape.app.sandbox.intraday import MINUTES, around_the_clock, minutes, quotes, trades
from truetape.app.sandbox.truth import View
from truetape.domain.schema import DECODED, empty
from truetape.domain.time import DAY_NS, to_datetime
from truetape.services.api.dialects.numbers import text

EIGHT_PLACES: Final = 8
_OHLC: Final = ("open", "high", "low", "close")
_NUMBER: Final = pl.col("trade_id").cast(pl.Int64)


def candles(truth: View, *, timeframe: str, first_ns: int, last_ns: int) -> pl.DataFrame:
    """Return the bars that begin from `first_ns` to `last_ns`, both inclusive: schema DECODED["bars"], ascending.

    Days without open, high, low or close have none. Weeks begin on Monday.
    """
    days = truth.raw.filter(~pl.any_horizontal(pl.col(*_OHLC).is_null()))
    starts = pl.col("ts_event").cast(pl.Int64)
    if timeframe in MINUTES:
        near = days.filter(starts.is_between(first_ns - DAY_NS, last_ns))
        found = minutes(near, timeframe=timeframe, hours=around_the_clock, clock=True)
    else:
        found = days if timeframe == "1d" else _longer(days, timeframe)
    return found.filter(starts.is_between(first_ns, last_ns))


def trades_from(truth: View, *, wanted: pl.Expr, since_ns: int, rows: int) -> pl.DataFrame:
    """Return the first `rows` trades that are `wanted`, of the day of `since_ns` and later: DECODED["trades"]."""
    day = _day(since_ns)
    return _gathered(truth, (one for one in _days(truth) if one >= day), wanted=wanted, rows=rows).head(rows)


def trades_until(truth: View, *, wanted: pl.Expr, until_ns: int, rows: int) -> pl.DataFrame:
    """Return the last `rows` trades that are `wanted`, of the day of `until_ns` and before: DECODED["trades"]."""
    day = _day(until_ns)
    found = _gathered(truth, (one for one in reversed(_days(truth)) if one <= day), wanted=wanted, rows=rows)
    return found.sort(_NUMBER).tail(rows)


def last_quotes(truth: View, *, rows: int) -> pl.DataFrame:
    """Return the last `rows` quotes of the last day: schema DECODED["quotes"], ascending."""
    return quotes(truth.raw.tail(2), hours=around_the_clock).tail(rows)


def price(value: float | None) -> str:
    """Return `value` as exchanges write prices and sizes, with at least eight decimals; nothing is 0."""
    return text(value or 0.0, places=EIGHT_PLACES)


def milliseconds(frame: pl.DataFrame) -> list[int]:
    """Return the instants of `frame` in Unix milliseconds."""
    stamps: list[int] = frame["ts_event"].dt.epoch("ms").to_list()
    return stamps


def _gathered(truth: View, days: Iterable[date], *, wanted: pl.Expr, rows: int) -> pl.DataFrame:
    found, count = [empty(DECODED["trades"])], 0
    for day in days:
        part = trades(truth.between(day, day).raw, hours=around_the_clock).filter(wanted)
        found.append(part)
        count += len(part)
        if count >= rows:
            break
    return pl.concat(found)


def _longer(days: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    last = pl.col("close", "symbol", "adj_close", "currency", "basis", "running").last()
    sums = (pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("volume").sum())
    period = pl.col("ts_event").dt.truncate(timeframe)
    grouped = days.group_by(period, maintain_order=True).agg(*sums, last)
    return grouped.with_columns(pl.lit(timeframe).alias("timeframe")).select(list(DECODED["bars"]))


def _days(truth: View) -> list[date]:
    days: list[date] = truth.raw["ts_event"].dt.date().to_list()
    return days


def _day(instant_ns: int) -> date:
    return to_datetime(min(max(instant_ns, 0), 7_258_118_400 * 10**9 - 1)).date()
