"""What was not said: sessions without a bar, and rows that one provider left out."""

from __future__ import annotations

import polars as pl

from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.stored_verdicts import FINDING_DETAILS
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.services.quality.grading import Grading


def missing_rows(claims: pl.DataFrame, golden: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a finding for each golden bar that a provider left out.

    What lies before a provider's first bar is the depth of its history, not a gap. What lies after its last bar is one
    finding, however long it is.
    """
    bars, providers = claims["ts_event"].n_unique(), claims["provider"].n_unique()
    if bars == len(golden) and bars * providers == len(claims):
        return empty(TABLES["findings"].columns)  # each provider has one claim for each bar: none is missing
    span = claims.group_by("provider").agg(
        pl.col("instrument_id", "timeframe").first(),
        pl.col("ts_event").min().alias("first"),
        pl.col("ts_event").max().alias("last"),
    )
    expected = golden.select("ts_event").join(span, how="cross")
    said = claims.select("provider", "ts_event")
    absent = (
        expected.filter(pl.col("ts_event") > pl.col("first"))
        .join(said, on=["provider", "ts_event"], how="anti")
        .sort("provider", "ts_event")
    )
    after = absent.filter(pl.col("ts_event") > pl.col("last")).group_by("provider", maintain_order=True)
    ended = after.agg(pl.col("instrument_id", "timeframe", "ts_event").first(), pl.len().alias("sessions"))
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


def missing_sessions(golden: pl.DataFrame, known: pl.Series, grading: Grading) -> pl.DataFrame:
    """Return a finding for each session of the calendar, between the first and the last golden bar, without a bar.

    Bars longer than a session are not judged.
    """
    if golden.is_empty() or golden["timeframe"][0] in DERIVED_TIMEFRAMES:
        return empty(TABLES["findings"].columns)
    days = golden["ts_event"].dt.date()
    within = known.filter((known >= days.min()) & (known <= days.max()))
    absent = within.filter(~within.is_in(days.implode()))
    gaps = pl.DataFrame({"ts_event": absent.cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")}).with_columns(
        pl.lit(golden["instrument_id"][0]).alias("instrument_id"),
        pl.lit(golden["timeframe"][0]).alias("timeframe"),
        pl.lit("").alias("provider"),
        pl.lit("no provider has a bar for this session").alias("explanation"),
    )
    return as_findings(gaps, check="missing_session", severity="warning", grading=grading)


def as_findings(rows: pl.DataFrame, *, check: str, severity: str, grading: Grading) -> pl.DataFrame:
    """Return `rows` (which name the instrument, timeframe, instant, provider and explanation) as rows of findings."""
    return rows.with_columns(
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in FINDING_DETAILS.items()),
        pl.lit(check).alias("check"),
        pl.lit(severity).alias("severity"),
        pl.lit(grading.round_id).alias("round_id"),
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(grading.simulated).alias("simulated"),
    ).select(list(TABLES["findings"].columns))
