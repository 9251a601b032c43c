"""What the checks of the registry find in golden bars: what no vote could notice."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.schema import INSTANT, TABLES
from truetape.services.quality.checks import CHECKS, Check, Surroundings, examine, needed, of_single_rows, prepare
from truetape.services.quality.checks.surroundings import ACTIONS, SESSIONS
from truetape.services.quality.grading import Grading

TOLD_ELSEWHERE: Final = (
    *("no_close", "not_positive", "ohlc_order", "stale"),  # a claim that breaks them has no vote and is quarantined
    *("missing_session", "outside_session"),  # told once for all providers, or by a flag
)


def standing_findings(golden: pl.DataFrame, sessions: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return what checks find in golden bars, as rows of the table findings that are about no provider in particular.

    Args:
        golden: The bars of one batch: instruments of one venue, of any timeframes (schema bars).
        sessions: The calendar of the venue: `session`, and `mic`, `open` and `close` where they are known.
        grading: The rules, how checks are tuned, and the actions that are declared.
    """
    checks = _in_question(golden, grading)
    mic = sessions["mic"].sort()[0] if "mic" in sessions.columns and len(sessions) else ""
    steps = grading.increments
    known = pl.coalesce(
        pl.col(name).replace_strict(steps, default=None, return_dtype=pl.Float64)
        for name in ("instrument_id", "currency")
    )
    records = golden.with_columns(
        pl.lit("").alias("provider"),
        pl.lit(mic).alias("venue"),
        (known if steps else pl.lit(None, dtype=pl.Float64)).alias("increment"),
        pl.lit(None, dtype=pl.Float64).alias("lot"),
    )
    evidence = prepare(records, surroundings=_surroundings(mic, sessions, grading), needs=needed(checks))
    return _stored(examine(evidence, checks=checks, settings=grading.checks), grading)


def standing_action_findings(golden: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return what checks find in golden actions (schema actions), as rows of the table findings."""
    every = (*CHECKS.values(), *grading.user_checks)
    checks = [check for check in every if "actions" in check.kinds and check.name not in TOLD_ELSEWHERE]
    evidence = prepare(golden.with_columns(pl.lit("").alias("provider")), kind="actions", needs=needed(checks))
    return _stored(examine(evidence, checks=checks, kind="actions", settings=grading.checks), grading)


def _stored(found: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return `found` as rows of the table findings: one for each check and instant, as its key wants them."""
    columns = TABLES["findings"]
    marked = found.with_columns(
        pl.lit(grading.round_id).alias("round_id"),
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(grading.simulated).alias("simulated"),
    )
    return marked.select(list(columns.columns)).unique(columns.key, keep="first", maintain_order=True)


def _in_question(golden: pl.DataFrame, grading: Grading) -> tuple[Check, ...]:
    """Return the checks that can find something in `golden`: of its timeframes, and of its series' lengths."""
    timeframes = {*golden["timeframe"].unique()}
    checks = tuple(
        check
        for check in (*CHECKS.values(), *grading.user_checks)
        if check.name not in TOLD_ELSEWHERE and (not check.timeframes or timeframes & {*check.timeframes})
    )
    series = golden.select(pl.struct("instrument_id", "timeframe").n_unique()).item()
    return of_single_rows(checks) if series == len(golden) else checks


def _surroundings(mic: str, sessions: pl.DataFrame, grading: Grading) -> Surroundings:
    """Return the one venue, under its own MIC or none, with its calendar, and the declared actions."""
    names = [name for name in ("session", "open", "close") if name in sessions.columns]
    calendar = sessions.select(pl.lit(mic).alias("venue"), *names).unique("session", keep="first", maintain_order=True)
    return Surroundings(
        sessions=pl.concat([pl.DataFrame(schema=SESSIONS), calendar], how="diagonal"),
        actions=grading.declared.select(list(ACTIONS)),
    )
