"""Each day's quality in numbers: findings, quarantined claims and votes, by provider, instrument and check.

A day is the UTC date of the events, not that of the judgement: a backfill of old years does not look like a bad day.
Everything here follows from the stored rows alone, so that it can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.schema import TABLES

QUARANTINE: Final = "quarantine"  # stands as the severity of a reason
MISSING: Final = "missing_row"  # a finding of a claim that others made and one provider did not
BARS: Final = ("instrument_id", "timeframe", "ts_event", "agreed", "ts_known", "simulated")
QUARANTINED: Final = ("instrument_id", "timeframe", "ts_event", "provider", "reason", "ts_known", "simulated")
FOUND: Final = ("instrument_id", "timeframe", "ts_event", "provider", "check", "severity", "ts_known", "simulated")

_GROUP: Final = ["session", "instrument_id", "timeframe", "provider"]
_EVENT: Final = ["instrument_id", "timeframe", "ts_event", "provider"]
_NUMBERS: Final = ("count", "judged", "agreed", "missing")


@dataclass
class Changed:
    """Which days of which series have changed since their numbers were made."""

    spans: dict[tuple[str, str], tuple[date, date]] = field(default_factory=dict)  # by timeframe and instrument

    def add(self, instrument_id: str, timeframe: str, start: date, end: date) -> None:
        """Remember that the series has changed from `start` to `end`, both inclusive."""
        first, last = self.spans.get((timeframe, instrument_id), (start, end))
        self.spans[timeframe, instrument_id] = (min(first, start), max(last, end))

    def portions(self, size: int) -> list[tuple[str, tuple[str, ...], date, date]]:
        """Return what has changed in portions of at most `size` instruments: timeframe, instruments, first, last."""
        by_timeframe: dict[str, list[tuple[date, date, str]]] = {}
        for (timeframe, instrument), (start, end) in sorted(self.spans.items()):
            by_timeframe.setdefault(timeframe, []).append((start, end, instrument))
        return [
            (timeframe, tuple(one[2] for one in part), min(one[0] for one in part), max(one[1] for one in part))
            for timeframe, every in by_timeframe.items()
            for part in _portions(sorted(every), size)
        ]


def daily_rows(bars: pl.DataFrame, quarantined: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of quality_daily, version 0, that follow from whole days of whole series.

    One row of check "" for each day, series and provider counts its claims; one for each check and severity counts
    findings, and one for each reason quarantined claims. The same finding of several rounds is one. A claim counts
    once, however often it was sent; it agreed if it agrees now.

    Args:
        bars: The golden rows, with BARS.
        quarantined: With QUARANTINED.
        findings: With FOUND.
    """
    agreed = _agreed(bars)
    lost = _dated(quarantined).sort("ts_known", "reason").unique(_EVENT, keep="last", maintain_order=True)
    lost = lost.join(agreed, on=_EVENT, how="anti")
    found = _dated(findings).sort("ts_known").unique([*_EVENT, "check", "severity"], keep="last", maintain_order=True)
    counted = pl.concat(
        [
            _claims(agreed, lost, found),
            _by_check(lost.with_columns(pl.col("reason").alias("check"), pl.lit(QUARANTINE).alias("severity"))),
            _by_check(found),
        ]
    )
    columns = TABLES["quality_daily"].columns
    whole = counted.with_columns(pl.lit(0, dtype=pl.UInt32).alias("version"))
    return whole.select([pl.col(name).cast(dtype) for name, dtype in columns.items()]).sort(TABLES["quality_daily"].key)


def _agreed(bars: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each claim that agrees with a golden row."""
    said = bars.with_columns(pl.col("agreed").str.split(",").alias("provider")).explode("provider")
    return _dated(said.filter(pl.col("provider") != "")).drop("agreed")


def _claims(agreed: pl.DataFrame, lost: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that count claims: those that agree, those that do not, and those that were not made."""
    absent = found.filter(pl.col("check") == MISSING)
    parts = [
        frame.select(*_GROUP, "ts_known", "simulated", *(pl.lit(name == kind).alias(kind) for kind in kinds))
        for kinds in [("agreed", "count", "missing")]
        for name, frame in (("agreed", agreed), ("count", lost), ("missing", absent))
    ]
    rows = (
        pl.concat(parts)
        .group_by(_GROUP)
        .agg(pl.col("count", "agreed", "missing").sum(), pl.col("ts_known").max(), pl.col("simulated").any())
    )
    return rows.select(
        *_GROUP,
        pl.lit("").alias("check"),
        pl.lit("").alias("severity"),
        *_numbers(judged=pl.col("agreed") + pl.col("count")),
        "ts_known",
        "simulated",
    )


def _by_check(rows: pl.DataFrame) -> pl.DataFrame:
    counted = rows.group_by(*_GROUP, "check", "severity").agg(
        pl.len().alias("count"), pl.col("ts_known").max(), pl.col("simulated").any()
    )
    nought = dict.fromkeys(_NUMBERS[1:], pl.lit(0))
    return counted.select(*_GROUP, "check", "severity", *_numbers(**nought), "ts_known", "simulated")


def _numbers(**given: pl.Expr) -> list[pl.Expr]:
    return [given.get(name, pl.col(name)).cast(pl.UInt32).alias(name) for name in _NUMBERS]


def _dated(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("ts_event").dt.date().alias("session"))


def _portions(rows: list[tuple[date, date, str]], size: int) -> Iterable[list[tuple[date, date, str]]]:
    return (rows[first : first + size] for first in range(0, len(rows), size))
