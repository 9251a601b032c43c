"""Examine evidence: judge it by every check at once, and write out what is said of the rows that break a rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from truetape.domain.schema import empty
from truetape.services.quality.checks.check import FINDINGS, Broken, Check, Tuning
from truetape.services.quality.checks.tuning import CheckSetting, Settled, settle

NO_SETTINGS: Final[Mapping[str, CheckSetting]] = {}


def examine(
    evidence: pl.DataFrame,
    *,
    checks: Iterable[Check],
    kind: str = "bars",
    settings: Mapping[str, CheckSetting] = NO_SETTINGS,
) -> pl.DataFrame:
    """Return what `checks` find in `evidence`, in the order of its rows, then of the checks.

    Args:
        evidence: Rows of `kind` as `prepare` returns them, with the columns that the checks need.
        checks: Those that are not for `kind` are left out.
        kind: One of check.RECORD_KINDS.
        settings: How checks are tuned, by their names.

    Returns:
        One row for each finding, schema FINDINGS.
    """
    whole, found = [], []
    for one in settle(evidence, _in_question(evidence, checks), settings, kind=kind):
        if one.rows is None:
            whole.append(one)
        else:
            found += findings_of(evidence.filter(one.rows), [one])
    found += findings_of(evidence, whole)
    return pl.concat([empty(FINDINGS), *found]).sort("row", maintain_order=True)


def find(check: Check, evidence: pl.DataFrame, tuning: Tuning | None = None) -> pl.DataFrame:
    """Return what one check finds in `evidence`, schema FINDINGS."""
    one = Settled(check=check, tuning=tuning or check.tuned())
    return pl.concat([empty(FINDINGS), *findings_of(evidence, [one])])


def findings_of(evidence: pl.DataFrame, settled: Iterable[Settled]) -> list[pl.DataFrame]:
    """Return the findings of each check that has any; all rules are evaluated together, so that they share work."""
    judged = [(one, broken) for one in settled if (broken := one.check.judge(evidence, one.tuning)) is not None]
    columns: list[pl.Expr | pl.Series] = []
    for number, (one, broken) in enumerate(judged):
        columns.append(_within(evidence, one.check, broken.where).alias(f"{number}"))
        columns += [value.alias(f"{number} {name}") for name, value in broken.measured.items()]
    marks = evidence.select(columns)
    found = []
    for number, (one, broken) in enumerate(judged):
        rows = marks[f"{number}"].arg_true()
        if len(rows):
            measured = [marks[f"{number} {name}"].gather(rows).alias(name) for name in broken.measured]
            marked = evidence[rows].with_columns(measured)
            found.append(_told(marked if broken.confirmed is None else marked.filter(broken.confirmed), one, broken))
    return found


def timeframes(evidence: pl.DataFrame) -> frozenset[str]:
    """Return the timeframes that `evidence` has."""
    every = evidence["timeframe"]
    return frozenset((every.filter(evidence["starts"]) if "starts" in evidence.columns else every).unique())


def _in_question(evidence: pl.DataFrame, checks: Iterable[Check]) -> list[Check]:
    """Return those of `checks` that are for timeframes of `evidence`."""
    found = timeframes(evidence)
    return [check for check in checks if not check.timeframes or found & {*check.timeframes}]


def _within(evidence: pl.DataFrame, check: Check, where: pl.Expr | pl.Series) -> pl.Expr | pl.Series:
    if not check.timeframes or timeframes(evidence) <= {*check.timeframes}:
        return where
    return (where if isinstance(where, pl.Expr) else pl.lit(where)) & pl.col("timeframe").is_in(check.timeframes)


def _told(rows: pl.DataFrame, one: Settled, broken: Broken) -> pl.DataFrame:
    """Return a finding for each of `rows`."""
    name = broken.field if isinstance(broken.field, pl.Expr) else pl.lit(broken.field, dtype=pl.String)
    stood = pl.col(broken.field) if isinstance(broken.field, str) else pl.lit(None)
    suggested = broken.repair if isinstance(broken.repair, pl.Expr) else pl.lit(broken.repair, dtype=pl.String)
    told = {
        "ts_event": pl.col("ts_event") if broken.ts_event is None else broken.ts_event,
        "check": pl.lit(one.check.name),
        "severity": pl.lit(one.tuning.severity) if broken.severity is None else broken.severity,
        "explanation": broken.words,
        "field": name,
        "value": stood if broken.value is None else broken.value,
        "expected_low": _number(broken.low),
        "expected_high": _number(broken.high),
        "repair": suggested,
        "repair_value": _number(broken.repair_value),
    }
    own = {column: told.get(column, pl.col(column)) for column in FINDINGS}
    return rows.select(own[column].cast(dtype).alias(column) for column, dtype in FINDINGS.items())


def _number(value: pl.Expr | float | None) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(value, dtype=pl.Float64)
