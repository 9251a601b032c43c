"""Checks of how much is traded: bursts, bars without volume, and closes that stand still."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.beside import beside, marked, placed
from truetape.services.quality.checks.check import Broken, Check, Tuning, shown
from truetape.services.quality.checks.regime import turnover_spread

_TICK: Final = 0.01  # price increment where none is known
_DENSITY: Final = 0.4  # of a normal distribution at its middle, per sigma


def odd_volume(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The volume is many times that of its regime and of the bars beside it, or a small part, at an ordinary move."""
    found = _odd(frame, tuning)
    if found is None:
        return None
    usual = pl.col("usual_turnover") / pl.col("close")
    words = "the volume {} is {} times the usual one, at an ordinary move"
    return Broken(
        where=marked(frame, found),
        measured=placed(frame, found, "times"),
        words=pl.format(words, "volume", pl.col("times").round_sig_figs(3)),
        field="volume",
        low=usual / tuning["times"],
        high=usual * tuning["times"],
        repair="rebuild",
    )


def _odd(frame: pl.DataFrame, tuning: Tuning) -> pl.DataFrame | None:
    """Return the rows whose volume is odd: `at`, and how many `times` the usual one it is; None where none is."""
    times = pl.col("close") * pl.col("volume") / pl.col("usual_turnover")
    calm = (pl.col("surprise").abs() < tuning["calm"]) & (pl.col("volume") > 0) & ~pl.col("backed")
    odd = (times > tuning["times"]) | (times < 1 / tuning["times"])
    near = beside(frame, odd & calm, ("close", "volume"))
    if near is None:
        return None
    traded = pl.col("close") * pl.col("volume")
    ratios = [traded / (pl.col(f"close {side}") * pl.col(f"volume {side}")) for side in ("before", "after")]
    alone = (pl.min_horizontal(ratios) > tuning["beside"]) | (pl.max_horizontal(ratios) < 1 / tuning["beside"])
    alone &= pl.all_horizontal([one.is_finite() for one in ratios])
    lonely = near.with_columns(times.alias("times")).filter(alone)
    return None if lonely.is_empty() else _beyond(frame, lonely, tuning)


def _beyond(frame: pl.DataFrame, near: pl.DataFrame, tuning: Tuning) -> pl.DataFrame:
    """Return those of `near` whose volume is beyond the spread that volumes of their series have."""
    own = frame.filter(pl.col("series").is_in(near["series"].unique().implode()))
    spread = own.select("row", turnover_spread(own).alias("spread"))
    known = near.join(spread, on="row", how="left", maintain_order="left")
    return known.filter(pl.col("times").log().abs() > tuning["sigmas"] * pl.col("spread"))


def no_volume(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The bar has no volume though its prices differ, and the bars before and after it have."""
    empty = (pl.col("volume") == 0) & (pl.col("high") > pl.col("low")) & ~pl.col("backed")
    near = beside(frame, empty, ("volume",))
    if near is None:
        return None
    found = near.filter((pl.col("volume before") > 0) & (pl.col("volume after") > 0))
    words = "no volume, though prices went from {} to {}, and the bars beside it have some"
    return Broken(
        where=marked(frame, found),
        words=pl.format(words, shown("low"), shown("high")),
        field="volume",
        low=1.0,
        repair="rebuild",
    )


def flat_run(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The close stays the same, with volume, so long that chance cannot explain it.

    By chance a close repeats with a probability of about 0.4 x increment / sigma, and n in a row with its n-th power.
    """
    still = (pl.col("move") == 0) & pl.col("split").is_null() & (pl.col("volume").fill_null(1.0) > 0)
    near = beside(frame, still, ())
    if near is None:
        return None
    runs = near.with_columns(pl.col("at").diff().ne(1).cum_sum().fill_null(0).alias("run"))
    step = pl.coalesce("increment", pl.lit(_TICK)) / (pl.col("close") * pl.col("usual_move"))
    digits = pl.len().over("run") * (step * _DENSITY).clip(1e-9, 0.5).log10()
    found = runs.select("at", (pl.len().over("run") + 1).alias("bars"), digits.round(0).cast(pl.Int64).alias("digits"))
    found = found.filter(pl.col("digits") <= -tuning["digits"])
    words = "the close is {} for {} bars in a row; the chance of that is 10 to the power of {}"
    return Broken(
        where=marked(frame, found),
        measured=placed(frame, found, "bars", "digits"),
        words=pl.format(words, shown("close"), "bars", "digits"),
        field="close",
    )


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="odd_volume",
        kinds=("bars",),
        family="statistical",
        severity="error",
        sentence="The volume is far out of its regime while the price hardly moved.",
        judge=odd_volume,
        needs=("usual_turnover", "surprise", "series", "starts", "backed"),
        limits={"sigmas": 5.0, "times": 10.0, "beside": 5.0, "calm": 4.0},
    ),
    Check(
        name="no_volume",
        kinds=("bars",),
        family="statistical",
        severity="error",
        sentence="A bar has no volume though its prices differ and the bars beside it have volume.",
        judge=no_volume,
        needs=("series", "backed"),
    ),
    Check(
        name="flat_run",
        kinds=("bars",),
        family="statistical",
        severity="warning",
        sentence="The close stays the same for longer than chance allows.",
        judge=flat_run,
        needs=("move", "usual_move", "split", "increment", "series"),
        limits={"digits": 9.0},
    ),
)
