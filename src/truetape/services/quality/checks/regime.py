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
FAR: Final = 3.9  # sigmas; moves that are nearer than this are not compared with the market
MARKET: Final = 5  # series of one venue at one instant that make a market
SAMPLE: Final = 200  # series, of all venues together, that speak for their markets where there are more


def move(frame: pl.DataFrame) -> pl.Expr:
    """Return what is left of each log return when declared splits and dividends are taken out of it."""
    if frame["split"].null_count() == frame["dividend"].null_count() == len(frame):
        return pl.col("log_return")
    paid = (pl.col("dividend").fill_null(0.0) / pl.col("close") + 1).log()
    return pl.col("log_return") + pl.col("split").fill_null(1.0).log() + paid


def usual_move(frame: pl.DataFrame) -> pl.Series:
    """Return the robust sigma of the regime's moves, about 0 and without those of 0; null where none is known."""
    block, three = _regime(frame, frame["move"].abs())
    return pl.Series((NORMAL * _greatest(three))[block], nan_to_null=True)


def usual_turnover(frame: pl.DataFrame) -> pl.Series:
    """Return the regime's median of close x volume, without those of 0; null where none is known.

    Splits leave it as it is, real news multiply it.
    """
    block, three = _regime(frame, frame["close"] * frame["volume"])
    return pl.Series(_middle(three)[block], nan_to_null=True)


def turnover_spread(frame: pl.DataFrame) -> pl.Series:
    """Return the robust sigma of the logarithm of close x volume in the regime; null where none is known."""
    block, three = _regime(frame, (frame["close"] * frame["volume"] / frame["usual_turnover"]).log().abs())
    return pl.Series((NORMAL * _greatest(three))[block], nan_to_null=True)


def surprise(frame: pl.DataFrame) -> pl.Series:
    """Return each move in sigmas of its regime; far ones less what the market did, by how much it was in turmoil.

    The market excuses a move but never makes one.
    """
    own = frame["move"] / frame["usual_move"]
    rows = (own.abs() > FAR).fill_null(value=False).arg_true()
    if not len(rows):
        return own
    far = beside_market(frame, rows)
    least = pl.min_horizontal(pl.col("own").abs(), (pl.col("move") - pl.col("market")).abs() / pl.col("usual_move"))
    excused = far.select(pl.col("own").sign() * least / pl.max_horizontal(pl.col("turmoil").fill_null(1.0), 1.0))
    return own.scatter(rows, excused.to_series())


def beside_market(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Return the `rows` with `own`, their move in sigmas of its regime, and with what their market did.

    A market is the series of one venue and timeframe at one instant, if they are MARKET or more: `many`. `market` is
    the median of their moves, `middle` and `spread` the median and robust sigma of their moves in sigmas, `turmoil` how
    large these are / what they are on an ordinary day. All null without a market.
    """
    own = (pl.col("move") / pl.col("usual_move")).alias("own")
    code, every = _market_of_series(frame)
    columns = ("ts_event", "series", "move", "usual_move")
    far = frame[rows].select(*columns, own, code.gather(frame["series"].gather(rows)))
    sample = frame.lazy().filter(pl.col("series") % every == 0).select(*columns, own)
    asked = sample.join(far.lazy().select("ts_event").unique(), on="ts_event", how="semi").collect()
    key = ["ts_event", "code"]
    markets = (
        asked.with_columns(code.gather(asked["series"]))
        .group_by(key)
        .agg(
            pl.col("own").count().alias("many"),
            pl.col("move").median().alias("market"),
            pl.col("own").median().alias("middle"),
            ((pl.col("own") - pl.col("own").median()).abs().median() * NORMAL).alias("spread"),
            (pl.col("own").abs().median() * NORMAL).alias("turmoil"),
        )
    )
    return far.join(markets.filter(pl.col("many") >= MARKET), on=key, how="left", maintain_order="left")


def _market_of_series(frame: pl.DataFrame) -> tuple[pl.Series, int]:
    """Return the number of each series' market, and that every so-manieth series speaks for its market."""
    firsts = frame.filter(pl.col("starts")).select("timeframe", "venue")
    code = firsts.select(pl.struct("timeframe", "venue").rank("dense").alias("code"))["code"]
    return code, max(len(firsts) // SAMPLE, 1)


def _regime(frame: pl.DataFrame, values: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the block of each row, and (3, blocks): the medians of the block before, the block, and the one after.

    NaN where a block is of another series or has fewer than ENOUGH positive values.
    """
    starts = frame["starts"].to_numpy()
    rows = np.arange(len(starts))
    place = (rows - np.maximum.accumulate(np.where(starts, rows, 0))) % BLOCK
    opens = place == 0
    block = np.cumsum(opens) - 1
    first = starts[opens]  # the block is the first of its series
    if len(place) and place.max() < ENOUGH - 1:
        return block, np.full((3, len(first)), np.nan)
    known = values.cast(pl.Float32).fill_null(np.nan).to_numpy()
    table = np.full((len(first), BLOCK), np.nan, dtype=np.float32)
    table[block, place] = np.where(known > 0, known, np.nan)
    median = _medians(table)
    before = np.where(first, np.nan, np.roll(median, 1))
    after = np.where(np.roll(first, -1), np.nan, np.roll(median, -1))
    return block, np.stack([before, median, after])


def _medians(table: np.ndarray) -> np.ndarray:
    """Return the median of each row of `table`, which it sorts; NaN where fewer than ENOUGH are known."""
    table.sort(axis=1)  # NaN last
    known = np.isfinite(table).sum(axis=1)
    every = np.arange(len(table))
    middle = (table[every, (known - 1) // 2] + table[every, np.minimum(known // 2, BLOCK - 1)]) / 2
    return np.where(known >= ENOUGH, middle, np.nan).astype(np.float64)


def _greatest(three: np.ndarray) -> np.ndarray:
    return np.asarray(np.fmax(np.fmax(three[0], three[1]), three[2]))


def _middle(three: np.ndarray) -> np.ndarray:
    """Return the median of three where all are known, else the mean of those that are."""
    greatest, least = _greatest(three), np.fmin(np.fmin(three[0], three[1]), three[2])
    total = np.nansum(three, axis=0)
    return np.asarray(np.where(np.isnan(three).any(axis=0), (greatest + least) / 2, total - greatest - least))
