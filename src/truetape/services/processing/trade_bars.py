"""Bars of trades: by time, by the number of trades, by volume and by money.

A bar by number, volume or money is closed by the trade with which it has the whole amount: a trade is never split, so
that a bar may hold more, and the next begins with the trade after it at nothing. Its last bar runs until it is full.
What a trade counts for in prices and volume, its conditions say; one that counts for no volume fills no bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.domain.sales import Sale
from truetape.domain.spans import Grid
from truetape.services.processing.tape import folded, standing

TRADE_BARS: Final = {
    "instrument_id": pl.String(),
    "number": pl.UInt32(),  # of the bar among those of its instrument, from 0
    "ts_event": INSTANT,  # the first trade; of a bar by time, when it begins
    "ts_last": INSTANT,  # the last trade
    **OHLCV_COLUMNS,  # prices are null where no trade of the bar may make one
    "money": pl.Float64(),  # price times size of the trades that make volume
    "trades": pl.UInt32(),  # that make volume
    "running": pl.Boolean(),  # not full yet
}
ENOUGH: Final = 1 - 1e-9  # of an amount: sums of fractions differ in their last bits
_NANOSECONDS: Final = 1000  # in a microsecond


def time_bars(
    trades: pl.DataFrame, *, every: timedelta, spans: pl.DataFrame, sales: Mapping[str, Sale]
) -> pl.DataFrame:
    """Return a bar (columns TRADE_BARS) for each stretch of `every` in which a trade makes a price.

    Args:
        trades: Rows of the table trades, of instruments of one venue, in any order.
        every: How long a bar lasts.
        spans: When the venue trades; see `domain.spans`. Trades outside count for nothing.
        sales: What trades count for, by condition.

    Raises:
        BadInput: `every` is not above zero.
    """
    length_ns = every // timedelta(microseconds=1) * _NANOSECONDS
    _above_zero("every", every, length_ns)
    rows = standing(trades, sales=sales)
    grid, stamps = Grid(spans), rows["ts_event"].to_physical().to_numpy()
    span, is_out = grid.find(stamps)
    inside = rows.filter(pl.Series(~is_out))
    begins = grid.begins(stamps[~is_out], span[~is_out], length_ns=length_ns)
    made = _bars(inside.with_columns(begin=pl.Series(begins).cast(INSTANT)), by="begin").filter(
        pl.col("high").is_not_null()
    )
    numbered = pl.int_range(pl.len()).over("instrument_id").alias("number")
    return _typed(made.with_columns(numbered, ts_event=pl.col("begin"), running=pl.lit(value=False)))


def tick_bars(trades: pl.DataFrame, *, count: int, sales: Mapping[str, Sale]) -> pl.DataFrame:
    """Return bars (columns TRADE_BARS) of `count` trades each, over all `trades`, whatever the session.

    Raises:
        BadInput: `count` is not above zero.
    """
    return _filled(trades, pl.lit(1.0), count, "count", sales)


def volume_bars(trades: pl.DataFrame, *, volume: float, sales: Mapping[str, Sale]) -> pl.DataFrame:
    """Return bars (columns TRADE_BARS) of at least `volume` units each, over all `trades`, whatever the session.

    Raises:
        BadInput: `volume` is not above zero.
    """
    return _filled(trades, pl.col("size"), volume, "volume", sales)


def money_bars(trades: pl.DataFrame, *, money: float, sales: Mapping[str, Sale]) -> pl.DataFrame:
    """Return bars (columns TRADE_BARS) of at least `money` each, in the currency of the trades; dollar bars in dollars.

    Raises:
        BadInput: `money` is not above zero.
    """
    return _filled(trades, pl.col("price") * pl.col("size"), money, "money", sales)


def _filled(
    trades: pl.DataFrame, amount: pl.Expr, whole: float, parameter: str, sales: Mapping[str, Sale]
) -> pl.DataFrame:
    _above_zero(parameter, whole, whole)
    rows = standing(trades, sales=sales).sort("instrument_id", maintain_order=True)
    counted = pl.when("for_volume").then(amount).otherwise(0.0).alias("amount")
    rows = rows.with_columns(counted).with_columns(total=pl.col("amount").cum_sum().over("instrument_id"))
    number = _first_ones(rows, whole * ENOUGH).cum_sum().cast(pl.UInt32).alias("number")
    made = _bars(
        rows.with_columns(number).with_columns(pl.col("number") - pl.col("number").min().over("instrument_id"))
    )
    return _typed(made.with_columns(running=pl.col("amount") < whole * ENOUGH))


def _first_ones(rows: pl.DataFrame, whole: float) -> pl.Series:
    """Return true for the first trade of each bar; `rows` are ordered by instrument and time, and have `total`."""
    begins = (rows["instrument_id"] != rows["instrument_id"].shift()).fill_null(value=True).to_numpy()
    total, amount = rows["total"].to_numpy(), rows["amount"].to_numpy()
    after, first, size = _after(begins, total, total - amount + whole), begins.copy(), len(rows)
    while (after < size).any():  # each time, bars are found as far ahead as were found before
        reached = after[first]
        first[reached[reached < size]] = True
        after = np.append(after, size)[after]
    return pl.Series(first)


def _after(begins: Any, total: Any, wanted: Any) -> Any:
    """Return, for each row, the row after that which ends a bar that begins with it; the number of rows for none.

    Args:
        begins: True for the first row of an instrument.
        total: The sum so far, within the instrument.
        wanted: What the sum must reach.
    """
    size = len(total)
    group = np.cumsum(begins) - 1
    ends = np.append(np.flatnonzero(begins)[1:], size)[group] if size else group
    low, high = np.arange(size), ends.copy()  # the row that ends the bar lies from low to high
    while (low < high).any():
        middle = (low + high) // 2
        is_enough = total[np.minimum(middle, size - 1)] >= wanted
        low, high = np.where(is_enough | (low >= high), low, middle + 1), np.where(is_enough, middle, high)
    return np.where(low + 1 < ends, low + 1, size)


def _bars(rows: pl.DataFrame, *, by: str = "number") -> pl.DataFrame:
    """Return a bar for each instrument and value of `by`, with `amount` where rows have it."""
    key = ["instrument_id", by]
    counts = pl.col("for_volume")
    summed = [pl.col("amount").sum()] if "amount" in rows.columns else []
    beside = rows.group_by(key, maintain_order=True).agg(
        pl.col("ts_event").first(),
        pl.col("ts_event").last().alias("ts_last"),
        (pl.col("price") * pl.col("size")).filter(counts).sum().alias("money"),
        counts.sum().alias("trades"),
        *summed,
    )
    return folded(rows, by=key).join(beside, on=key, maintain_order="left").sort(key)


def _typed(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.select([pl.col(name).cast(dtype) for name, dtype in TRADE_BARS.items()])


def _above_zero(parameter: str, value: object, amount: float) -> None:
    if not amount > 0:
        raise BadInput(parameter=parameter, value=value, fix="A bar holds more than nothing: write a number above 0.")
