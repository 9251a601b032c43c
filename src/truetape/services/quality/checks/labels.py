"""Checks of the labels of bars of whole days: the time of day that a series labels its sessions with."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning

_HOUR_NS: Final = 3_600_000_000_000
_DAY_NS: Final = 24 * _HOUR_NS


def label_jump(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """From this bar on the labels are hours later, or earlier, than before: of another zone, or shifted twice.

    A clock change moves them by one hour; that is not judged.
    """
    later = (pl.col("ts_event") - pl.col("previous_ts")).cast(pl.Int64)
    hours = ((later + _DAY_NS // 2) % _DAY_NS - _DAY_NS // 2) / _HOUR_NS
    return Broken(
        where=later % _DAY_NS != 0,
        confirmed=hours.abs() > tuning["hours"],
        words=pl.format("from here on the labels are {} hours later than before", hours.round(2)),
        field="ts_event",
        value=hours,
        low=-tuning["hours"],
        high=tuning["hours"],
        repair="shift_hours",
        repair_value=-hours,
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
