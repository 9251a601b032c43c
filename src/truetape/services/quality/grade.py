"""Grade a batch: from all claims to golden rows, quarantined claims and findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.domain.flags import Quality
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.services.quality.action_differences import other_values, untold
from truetape.services.quality.checks import broken_rules, quiet
from truetape.services.quality.corrections import with_corrections
from truetape.services.quality.coverage import as_findings, missing_rows, missing_sessions
from truetape.services.quality.differences import BAR, outvoted, with_habits, with_labels
from truetape.services.quality.dissent import explain_dissent
from truetape.services.quality.grading import Grading
from truetape.services.quality.increments import with_increments
from truetape.services.quality.labels import mislabelled
from truetape.services.quality.standing import standing_action_findings, standing_findings
from truetape.services.quality.systematic import lasting, volume_coverage
from truetape.services.quality.vote import Tolerance, varying, vote

CONSOLIDATED: Final = ("consolidated", "sip", "")  # feeds of many venues, of which each provider makes its own bars
VALUELESS: Final = ("symbol_change", "delisting", "worthless", "merger", "redemption")  # actions that need no value
NOBODY_LOST: Final = (empty(TABLES["quarantine"].columns), empty(TABLES["findings"].columns))
NOTHING_EARLIER: Final = empty(TABLES["bar_claims"].columns)


@dataclass(frozen=True)
class Grades:
    """What the room decided: frames of the tables of the same names."""

    golden: pl.DataFrame
    quarantined: pl.DataFrame
    findings: pl.DataFrame


def grade_bars(
    claims: pl.DataFrame, sessions: pl.DataFrame, grading: Grading, *, earlier: pl.DataFrame = NOTHING_EARLIER
) -> Grades:
    """Return the grades of `claims` (schema bar_claims, basis raw) against each other and the calendar.

    A claim that breaks a rule has no vote. Every claim that did not agree with the winner is quarantined with a reason.

    Args:
        claims: All providers' newest claims about instruments of one venue, of any timeframes.
        sessions: The calendar of the venue over the range: `session` (Date); no rows where it is not known.
        grading: The rules.
        earlier: Claims that newer ones have replaced, as `corrections.superseded` returns them.
    """
    known = sessions["session"]
    ruled = _ruled(claims, known, grading)
    valid = ruled.filter(pl.col("rule").is_null())
    stepped = with_increments(valid, usual=grading.tolerance.absolute, known=grading.increments)
    voters = replace(grading.voters(), sources={**_venues(valid), **grading.sources})
    outcome = vote(stepped, key=BAR, values=PRICES, tolerance=grading.tolerance, voters=voters)
    won = outcome.won
    golden = _golden(won, known, grading)
    lost = outvoted(ruled, stepped, outcome)
    quarantined, lasted = _quarantined(lost, ruled, won, earlier, grading) if len(lost) else NOBODY_LOST
    findings = pl.concat(
        [
            missing_rows(ruled, golden, grading),
            missing_sessions(golden, known, grading),
            lasted,
            volume_coverage(ruled, won, grading),
            _withheld(won, grading) if grading.withholds else NOBODY_LOST[1],
            standing_findings(golden, sessions, grading),
        ]
    ).unique(TABLES["findings"].key, keep="first", maintain_order=True)
    if grading.withholds:
        golden = golden.filter(won["quorate"])
    return Grades(golden, quarantined, findings)


def _ruled(claims: pl.DataFrame, known: pl.Series, grading: Grading) -> pl.DataFrame:
    """Return `claims`, ordered by (series, provider, ts_event), with their `place` and the `rule` that they break."""
    ordered = claims.sort(*varying(claims, ("instrument_id", "timeframe")), "provider", "ts_event")
    broken = broken_rules(ordered, stale_sessions=grading.stale_sessions)
    ruled = ordered.with_columns(broken).with_row_index("place")
    if "stale" in ruled["rule"]:
        ruled = ruled.with_columns(pl.when(~quiet(ruled)).then("rule").alias("rule"))
    return mislabelled(ruled, known, grading.tolerance)


def _venues(claims: pl.DataFrame) -> dict[str, str]:
    """Return the venue of each provider whose bars are of one venue only: such providers are kin."""
    feeds = claims.select("provider", "feed").unique().sort("provider", "feed").drop_nulls()
    return {provider: f"venue {feed}" for provider, feed in feeds.rows() if feed not in CONSOLIDATED}


def _golden(won: pl.DataFrame, known: pl.Series, grading: Grading) -> pl.DataFrame:
    return won.with_columns(
        _flags(known).alias("flags"),
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(0, dtype=pl.UInt32).alias("version"),
    ).select(list(TABLES["bars"].columns))


def _withheld(won: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a finding for each bar that stays out because too few agree."""
    below = won.filter(~pl.col("quorate"))
    names = pl.col("agreed").str.replace_all(",", ", ")
    said = pl.format("no golden row, for too few agree: {}", names)
    told = below.with_columns(said.alias("explanation"), pl.lit("").alias("provider"))
    return as_findings(told, check="below_quorum", severity="warning", grading=grading)


def _quarantined(
    lost: pl.DataFrame, ruled: pl.DataFrame, won: pl.DataFrame, earlier: pl.DataFrame, grading: Grading
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the claims that lost, each with its reason, and a finding for each difference that lasts."""
    relative = grading.tolerance.relative
    known = with_labels(with_habits(lost, ruled), won, relative=relative)
    explained = explain_dissent(with_corrections(known, earlier, relative=relative), relative=relative)
    quarantined = explained.with_columns(
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"), pl.lit(grading.simulated).alias("simulated")
    ).select(list(TABLES["quarantine"].columns))
    return quarantined, lasting(explained, grading)


def grade_actions(claims: pl.DataFrame, grading: Grading) -> Grades:
    """Return the grades of `claims` (schema action_claims, basis raw).

    A provider that tells of actions and is silent about one counts against it, so an action that only one of two
    providers knows has the score 0.5; it is kept all the same, since a provider may be late. A claim whose value is no
    positive number has no vote and becomes a finding, unless its type needs none: such actions are announced (see
    domain.announced), and have no golden row.
    """
    if claims.is_empty():
        return Grades(*(empty(TABLES[table].columns) for table in ("actions", "quarantine", "findings")))
    positive = ((pl.col("value") > 0) & pl.col("value").is_finite()).fill_null(value=False)
    needless = pl.col("type").is_in(VALUELESS) & pl.col("value").is_null()
    valid = claims.filter(positive)
    outcome = vote(
        valid,
        key=("ex_date", "type"),
        values=("value",),
        tolerance=Tolerance(absolute=5e-5, relative=1e-3),
        voters=grading.voters(electorate=tuple(claims["provider"].unique())),
    )
    golden = outcome.won.with_columns(
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"), pl.lit(0, dtype=pl.UInt32).alias("version")
    ).select(list(TABLES["actions"].columns))
    truth = outcome.won.select(won_value="value", won_currency="currency", agreed="agreed")
    lost = valid[outcome.lost["claim"]].hstack(truth[outcome.lost["bar"]])
    findings = [
        _bad_actions(claims.filter(~positive & ~needless), grading),
        other_values(lost, grading),
        untold(claims, golden, grading),
        standing_action_findings(golden, grading),
    ]
    return Grades(golden, empty(TABLES["quarantine"].columns), pl.concat(findings))


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
        Quality.BELOW_QUORUM: ~pl.col("quorate"),
    }
    if len(known):
        bits[Quality.OUTSIDE_SESSION] = ~pl.col("ts_event").dt.date().is_in(known.implode())
    return pl.sum_horizontal([pl.when(when).then(int(bit)).otherwise(0) for bit, when in bits.items()]).cast(pl.UInt32)
