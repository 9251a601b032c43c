"""Checks of a series against others: the market of its day, and the same bars of other providers."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.beside import beside, marked, placed
from truetape.services.quality.checks.check import Broken, Check, Tuning, shown
from truetape.services.quality.checks.others import VALUES
from truetape.services.quality.checks.regime import beside_market

_ENOUGH: Final = 3  # providers of a bar, so that one can be told to be wrong
_CROWD: Final = 20  # series of a market that make a spread


def out_of_market(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The move, in sigmas of its own regime, is far from those of the other series of its venue."""
    near = beside(frame, pl.col("surprise").abs() > tuning["least"], ())
    if near is None:
        return None
    market = beside_market(frame, near["at"]).select("many", ((pl.col("own") - pl.col("middle")) / pl.col("spread")))
    crowded = (pl.col("many") >= _CROWD) & (pl.col("own").abs() > tuning["sigmas"])
    found = near.select("at").hstack(market).filter(crowded)
    words = "the move from {} to {} is {} sigmas from those of {} series of its market"
    return Broken(
        where=marked(frame, found),
        measured=placed(frame, found, "own", "many"),
        words=pl.format(words, shown("previous_close"), shown("close"), pl.col("own").round(1), "many"),
        field="close",
    )


def off_the_others(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """A value is so far from the median of three or more providers that no usual difference explains it."""
    if frame.is_empty() or frame["providers"].max() < _ENOUGH:  # type: ignore[operator]
        return None
    others = pl.col("others").struct.field
    low, high = (pl.col("middle") * (way * pl.col("limit")).exp() for way in (-1.0, 1.0))
    words = "{} says {} {}; the median of {} providers is {}, and no usual difference is so large"
    return Broken(
        where=(others("worst") > 1) & (pl.col("providers") >= _ENOUGH),
        measured={name: others(name).alias(name) for name in ("which", "middle", "limit")},
        words=pl.format(words, "provider", "which", _value(), "providers", shown("middle")),
        field=pl.col("which"),
        value=_value(),
        low=low,
        high=high,
        repair="set_field",
        repair_value=pl.col("middle"),
    )


def _value() -> pl.Expr:
    return pl.coalesce([pl.when(pl.col("which") == name).then(pl.col(name)) for name in VALUES])


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="out_of_market",
        kinds=("bars",),
        family="statistical",
        severity="note",
        sentence="The move is far from those of its market.",
        judge=out_of_market,
        needs=("move", "usual_move", "surprise", "venue", "series", "previous_close"),
        limits={"sigmas": 12.0, "least": 6.0},
    ),
    Check(
        name="off_the_others",
        kinds=("bars",),
        family="cross_provider",
        severity="error",
        sentence="A value is far from what most providers say.",
        judge=off_the_others,
        needs=("providers", "others"),
    ),
)
