"""Bars under the label of a day on which there was no session: whose bars they really are."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.services.quality.differences import BAR, SERIES, alike
from truetape.services.quality.vote import INCREMENT, Tolerance, varying

AWAY: Final = (1, -1, 2, -2, 3, -3)  # days to the session whose bar it may be: over a weekend and a holiday


def mislabelled(ruled: pl.DataFrame, known: pl.Series, tolerance: Tolerance) -> pl.DataFrame:
    """Return `ruled` with the rule session_label where a daily bar of no session is another provider's of a near one.

    That provider must have nothing under the label itself: what all have on a day, they have agreed on. Where the
    calendar is not known, or does not reach, nothing is taken for a wrong label.

    Args:
        ruled: schema bar_claims with `place` (their row) and `rule` (a broken rule or null).
        known: The sessions of the calendar (Date).
        tolerance: When two prices are alike.
    """
    if known.is_empty():
        return ruled
    day = pl.col("ts_event").dt.date()
    reached = day.is_between(known.min(), known.max())
    stray = (pl.col("timeframe") == "1d") & pl.col("rule").is_null() & reached & ~day.is_in(known.implode())
    said = ruled.select("place", *BAR, "provider", *PRICES, pl.lit(tolerance.absolute).alias(INCREMENT), "rule")
    strays = said.filter(stray)
    if strays.is_empty():
        return ruled
    asked = strays.with_columns(day=pl.col("ts_event"), away=pl.lit(list(AWAY))).explode("away")
    moved = asked.with_columns(pl.col("ts_event") + pl.duration(days="away", time_unit="ns"))
    key = varying(ruled, BAR)
    met = moved.join(ruled.select(*key, "provider", *PRICES), on=key, suffix="_other")
    same = alike(PRICES, [f"{name}_other" for name in PRICES], relative=tolerance.relative)
    others = met.filter(pl.col("provider") != pl.col("provider_other"), same)
    beside = strays.select(*SERIES, day="ts_event", provider_other="provider")
    wrong = others.join(beside, on=[*SERIES, "day", "provider_other"], how="anti")
    found = pl.col("place").is_in(wrong["place"].unique().implode())
    return ruled.with_columns(pl.when(found).then(pl.lit("session_label")).otherwise("rule").alias("rule"))
