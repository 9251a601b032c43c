"""Corporate actions on which providers differ: which kind of difference it is, in words."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.coverage import as_findings
from truetape.services.quality.dissent import SPLIT_RATIOS
from truetape.services.quality.grading import Grading
from truetape.services.quality.increments import decimals

ACTION_REASONS: Final = {
    "hundredfold": "the value is 100 times off: a unit or decimal error",
    "currency": "the cash is in another currency",
    "inverted_ratio": "the ratio stands upside down",
    "share_count": "the cash is per share of another count: a split was applied or taken back wrongly",
    "rounding": "the value is rounded to fewer decimals",
    "disagrees": "the providers that agree weigh more",
}
NEARBY_DAYS: Final = 10  # within which an action that is not told on its ex-date may be told under another date
_NEAR: Final = 0.005  # share of a ratio by which a mistake of its kind may miss it
_KEY: Final = ["ex_date", "type"]


def other_values(lost: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a finding for each action of which a provider tells another value than the one that won.

    Args:
        lost: schema action_claims, beside the winner's `won_value`, `won_currency` and `agreed`.
        grading: The rules.
    """
    ratio = pl.col("value") / pl.col("won_value")
    off = pl.max_horizontal(ratio, 1 / ratio)
    cash = pl.col("type") != "split"
    coarse = pl.min_horizontal(decimals(pl.col("value")), decimals(pl.col("won_value")))
    half = 0.5001 * pl.lit(10.0).pow(-coarse)
    kinds = {
        "hundredfold": (off / 100 - 1).abs() < _NEAR,
        "currency": cash & (pl.col("currency") != pl.col("won_currency")),
        "inverted_ratio": ~cash & ((pl.col("value") * pl.col("won_value") - 1).abs() < _NEAR),
        "share_count": cash & pl.any_horizontal([(off / split - 1).abs() < _NEAR for split in SPLIT_RATIOS]),
        "rounding": cash & ((pl.col("value") - pl.col("won_value")).abs() <= half),
    }
    named = [pl.when(when.fill_null(value=False)).then(pl.lit(name)) for name, when in kinds.items()]
    reasoned = lost.with_columns(pl.coalesce(*named, pl.lit("disagrees")).alias("reason"))
    said = pl.format(
        "{} said a {} of {} where {} said {}: {}",
        "provider",
        "type",
        "value",
        pl.col("agreed").str.replace_all(",", ", "),
        "won_value",
        pl.col("reason").replace_strict(ACTION_REASONS),
    )
    return as_findings(_dated(reasoned, said), check=pl.col("reason"), severity="warning", grading=grading)


def untold(claims: pl.DataFrame, golden: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a note for each action that a provider leaves out, although it told others of its type before.

    Args:
        claims: schema action_claims of one instrument.
        golden: schema actions.
        grading: The rules.
    """
    since = claims.group_by("provider", "type").agg(pl.col("ex_date").min().alias("first"))
    due = (
        golden.select("instrument_id", *_KEY, "value")
        .join(since, on="type")
        .filter(pl.col("ex_date") > pl.col("first"))
    )
    absent = due.join(claims, on=[*_KEY, "provider"], how="anti", maintain_order="left")
    elsewhere = _elsewhere(absent, claims)
    told = absent.join(elsewhere, on=[*_KEY, "provider"], how="left", maintain_order="left")
    moved = pl.format("{} tells this {} under {} instead", "provider", "type", "told_on")
    said = pl.coalesce(moved, pl.format("{} left out a {} that others have", "provider", "type"))
    check = pl.when(pl.col("told_on").is_not_null()).then(pl.lit("other_ex_date")).otherwise(pl.lit("missing_action"))
    rows = _dated(told.with_columns(check.alias("reason")), said)
    return as_findings(rows, check=pl.col("reason"), severity="note", grading=grading)


def _elsewhere(absent: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """Return on which date near by, `told_on`, a provider tells the same value of what it leaves out."""
    said = claims.select("provider", "type", told_on="ex_date", told_value="value")
    near = absent.join(said, on=["provider", "type"]).filter(
        (pl.col("told_on") - pl.col("ex_date")).dt.total_days().abs() <= NEARBY_DAYS,
        (pl.col("told_value") / pl.col("value") - 1).abs() < _NEAR,
    )
    return near.group_by(*_KEY, "provider").agg(pl.col("told_on").min())


def _dated(rows: pl.DataFrame, said: pl.Expr) -> pl.DataFrame:
    instant = pl.col("ex_date").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    told = rows.with_columns(instant.alias("ts_event"), pl.lit("").alias("timeframe"), said.alias("explanation"))
    return told.sort("ts_event", "provider", "type").unique(
        ["ts_event", "provider", "reason"], keep="first", maintain_order=True
    )
