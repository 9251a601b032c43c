"""What is usual for a series at a time: how far its price moves in a row, and how much of it is traded.

A regime is told by medians over blocks of 21 rows, which a fault of a few rows cannot move, each seen with its two
neighbours: moves by the greatest of the three, so that the days of a crash, after which prices move more, are judged by
what followed too, while a level that is only wrong is judged by what is usual; turnover by the middle one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

BLOCK: Final = 21  # rows; a month of sessions
ENOUGH: Final = 7  # values that make a median
NORMAL: Final = 1.4826  # the sigma of a normal distribution / the median of its distance from 0
MARKET: Final = 5  # series of one venue at one instant that make a market


def move(frame: pl.DataFrame) -> pl.Expr:
    """Return what is left of each log return when declared splits and dividends are taken out of it."""
    if frame["split"].null_count() == frame["dividend"].null_count() == len(frame):
        return pl.col("log_return")
    paid = (pl.col("dividend").fill_null(0.0) / pl.col("close") + 1).log()
    return pl.col("log_return") + pl.col("split").fill_null(1.0).log() + paid


def usual_move(frame: pl.DataFrame) -> pl.Series:
    """Return the robust sigma of the regime's moves, about 0 and without those of 0; null where none is known."""
    return pl.Series(NORMAL * _greatest(_regime(frame, frame["move"].abs())), nan_to_null=True)


def usual_turnover(frame: pl.DataFrame) -> pl.Series:
    """Return the regime's median of close x volume, without those of 0; null where none is known.

    Splits leave it as it is, real news multiply it.
    """
    return pl.Series(_middle(_regime(frame, frame["close"] * frame["volume"])), nan_to_null=True)


def turnover_spread(frame: pl.DataFrame) -> pl.Series:
    """Return the robust sigma of the logarithm of close x volume in the regime; null where none is known."""
    apart = (frame["close"] * frame["volume"] / frame["usual_turnover"]).log().abs()
    return pl.Series(NORMAL * _greatest(_regime(frame, apart)), nan_to_null=True)


def surprise(frame: pl.DataFrame) -> pl.Series:
    """Return each move in sigmas: of its regime, less what the market did, by how much the market was in turmoil.

    The market is the series of one venue and timeframe at one instant, if they are MARKET or more: its move is their
    median, its turmoil the median of their moves in sigmas / what that is on an ordinary day, at least 1. The market
    excuses a move but never makes one.
    """
    sigmas = frame.lazy().select("ts_event", "timeframe", "venue", "move", "usual_move")
    own = sigmas.with_columns(pl.col("move") / pl.col("usual_move"))
    of_day = own.group_by("ts_event", "timeframe", "venue").agg(
        pl.col("move").count().alias("many"),
        pl.col("move").median().alias("market"),
        (pl.col("move").abs().median() * NORMAL).alias("turmoil"),
    )
    joined = own.join(
        of_day.filter(pl.col("many") >= MARKET),
        on=["ts_event", "timeframe", "venue"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    least = pl.min_horizontal(pl.col("move").abs(), (pl.col("move") - pl.col("market")).abs())
    calm = pl.max_horizontal(pl.col("turmoil").fill_null(1.0), pl.lit(1.0))
    return joined.select((pl.col("move").sign() * least / calm).alias("surprise")).collect()["surprise"]


def _regime(frame: pl.DataFrame, values: pl.Series) -> np.ndarray:
    """Return, for each row, the medians of the block before its own, of its own and of the one after: (3, rows).

    NaN where a block is of another series or has fewer than ENOUGH positive values.
    """
    starts = frame["starts"].to_numpy()
    rows = np.arange(len(starts))
    place = rows - np.maximum.accumulate(np.where(starts, rows, 0))
    block = np.cumsum(place % BLOCK == 0) - 1
    first = place[place % BLOCK == 0] == 0  # the block is the first of its series
    median = _medians(block, place % BLOCK, values.cast(pl.Float32).fill_null(np.nan).to_numpy(), count=len(first))
    before = np.where(first, np.nan, np.roll(median, 1))
    after = np.where(np.roll(first, -1), np.nan, np.roll(median, -1))
    return np.stack([before, median, after])[:, block]


def _medians(block: np.ndarray, place: np.ndarray, values: np.ndarray, *, count: int) -> np.ndarray:
    """Return the median of the positive values of each of `count` blocks, NaN where there are fewer than ENOUGH."""
    table = np.full((count, BLOCK), np.nan, dtype=np.float32)
    table[block, place] = np.where(values > 0, values, np.nan)
    table.sort(axis=1)  # NaN last
    known = np.isfinite(table).sum(axis=1)
    every = np.arange(count)
    middle = (table[every, (known - 1) // 2] + table[every, known // 2]) / 2
    return np.where(known >= ENOUGH, middle, np.nan).astype(np.float64)


def _greatest(three: np.ndarray) -> np.ndarray:
    return np.asarray(np.fmax(np.fmax(three[0], three[1]), three[2]))


def _middle(three: np.ndarray) -> np.ndarray:
    """Return the median of three where all are known, else the mean of those that are."""
    greatest, least = _greatest(three), np.fmin(np.fmin(three[0], three[1]), three[2])
    total = np.nansum(three, axis=0)
    return np.asarray(np.where(np.isnan(three).any(axis=0), (greatest + least) / 2, total - greatest - least))
