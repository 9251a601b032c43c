"""Grade exchange rates: for each pair, convention of fixing and day, the vote of those who tell that fixing.

The noon rate of New York and the afternoon rate of Frankfurt differ because the market moved: they are two facts, and
neither votes on the other. Providers that tell the same fixing agree within what the convention allows
(domain.fixings). A claim that is no rate has no vote; one that agrees with nobody becomes a finding.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.fixings import FIXINGS, fixing_of
from truetape.domain.kinds import INSTANT
from truetape.domain.schema import TABLES, empty
from truetape.services.quality.coverage import as_findings
from truetape.services.quality.grade import Grades
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance, vote

KEY: Final = ("base", "quote", "fixing", "ts_event")
FAR: Final = 0.25  # from the rate of the fixing before: a share of it that no currency moves unannounced
_TURNED: Final = 1e-2  # how near to one over the rate a claim lies that was quoted the other way round


def grade_rates(claims: pl.DataFrame, grading: Grading) -> Grades:
    """Return the grades of `claims`, schema rate_claims, one for each pair, day and provider at most."""
    nothing = empty(TABLES["quarantine"].columns)
    if claims.is_empty():
        return Grades(empty(TABLES["fx_rates"].columns), nothing, empty(TABLES["findings"].columns))
    followed = {one: fixing_of(one) for one in claims["provider"].unique()}
    told = claims.with_columns(fixing=pl.col("provider").replace_strict(followed, return_dtype=pl.String))
    is_rate = ((pl.col("rate") > 0) & pl.col("rate").is_finite()).fill_null(value=False)
    valid = told.filter(is_rate)
    findings = [_no_rates(told.filter(~is_rate), grading)]
    golden = [empty(TABLES["fx_rates"].columns)]
    for (fixing,), own in valid.partition_by("fixing", as_dict=True).items():
        tolerance = Tolerance(absolute=0.0, relative=FIXINGS[str(fixing)].relative)
        outcome = vote(own, key=KEY, values=("rate",), tolerance=tolerance, voters=grading.voters())
        truth = outcome.won.select(won="rate", agreed="agreed")
        findings += [
            _others(own[outcome.lost["claim"]].hstack(truth[outcome.lost["bar"]]), grading),
            _leaps(outcome.won, grading),
        ]
        golden.append(_golden(outcome.won, grading))
    return Grades(pl.concat(golden).sort(KEY), nothing, pl.concat(findings))


def _golden(won: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    return won.with_columns(
        pl.lit(grading.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(0, dtype=pl.UInt32).alias("version"),
        pl.lit(grading.simulated).alias("simulated"),
    ).select(list(TABLES["fx_rates"].columns))


def _no_rates(claims: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    said = pl.format("{} said that one {} costs {} {}", "provider", "base", _number("rate"), "quote")
    return _found(claims, said, grading, check="not_positive", severity="error")


def _others(lost: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a finding for each claim that does not agree; one that is the winner turned round is told as such."""
    turned = ((pl.col("rate") * pl.col("won") - 1).abs() < _TURNED) & (
        (pl.col("rate") / pl.col("won") - 1).abs() > 2 * _TURNED
    )
    why = pl.when(turned).then(pl.lit(": it is the rate the other way round")).otherwise(pl.lit(""))
    said = pl.format(
        "{} said {} for one {}, {} said {}{}",
        "provider",
        _number("rate"),
        "base",
        pl.col("agreed").str.replace_all(",", ", "),
        _number("won"),
        why,
    )
    return _found(lost, said, grading, check="fx_rate_differs", severity="warning")


def _leaps(won: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a finding for each rate that is far from that of the fixing before it in the batch."""
    before = won.sort("ts_event").with_columns(before=pl.col("rate").shift(1))
    far = before.filter((pl.col("rate") / pl.col("before") - 1).abs() > FAR)
    said = pl.format(
        "one {} costs {} {} after {} at the fixing before", "base", _number("rate"), "quote", _number("before")
    )
    return _found(far, said, grading, check="fx_rate_leaps", severity="warning")


def _found(rows: pl.DataFrame, said: pl.Expr, grading: Grading, *, check: str, severity: str) -> pl.DataFrame:
    told = rows.select(
        pl.concat_str("base", "quote", separator="/").alias("instrument_id"),
        pl.lit("1d").alias("timeframe"),
        "ts_event",
        "provider",
        said.alias("explanation"),
    )
    return as_findings(told, check=check, severity=severity, grading=grading)


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).fill_null("nothing")
