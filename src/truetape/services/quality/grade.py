"""Grade a batch: from all claims to golden rows, quarantined claims and findings."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from truetape.domain.flags import Quality
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.services.quality.checks import broken_rules
from truetape.services.quality.coverage import missing_rows, missing_sessions
from truetape.services.quality.dissent import explain_dissent
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance, vote

BAR_KEY = ("instrument_id", "timeframe", "ts_event")
ACTION_KEY = ("instrument_id", "ex_date", "type")
BAR_VALUES = ("open", "high", "low", "close")


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
    ordered = claims.sort("provider", "ts_event")
    ruled = ordered.with_columns(broken_rules(ordered, stale_sessions=grading.stale_sessions))
    valid = ruled.filter(pl.col("rule").is_null())
    won = vote(valid, key=BAR_KEY, values=BAR_VALUES, tolerance=grading.tolerance, trust=grading.trust)
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
    providers knows has the score 0.5; it is kept all the same, since a provider may be late.
    """
    tellers = tuple(sorted(set(claims["provider"])))
    won = vote(
        claims,
        key=ACTION_KEY,
        values=("value",),
        tolerance=Tolerance(absolute=5e-5, relative=1e-3),
        trust=grading.trust,
        electorate=tellers,
    )
    golden = won.with_columns(
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"), pl.lit(0, dtype=pl.UInt32).alias("version")
    ).select(list(TABLES["actions"].columns))
    return Grades(golden, empty(TABLES["quarantine"].columns), empty(TABLES["findings"].columns))


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
    verdicts = won.select(*BAR_KEY, pl.col("close").alias("won_close"), "agreed")
    judged = ruled.join(verdicts, on=list(BAR_KEY), how="left", maintain_order="left")
    agrees = pl.col("agreed").str.split(",").list.contains(pl.col("provider")) & pl.col("rule").is_null()
    losers = explain_dissent(judged.filter(~agrees.fill_null(value=False)))
    return losers.with_columns(
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"), pl.lit(grading.simulated).alias("simulated")
    ).select(list(TABLES["quarantine"].columns))
