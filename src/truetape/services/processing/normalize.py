"""Bring the claims of one instrument to raw basis, so that they can be compared."""

from __future__ import annotations

import polars as pl

from truetape.domain.adjust import unsplit, unsplit_dividends


def latest_claims(claims: pl.DataFrame, *, key: tuple[str, ...], captured: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return each provider's newest claim for each `key`, ordered by (`key`, provider).

    Args:
        claims: Rows of a claims table.
        key: What a claim is about.
        captured: The payloads that just came. They count as the newest even if the same bytes came before: a provider
            may return to what it said earlier. Of other payloads known at once, the one with the greater key wins.
    """
    by_age = claims.sort(pl.col("payload").is_in(captured), "ts_known", "payload")
    ordered = by_age.sort([*key, "provider"], maintain_order=True)
    which = pl.struct(*key, "provider").rle_id()
    return ordered.filter(which.ne_missing(which.shift(-1)))


def known_splits(action_claims: pl.DataFrame) -> pl.DataFrame:
    """Return the splits that any provider claims: `ex_date` (ascending, unique) and `value`.

    Of several ratios for one date the one with the most providers is taken; at a tie, the smaller.
    """
    splits = action_claims.filter(pl.col("type") == "split", pl.col("value") > 0, pl.col("value").is_finite())
    counted = splits.group_by("ex_date", "value").agg(pl.col("provider").n_unique().alias("providers"))
    ranked = counted.sort(["ex_date", "providers", "value"], descending=[False, True, False])
    return ranked.unique("ex_date", keep="first", maintain_order=True).select("ex_date", "value")


def raw_bars(claims: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return `claims` (schema bar_claims) as traded, ordered by (ts_event, provider).

    A provider that adjusts for splits has done so for every split until it sent its answer, and for none after.
    Claims that are adjusted for dividends too cannot be undone exactly and are left out.
    """
    usable = claims.filter(pl.col("basis") != "all")
    parts = [
        part if part["basis"][0] == "raw" else unsplit(part, _until(splits, part))
        for part in usable.partition_by("provider", "basis", "ts_known", maintain_order=True)
    ]
    raw = pl.concat(parts) if parts else usable
    return raw.with_columns(pl.lit("raw").alias("basis")).sort("ts_event", "provider")


def raw_actions(claims: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return `claims` (schema action_claims) with dividends in cash as paid then, ordered by (ex_date, type)."""
    adjusted = (pl.col("type") == "dividend") & (pl.col("basis") == "split")
    parts = [
        unsplit_dividends(part, _until(splits, part))
        for part in claims.filter(adjusted).partition_by("ts_known", maintain_order=True)
    ]
    raw = pl.concat([claims.filter(~adjusted), *parts])
    return raw.with_columns(pl.lit("raw").alias("basis")).sort("ex_date", "type", "provider")


def _until(splits: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """Return the splits that had happened when the claims of `part` were sent."""
    return splits.filter(pl.col("ex_date") <= part["ts_known"].dt.date()[0])
