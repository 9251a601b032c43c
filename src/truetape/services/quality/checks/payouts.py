"""Checks of corporate actions against those before and after them, and against what other providers declare."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning, at_rows, shown

_ENOUGH: Final = 3  # providers, or dividends
_NEAR: Final = 0.2  # of the factor's logarithm, by which dividends of different size may miss it


def odd_dividend(frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """A dividend is about a hundred times the usual one of its series, or a hundredth: it is in another unit.

    A hundredth must be followed by more again, since dividends are cut to next to nothing in bad years.
    """
    found = _in_another_unit(frame, tuning["times"])
    usual = at_rows(frame, found["row"], found["usual"])
    return Broken(
        where=usual.is_not_null(),
        measured={"usual": usual},
        words=pl.format("a dividend of {}; the usual one of the series is {}", shown("value"), shown("usual")),
        field="value",
        low=pl.col("usual") / tuning["times"] * 2,
        high=pl.col("usual") * tuning["times"] / 2,
        repair="scale_dividend",
        repair_value=pl.lit(tuning["times"]).pow(-(pl.col("value") / pl.col("usual")).log().sign()),
    )


def _in_another_unit(frame: pl.DataFrame, times: float) -> pl.DataFrame:
    """Return `row` of each odd dividend, and the `usual` one of its series."""
    paid = frame.filter(pl.col("type") == "dividend").with_columns(
        pl.when(pl.len() >= _ENOUGH).then(pl.col("value").median()).over("series").alias("usual"),
        (pl.col("value").shift(-1).over("series") / pl.col("value")).alias("after"),
    )
    unit = pl.lit(times).log()
    power = (pl.col("value") / pl.col("usual")).log() / unit
    below = ((power + 1).abs() < _NEAR) & (pl.col("after").log() > unit / 2)
    return paid.filter(((power - 1).abs() < _NEAR) | below).select("row", "usual")


def action_disagrees(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The action's value is not what most of three or more providers declare."""
    if frame["provider"].n_unique() < _ENOUGH:
        return None
    key = ("instrument_id", "ex_date", "type")
    judged = frame.select(
        pl.when(pl.len() >= _ENOUGH).then(pl.col("value").median()).over(key).alias("middle"), pl.len().over(key)
    )
    middle = pl.col("middle")
    return Broken(
        where=((frame["value"] / judged["middle"] - 1).abs() > tuning["share"]).fill_null(value=False),
        measured={"middle": judged["middle"], "many": judged["len"]},
        words=pl.format("{} says {}; the median of {} providers is {}", "provider", "value", "many", "middle"),
        field="value",
        low=middle * (1 - tuning["share"]),
        high=middle * (1 + tuning["share"]),
        repair=pl.when(pl.col("type") == "dividend").then(pl.lit("scale_dividend")),
        repair_value=middle / pl.col("value"),
    )


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="odd_dividend",
        kinds=("actions",),
        family="action",
        severity="error",
        sentence="A dividend is in another unit than the others of its series.",
        judge=odd_dividend,
        needs=("series",),
        limits={"times": 100.0},
    ),
    Check(
        name="action_disagrees",
        kinds=("actions",),
        family="cross_provider",
        severity="error",
        sentence="A provider declares another value of an action than most do.",
        judge=action_disagrees,
        limits={"share": 0.05},
    ),
)
