"""Checks of corporate actions against those before and after them, and against what other providers declare."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning

_TWO: Final = pl.lit(2.0).log()
_ENOUGH: Final = 3  # providers, or other dividends


def odd_dividend(frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """A dividend is about a hundred times the usual one of its series, or a hundredth: it is in another unit."""
    usual = pl.when(pl.len() > _ENOUGH).then(pl.col("value").median()).over("series", "type")
    times = frame.select((pl.col("value") / usual).alias("times"))["times"]
    off = pl.lit(times).log().abs() - pl.lit(tuning["times"]).log()
    return Broken(
        where=(pl.col("type") == "dividend") & (off.abs() < _TWO),
        measured={"times": times},
        words=pl.format(
            "a dividend of {} is {} times the usual one of {}",
            "value",
            pl.col("times").round(4),
            (pl.col("value") / pl.col("times")).round(6),
        ),
        field="value",
        low=pl.col("value") / pl.col("times") / tuning["times"] * 2,
        high=pl.col("value") / pl.col("times") * tuning["times"] / 2,
        repair="scale_dividend",
        repair_value=pl.when(pl.col("times") > 1).then(1 / tuning["times"]).otherwise(tuning["times"]),
    )


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
