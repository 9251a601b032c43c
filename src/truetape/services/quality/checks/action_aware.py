"""Checks of prices and corporate actions against each other: jumps without an action, and actions without a jump."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning, at_rows, shown

SPLIT_RATIOS: Final = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)

_NO_JUMPS: Final = pl.DataFrame(schema={"row": pl.UInt32, "ratio": pl.Float64, "shares": pl.Float64})
_LOGS: Final = np.log([*SPLIT_RATIOS, *(1 / ratio for ratio in SPLIT_RATIOS)])


def undeclared_split(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The price opens where a split would bring it and stays there; the rest of the move and the turnover are ordinary.

    News that moves a price so far is traded at many times the usual turnover, a split is not.
    """
    found = _unexplained(frame, tuning).filter(pl.col("shares").is_not_null())
    if found.is_empty():
        return None
    words = "the price went from {} to {} at once and stays there: a split of {} new shares for one old is not declared"
    return Broken(
        where=at_rows(frame, found["row"], found["shares"]).is_not_null(),
        measured={"shares": at_rows(frame, found["row"], found["shares"])},
        words=pl.format(words, shown("previous_close"), shown(pl.coalesce("open", "close")), pl.col("shares").round(4)),
        field="close",
        repair="add_split",
        repair_value=pl.col("shares"),
    )


def unexplained_jump(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The close is so far from the close before that only an action could explain it, and no action does."""
    found = _unexplained(frame, tuning).filter(pl.col("shares").is_null())
    if found.is_empty():
        return None
    base = pl.col("previous_close")
    return Broken(
        where=at_rows(frame, found["row"], found["ratio"]).is_not_null(),
        words=pl.format("the close went from {} to {}, and no action explains it", shown(base), shown("close")),
        field="close",
        low=base * tuning["least"],
        high=base / tuning["least"],
    )


def _unexplained(frame: pl.DataFrame, tuning: Tuning) -> pl.DataFrame:
    """Return the rows whose close jumped without an action: `row`, `ratio`, and the `shares` of a split that fits."""
    ratio, least = pl.col("ratio"), tuning["least"]
    rows = frame.select(((ratio < least) | (ratio > 1 / least)).alias("jump"))["jump"].arg_true().cast(pl.Int64)
    if rows.is_empty():
        return _NO_JUMPS
    beside = {
        "earlier": frame["ratio"].gather((rows - 1).clip(0)),
        "later": frame["ratio"].gather((rows + 1).clip(upper_bound=max(len(frame) - 1, 0))),
    }
    paid = (pl.col("dividend").fill_null(0.0) / pl.col("previous_close")).clip(0.0, 0.99)
    explained = ratio * pl.col("split").fill_null(1.0) / (1 - paid)
    left = frame[rows].with_columns(**beside).filter(~explained.is_between(least, 1 / least))
    opened = pl.coalesce("open", "close") / pl.col("previous_close")
    turnover = pl.col("close") * pl.col("volume") / pl.col("usual_turnover")
    left = left.select("row", "ratio", "earlier", "later", "usual_move", opened=opened, turnover=turnover)
    return left.with_columns(_fitting(left, tuning))


def _fitting(jumps: pl.DataFrame, tuning: Tuning) -> pl.Series:
    """Return, for each jump, the new shares for one old of the split that explains it; null where none does."""
    names = ("opened", "ratio", "earlier", "later")
    logs = jumps.select(pl.when(pl.col(names).log().is_finite()).then(pl.col(names).log()))
    opened, closed, earlier, later = (logs[name].to_numpy() for name in names)
    apart = np.abs(-opened[:, None] - _LOGS)
    ordinary = np.minimum(tuning["rest"], tuning["sigmas"] * jumps["usual_move"].to_numpy())
    fits = (apart.min(axis=1) <= ordinary) & (np.abs(closed - opened) <= ordinary * 2)
    for beside in (earlier, later):
        fits &= ~(np.abs(beside) > np.abs(opened) / 2)
    fits &= ~(jumps["turnover"].to_numpy() > tuning["turnover"])
    return pl.Series("shares", np.where(fits, np.exp(_LOGS)[apart.argmin(axis=1)], np.nan), nan_to_null=True)


def split_without_jump(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """A split is declared from this bar on, but the price did not move by it, though prices are as traded."""
    if "basis" not in frame.columns or frame["split"].null_count() == len(frame):
        return None
    left, whole = (pl.col("ratio") * pl.col("split")).log().abs(), pl.col("split").log().abs()
    return Broken(
        where=(pl.col("basis") == "raw") & (whole > tuning["least"]) & (left > whole / 2),
        words=pl.format(
            "a split of {} new shares for one old is declared, but the close went from {} to {}",
            shown("split"),
            shown("previous_close"),
            shown("close"),
        ),
        field="close",
        value=pl.col("close"),
        low=pl.col("previous_close") / pl.col("split"),
        high=pl.col("previous_close") / pl.col("split"),
        repair="drop_split",
        repair_value=pl.col("split"),
    )


def dividend_without_fall(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """A dividend is declared that is a great part of the price, but the price did not fall by it."""
    if frame["dividend"].null_count() == len(frame):
        return None
    share = pl.col("dividend") * pl.col("split").fill_null(1.0) / pl.col("previous_close")
    ratio = pl.col("ratio") * pl.col("split").fill_null(1.0)
    percent = (share * 100).round(1)
    return Broken(
        where=(share >= 1) | ((share > tuning["share"]) & (ratio > 1 - share / 2)),
        words=pl.format(
            "a dividend of {} is {} % of the close before, but the price did not fall so", shown("dividend"), percent
        ),
        value=pl.col("dividend"),
        high=pl.col("previous_close") * tuning["share"],
        repair=pl.when(share / 100 < tuning["share"]).then(pl.lit("scale_dividend")),
        repair_value=0.01,
    )


CHECKS: Final = (
    Check(
        name="undeclared_split",
        kinds=("bars",),
        family="action",
        severity="warning",
        sentence="The price jumps by the ratio of a split that is not declared.",
        judge=undeclared_split,
        needs=("ratio", "previous_close", "split", "dividend", "usual_move", "usual_turnover"),
        limits={"least": 0.7, "rest": 0.06, "sigmas": 4.0, "turnover": 4.0},
        timeframes=("1m", "5m", "15m", "30m", "1h", "1d"),
    ),
    Check(
        name="unexplained_jump",
        kinds=("bars",),
        family="action",
        severity="warning",
        sentence="The close jumps so far that only an action could explain it, and none does.",
        judge=unexplained_jump,
        needs=("ratio", "previous_close", "split", "dividend", "usual_move", "usual_turnover"),
        limits={"least": 0.5, "rest": 0.06, "sigmas": 4.0, "turnover": 4.0},
        timeframes=("1m", "5m", "15m", "30m", "1h", "1d"),
    ),
    Check(
        name="split_without_jump",
        kinds=("bars",),
        family="action",
        severity="error",
        sentence="A split is declared, but the price did not move by it.",
        judge=split_without_jump,
        needs=("ratio", "previous_close", "split"),
        limits={"least": 0.2},
        timeframes=("1m", "5m", "15m", "30m", "1h", "1d"),
    ),
    Check(
        name="dividend_without_fall",
        kinds=("bars",),
        family="action",
        severity="error",
        sentence="A dividend is a great part of the price, but the price did not fall by it.",
        judge=dividend_without_fall,
        needs=("ratio", "previous_close", "split", "dividend"),
        limits={"share": 0.1},
        timeframes=("1m", "5m", "15m", "30m", "1h", "1d"),
    ),
)
