"""Grade a batch: from all claims to golden rows, quarantined claims and findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.domain.flags import Quality
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.services.quality.checks import broken_rules, quiet
from truetape.services.quality.coverage import as_findings, missing_rows, missing_sessions
from truetape.services.quality.dissent import explain_dissent
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance, vote

BAR: Final = ("instrument_id", "timeframe", "ts_event")


@dataclass(frozen=True)
class Grades:
    """What the room decided: frames of the tables of the same names."""

    golden: pl.DataFrame
    quarantined: pl.DataFrame
    findings: pl.DataFrame


def grade_bars(claims: pl.DataFrame, sessions: pl.DataFrame, grading: Grading) -> Grades:
    """Return the grades of `claims` (schema bar_claims, basis raw) against each other and the calendar.

    A claim that breaks a rule has no vote. Every claim that did not agree with the winner is quarantined with a reason.

    Args:
        claims: All providers' newest claims about one instrument and timeframe.
        sessions: The calendar of its venue over the range: `session` (Date); no rows where it is not known.
        grading: The rules.
    """
    ordered = claims.sort("instrument_id", "timeframe", "provider", "ts_event")
    ruled = ordered.with_columns(broken_rules(ordered, stale_sessions=grading.stale_sessions))
    if "stale" in ruled["rule"]:
        ruled = ruled.with_columns(pl.when(~quiet(ruled)).then("rule").alias("rule"))
    valid = ruled.filter(pl.col("rule").is_null())
    won = vote(valid, key=BAR, values=PRICES, tolerance=grading.tolerance, voters=grading.voters())
    known = sessions["session"]
    golden = won.with_columns(
        _flags(known).alias("flags"),
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(0, dtype=pl.UInt32).alias("version"),
    ).select(list(TABLES["bars"].columns))
    findings = pl.concat([missing_rows(ruled, golden, grading), missing_sessions(golden, known, grading)])
    return Grades(golden, _quarantine(ruled, won, grading), findings)


def grade_actions(claims: pl.DataFrame, grading: Grading) -> Grades:
    """Return the grades of `claims` (schema action_claims, basis raw).

    A provider that tells of actions and is silent about one counts against it, so an action that only one of two
    providers knows has the score 0.5; it is kept all the same, since a provider may be late. A claim whose value is no
    positive number has no vote and becomes a finding.
    """
    if claims.is_empty():
        return Grades(*(empty(TABLES[table].columns) for table in ("actions", "quarantine", "findings")))
    positive = ((pl.col("value") > 0) & pl.col("value").is_finite()).fill_null(value=False)
    won = vote(
        claims.filter(positive),
        key=("ex_date", "type"),
        values=("value",),
        tolerance=Tolerance(absolute=5e-5, relative=1e-3),
        voters=grading.voters(electorate=tuple(claims["provider"].unique())),
    )
    golden = won.with_columns(
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"), pl.lit(0, dtype=pl.UInt32).alias("version")
    ).select(list(TABLES["actions"].columns))
    return Grades(golden, empty(TABLES["quarantine"].columns), _bad_actions(claims.filter(~positive), grading))


def _bad_actions(claims: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    said = pl.format("{} said a {} of {}", "provider", "type", pl.col("value").cast(pl.String).fill_null("nothing"))
    rows = claims.select(
        "instrument_id",
        "provider",
        pl.lit("").alias("timeframe"),
        pl.col("ex_date").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").alias("ts_event"),
        said.alias("explanation"),
    )
    rows = rows.unique(["ts_event", "provider"], keep="first", maintain_order=True)
    return as_findings(rows, check="not_positive", severity="error", grading=grading)


def _flags(known: pl.Series) -> pl.Expr:
    bits = {
        Quality.RUNNING: pl.col("running"),
        Quality.SINGLE_SOURCE: pl.col("method") == "single_source",
        Quality.DISPUTED: pl.col("dissented") != "",
    }
    if len(known):
        bits[Quality.OUTSIDE_SESSION] = ~pl.col("ts_event").dt.date().is_in(known.implode())
    return pl.sum_horizontal([pl.when(when).then(int(bit)).otherwise(0) for bit, when in bits.items()]).cast(pl.UInt32)


def _quarantine(ruled: pl.DataFrame, won: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    verdicts = won.select("ts_event", pl.col("close").alias("won_close"), "agreed", "dissented")
    judged = ruled.join(verdicts, on="ts_event", how="left", maintain_order="left")
    suspects = judged.filter(pl.col("rule").is_not_null() | (pl.col("dissented") != ""))
    agrees = pl.col("agreed").str.split(",").list.contains(pl.col("provider")) & pl.col("rule").is_null()
    outvoted = suspects.filter(~agrees.fill_null(value=False))
    if outvoted.is_empty():
        return empty(TABLES["quarantine"].columns)
    losers = explain_dissent(outvoted)
    return losers.with_columns(
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"), pl.lit(grading.simulated).alias("simulated")
    ).select(list(TABLES["quarantine"].columns))
