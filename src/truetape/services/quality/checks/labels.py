"""Checks of the labels of bars of whole days: the time of day that a series labels its sessions with."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning

_DAY_H: Final = 24.0


def label_jump(frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """From this bar on the labels are hours later, or earlier, than before: of another zone, or shifted twice.

    A clock change moves them by one hour; that is not judged.
    """
    later = (pl.col("ts_event") - pl.col("previous_ts")).dt.total_seconds() / 3600
    hours = frame.select((later + _DAY_H / 2) % _DAY_H - _DAY_H / 2).to_series()
    return Broken(
        where=hours.abs() > tuning["hours"],
        measured={"hours": hours},
        words=pl.format("from here on the labels are {} hours later than before", pl.col("hours").round(2)),
        field="ts_event",
        value=pl.col("hours"),
        low=-tuning["hours"],
        high=tuning["hours"],
        repair="shift_hours",
        repair_value=-pl.col("hours"),
    )


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="label_jump",
        kinds=("bars",),
        family="temporal",
        severity="error",
        sentence="The labels of whole days are of another time of day from here on.",
        judge=label_jump,
        needs=("previous_ts",),
        limits={"hours": 1.5},
        timeframes=("1d", "1w", "1mo"),
    ),
)
