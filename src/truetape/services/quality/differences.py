"""Claims that lost, each beside what was found to be true: the facts by which a difference is explained.

All frames are of many series at once. A series is an instrument's bars of one timeframe.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.domain.kinds import INSTANT
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.services.quality.increments import decimals
from truetape.services.quality.vote import INCREMENT, Outcome

SERIES: Final = ("instrument_id", "timeframe")
BAR: Final = (*SERIES, "ts_event")
WHOLE_DAYS: Final = ("1d", *DERIVED_TIMEFRAMES)
HOURS: Final = tuple(hour for most in range(1, 13) for hour in (most, -most))  # that a zone may be off, the least first
PAIRED: Final = 2  # prices that a bar must have to be recognised elsewhere

_SIDES: Final = (("before", 1), ("after", -1))
_SAID: Final = ("ts_event", *PRICES, "agreed")
_TRUTH: Final = (*PRICES, "volume", "adj_close", "currency", "feed", "provider")


def outvoted(ruled: pl.DataFrame, valid: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    """Return the claims that broke a rule or did not agree with the winner, in their order, beside it.

    Args:
        ruled: schema bar_claims with `place` (their row) and `rule` (a broken rule or null), ordered by (series,
            provider, ts_event).
        valid: Those that broke no rule, with increments.
        outcome: Of the vote of `valid` for BAR.

    Returns:
        The claims with the winner's values as `won_open` ... `won_provider`, `agreed` and `increment`; null where no
        claim was left to win.
    """
    values = [pl.col(name).alias(f"won_{name}") for name in _TRUTH]
    truth = outcome.won.select(*values, "agreed", INCREMENT)
    lost = valid[outcome.lost["claim"]].drop(INCREMENT).hstack(truth[outcome.lost["bar"]])
    broken = ruled.filter(pl.col("rule").is_not_null())
    concerned = outcome.won.select(*BAR, *values, "agreed", INCREMENT).join(broken, on=BAR, how="semi")
    beside = broken.join(concerned, on=BAR, how="left")
    return pl.concat([lost, beside]).sort("place")


def with_habits(lost: pl.DataFrame, ruled: pl.DataFrame) -> pl.DataFrame:
    """Return `lost` with what is known of the series that each claim stands in.

    `repeats`: it equals the provider's bar before it, volume included, and there was trade; `places` and `won_places`:
    the decimals that the provider's and the winner's series are written in; `bars`: how many the provider's has.
    """
    here = ruled.select(*SERIES, "provider", *PRICES, "volume")
    before = here.with_columns(pl.all().shift(1))[lost["place"]]
    mine = here[lost["place"]]
    same = pl.select(pl.all_horizontal([mine[name].eq_missing(before[name]) for name in here.columns])).to_series()
    concerned = ruled.join(lost, on=SERIES, how="semi")
    habits = concerned.group_by(*SERIES, "provider").agg(
        decimals(pl.col("close")).max().alias("places"), pl.len().alias("bars")
    )
    theirs = habits.select(*SERIES, won_provider="provider", won_places="places")
    return (
        lost.with_columns((same & (lost["volume"] > 0).fill_null(value=False)).alias("repeats"))
        .join(habits, on=[*SERIES, "provider"], how="left", maintain_order="left")
        .join(theirs, on=[*SERIES, "won_provider"], how="left", maintain_order="left")
    )


def with_labels(lost: pl.DataFrame, won: pl.DataFrame, *, relative: float) -> pl.DataFrame:
    """Return `lost` with `bar_of`: the instant whose true bar each claim says, of a neighbouring session or hour.

    That bar must have been found by others too.
    Sessions are looked for one before and one after; bars below a day also up to twelve whole hours away. Null where
    the claim is no such bar, or has fewer than PAIRED prices.
    """
    if won["ts_event"].n_unique() <= 1:
        return lost.with_columns(pl.lit(None, dtype=INSTANT).alias("bar_of"))
    concerned = won.select(*BAR, *PRICES, "agreed").join(lost, on=SERIES, how="semi")
    follow = [pl.col(name).shift(by).over(*SERIES).alias(f"{side}_{name}") for side, by in _SIDES for name in _SAID]
    around = lost.join(concerned.with_columns(follow), on=BAR, how="left", maintain_order="left", suffix="_true")
    found: list[pl.Series] = []
    for side, _ in _SIDES:
        met = alike(PRICES, [f"{side}_{name}" for name in PRICES], relative=relative)
        met &= pl.col(f"{side}_agreed") != pl.col("provider")
        found.append(around.select(pl.when(met).then(pl.col(f"{side}_ts_event"))).to_series())
    if not lost["timeframe"].is_in(WHOLE_DAYS).all():
        found += [_hours_off(lost, concerned, hours, relative=relative) for hours in HOURS]
    return lost.with_columns(pl.coalesce(found).alias("bar_of"))


def _hours_off(lost: pl.DataFrame, truth: pl.DataFrame, hours: int, *, relative: float) -> pl.Series:
    """Return, for each of `lost`, the instant so many hours away if its bar there is what the claim says."""
    there = truth.with_columns(pl.col("ts_event") - pl.duration(hours=hours, time_unit="ns"))
    met = lost.join(there, on=BAR, how="left", maintain_order="left", suffix="_true")
    same = alike(PRICES, [f"{name}_true" for name in PRICES], relative=relative)
    same &= pl.col("agreed_true") != pl.col("provider")
    moved = pl.col("ts_event") + pl.duration(hours=hours, time_unit="ns")
    intraday = ~pl.col("timeframe").is_in(WHOLE_DAYS)
    return met.select(pl.when(same & intraday).then(moved)).to_series()


def near(one: pl.Expr, other: pl.Expr, *, relative: float) -> pl.Expr:
    """True where two prices lie within an increment or the share `relative` of the less; null where one is missing."""
    bound = pl.max_horizontal(pl.col(INCREMENT) * 1.001, relative * pl.min_horizontal(one.abs(), other.abs()))
    return (one - other).abs() <= bound


def alike(ours: Iterable[str], theirs: Iterable[str], *, relative: float) -> pl.Expr:
    """True where all of the prices that both have are near, and they have at least PAIRED."""
    met = [near(pl.col(one), pl.col(other), relative=relative) for one, other in zip(ours, theirs, strict=True)]
    enough = pl.sum_horizontal([one.is_not_null() for one in met]) >= PAIRED
    return enough & pl.all_horizontal([one.fill_null(value=True) for one in met])
