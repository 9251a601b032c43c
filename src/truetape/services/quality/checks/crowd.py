"""Checks of a series against others: the market of its day, and the same bars of other providers."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning, shown
from truetape.services.quality.checks.others import VALUES
from truetape.services.quality.checks.regime import NORMAL

_ENOUGH: Final = 3  # providers of a bar, so that one can be told to be wrong
_CROWD: Final = 20  # series of a market that make a spread


def out_of_market(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The move, in sigmas of its own regime, is far from those of the other series of its venue."""
    own = frame.lazy().select("ts_event", "timeframe", "venue", (pl.col("move") / pl.col("usual_move")).alias("own"))
    groups = own.group_by("ts_event", "timeframe", "venue").agg(
        pl.col("own").median().alias("market"),
        ((pl.col("own") - pl.col("own").median()).abs().median() * NORMAL).alias("spread"),
        pl.col("own").count().alias("many"),
    )
    crowds = groups.filter(pl.col("many") >= _CROWD).collect()
    if crowds.is_empty():
        return None
    key = ["ts_event", "timeframe", "venue"]
    joined = own.collect().join(crowds, on=key, how="left", nulls_equal=True, maintain_order="left")
    far = joined.select(((pl.col("own") - pl.col("market")) / pl.col("spread")).alias("far"))["far"]
    return Broken(
        where=far.abs() > tuning["sigmas"],
        measured={"far": far, "many": joined["many"]},
        words=pl.format(
            "the move from {} to {} is {} sigmas from those of {} series of its market",
            "previous_close",
            "close",
            shown("far"),
            "many",
        ),
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
        needs=("move", "usual_move", "venue", "previous_close"),
        limits={"sigmas": 12.0},
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
