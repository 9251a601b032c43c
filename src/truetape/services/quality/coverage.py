"""What was not said: sessions without a bar, and rows that one provider left out."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.stored_verdicts import FINDING_DETAILS
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.services.quality.grading import Grading

_SERIES: Final = ("instrument_id", "timeframe")
_BAR: Final = (*_SERIES, "ts_event")


def missing_rows(claims: pl.DataFrame, golden: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a finding for each golden bar that a provider of its series left out.

    What lies before a provider's first bar is the depth of its history, not a gap. What lies after its last bar is one
    finding, however long it is.
    """
    if claims["ts_event"].n_unique() <= 1 or _whole(claims, golden):
        return empty(TABLES["findings"].columns)  # what is at one instant only has nothing before and after it
    span = claims.group_by(*_SERIES, "provider").agg(
        pl.col("ts_event").min().alias("first"), pl.col("ts_event").max().alias("last")
    )
    expected = golden.select(_BAR).join(span, on=_SERIES)
    said = claims.select(*_BAR, "provider")
    absent = (
        expected.filter(pl.col("ts_event") > pl.col("first"))
        .join(said, on=[*_BAR, "provider"], how="anti")
        .sort("instrument_id", "timeframe", "provider", "ts_event")
    )
    after = absent.filter(pl.col("ts_event") > pl.col("last"))
    ended = after.group_by(*_SERIES, "provider", maintain_order=True).agg(
        pl.col("ts_event").first(), pl.len().alias("sessions")
    )
    gaps = absent.filter(pl.col("ts_event") < pl.col("last")).with_columns(
        pl.format("{} left out a session that others have", pl.col("provider")).alias("explanation")
    )
    ends = ended.with_columns(
        pl.format("{} ends before this session; bars that others have from here on: {}", "provider", "sessions").alias(
            "explanation"
        )
    )
    return pl.concat(
        [
            as_findings(gaps, check="missing_row", severity="note", grading=grading),
            as_findings(ends, check="ends_early", severity="warning", grading=grading),
        ]
    )


def _whole(claims: pl.DataFrame, golden: pl.DataFrame) -> bool:
    """Tell quickly whether each provider has one claim for each bar."""
    every = len(golden) * claims["provider"].n_unique() == len(claims)
    return every and len(claims.select(_BAR).unique()) == len(golden)


def missing_sessions(golden: pl.DataFrame, known: pl.Series, grading: Grading) -> pl.DataFrame:
    """Return a finding for each session of the calendar, between a series' first and last golden bar, without a bar.

    Bars longer than a session are not judged.

    Args:
        golden: The golden bars of series of one venue.
        known: The sessions of that venue (Date).
        grading: The rules.
    """
    if golden["ts_event"].n_unique() <= 1:
        return empty(TABLES["findings"].columns)
    dated = golden.filter(~pl.col("timeframe").is_in(DERIVED_TIMEFRAMES)).select(
        *_SERIES, pl.col("ts_event").dt.date().alias("day")
    )
    span = dated.group_by(_SERIES, maintain_order=True).agg(
        pl.col("day").min().alias("first"),
        pl.col("day").max().alias("last"),
        pl.col("day").filter(pl.col("day").is_in(known.implode())).n_unique().alias("days"),
    )
    days = known.unique().sort()
    within = days.search_sorted(span["last"], side="right") - days.search_sorted(span["first"], side="left")
    short = span.filter(span["days"] < within)
    absent = (
        short.join(days.alias("day").to_frame(), how="cross")
        .filter(pl.col("day").is_between(pl.col("first"), pl.col("last")))
        .join(dated, on=[*_SERIES, "day"], how="anti", maintain_order="left")
    )
    gaps = absent.select(
        *_SERIES,
        pl.col("day").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").alias("ts_event"),
        pl.lit("").alias("provider"),
        pl.lit("no provider has a bar for this session").alias("explanation"),
    )
    return as_findings(gaps, check="missing_session", severity="warning", grading=grading)


def as_findings(rows: pl.DataFrame, *, check: str | pl.Expr, severity: str, grading: Grading) -> pl.DataFrame:
    """Return `rows` (which name the instrument, timeframe, instant, provider and explanation) as rows of findings."""
    return rows.with_columns(
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in FINDING_DETAILS.items()),
        (pl.lit(check) if isinstance(check, str) else check).alias("check"),
        pl.lit(severity).alias("severity"),
        pl.lit(grading.round_id).alias("round_id"),
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(grading.simulated).alias("simulated"),
    ).select(list(TABLES["findings"].columns))
