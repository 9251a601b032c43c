"""Checks of providers against each other: other values, rows left out, and rows that come late."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning, shown

_HOUR_S: Final = 3600


def provider_disagrees(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The close is not what most providers say of the bar: it is further from their median than rounding explains."""
    if _alone(frame):
        return None
    apart = (pl.col("close") - pl.col("middle")).abs()
    near = pl.max_horizontal(pl.lit(tuning["absolute"]), pl.col("middle").abs() * tuning["relative"])
    return Broken(
        where=(pl.col("providers") > 1) & (apart > near),
        words=pl.format(
            "{} says {}; the median of {} providers is {}", "provider", shown("close"), "providers", shown("middle")
        ),
        field="close",
        low=pl.col("middle") - near,
        high=pl.col("middle") + near,
    )


def provider_left_out(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """Other providers have bars between this one and the provider's one before."""
    if _alone(frame):
        return None
    between = pl.col("key_number") - pl.col("key_number").shift(1) - 1
    missing = frame.select(pl.when(~pl.col("starts")).then(between).alias("missing"))["missing"]
    return Broken(
        where=missing > 0,
        measured={"missing": missing},
        words=pl.format("{} left out bars before this one that others have: {}", "provider", "missing"),
        value=pl.col("missing"),
        high=0.0,
        repair="acquire",
        repair_value=pl.col("missing"),
    )


def provider_ends_early(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The provider has no bar after this one, but others have, each of which two have if there are three or more."""
    if _alone(frame):
        return None
    last = pl.col("series").ne(pl.col("series").shift(-1)).fill_null(value=True)
    known = pl.col("providers") >= min(frame["provider"].n_unique() - 1, 2)
    after = pl.col("key_number").filter(known).max().over("instrument_id", "timeframe") - pl.col("key_number")
    left = frame.select(pl.when(last).then(after).alias("left"))["left"]
    return Broken(
        where=left > 0,
        measured={"left": left},
        words=pl.format("{} ends here; bars that others have from here on: {}", "provider", "left"),
        value=pl.col("left"),
        high=0.0,
        repair="acquire",
        repair_value=pl.col("left"),
    )


def provider_late(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The row was known long after another provider's row about the same bar."""
    if _alone(frame) or "ts_known" not in frame.columns:
        return None
    first = pl.col("ts_known").min().over("instrument_id", "timeframe", "ts_event")
    hours = frame.select((pl.col("ts_known") - first).dt.total_seconds() / _HOUR_S).to_series()
    return Broken(
        where=hours > tuning["hours"],
        measured={"hours": hours},
        words=pl.format("{} said it {} hours after the first provider", "provider", pl.col("hours").round(1)),
        value=pl.col("hours"),
        high=tuning["hours"],
    )


def _alone(frame: pl.DataFrame) -> bool:
    """Return whether no bar has rows of two providers."""
    return frame.is_empty() or frame["providers"].max() == 1


CHECKS: Final = (
    Check(
        name="provider_disagrees",
        kinds=("bars",),
        family="cross_provider",
        severity="warning",
        sentence="The close of a provider is not what most say of the bar.",
        judge=provider_disagrees,
        needs=("providers", "middle"),
        limits={"absolute": 0.01001, "relative": 2e-4},
    ),
    Check(
        name="provider_left_out",
        kinds=("bars",),
        family="cross_provider",
        severity="note",
        sentence="A provider left out bars that others have.",
        judge=provider_left_out,
        needs=("providers", "key_number", "starts"),
    ),
    Check(
        name="provider_ends_early",
        kinds=("bars",),
        family="cross_provider",
        severity="warning",
        sentence="A provider ends before others do.",
        judge=provider_ends_early,
        needs=("providers", "key_number", "series"),
    ),
    Check(
        name="provider_late",
        kinds=("bars",),
        family="cross_provider",
        severity="note",
        sentence="A provider said a bar long after others.",
        judge=provider_late,
        needs=("providers",),
        limits={"hours": 24.0},
    ),
)
