"""Differences that last: told once with their span, not once for each bar."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.schema import TABLES, empty
from truetape.services.quality.coverage import as_findings
from truetape.services.quality.differences import BAR, SERIES
from truetape.services.quality.dissent import HABITS, REASONS, SYSTEMATIC, evidence, moment
from truetape.services.quality.grading import Grading

TELLING: Final = 5  # bars from which a ratio of volumes is a habit
OTHER_VOLUME: Final = 2.0  # times more or less, from which the venues that are counted are others


def lasting(explained: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a finding for each run of bars that one provider has wrong for one reason.

    Args:
        explained: As `explain_dissent` returns it.
        grading: The rules.
    """
    runs = explained.filter(pl.col("together") >= SYSTEMATIC).unique("run", keep="first", maintain_order=True)
    said = pl.format(
        "{} is apart from the others in {} bars from {} to {}: {}{}",
        "provider",
        "together",
        moment("first"),
        moment("last"),
        pl.col("reason").replace(REASONS),
        evidence().fill_null(""),
    )
    told = runs.with_columns(said.alias("explanation"))
    found = as_findings(told, check=pl.col("reason"), severity="warning", grading=grading)
    habit = pl.col("check").is_in(HABITS)
    return found.with_columns(pl.when(habit).then(pl.lit("note")).otherwise("severity").alias("severity"))


def volume_coverage(ruled: pl.DataFrame, won: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    """Return a note for each provider whose feed counts by far more or less volume than the winners' do.

    Volumes disqualify no claim: IEX trades some hundredths of what the consolidated tape counts.

    Args:
        ruled: schema bar_claims with `rule`.
        won: As `vote` returns it.
        grading: The rules.
    """
    if ruled["feed"].n_unique() <= 1 or won["ts_event"].n_unique() < TELLING:
        return empty(TABLES["findings"].columns)
    truth = won.select(*BAR, won_volume="volume", won_feed="feed", won_provider="provider")
    both = ruled.filter(pl.col("rule").is_null()).join(truth, on=BAR)
    apart = both.filter((pl.col("feed") != pl.col("won_feed")) & (pl.col("volume") > 0) & (pl.col("won_volume") > 0))
    habits = apart.group_by(*SERIES, "provider", "feed", "won_feed", maintain_order=True).agg(
        (pl.col("volume") / pl.col("won_volume")).median().alias("ratio"),
        pl.len().alias("bars"),
        pl.col("ts_event").min(),
    )
    far = pl.max_horizontal("ratio", 1 / pl.col("ratio")) > OTHER_VOLUME
    said = pl.format(
        "{} counts {} times the volume of others, the median of {} bars: its feed is {}, theirs is {}",
        "provider",
        pl.col("ratio").round_sig_figs(3),
        "bars",
        "feed",
        "won_feed",
    )
    told = habits.filter(far & (pl.col("bars") >= TELLING)).with_columns(said.alias("explanation"))
    once = told.unique([*SERIES, "provider"], keep="first", maintain_order=True)
    return as_findings(once, check="volume_coverage", severity="note", grading=grading)
