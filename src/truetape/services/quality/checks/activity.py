"""Checks of how much is traded: bursts, bars without volume, and closes that stand still."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks.check import Broken, Check, Tuning

_TICK: Final = 0.01  # price increment where none is known
_DENSITY: Final = 0.4  # of a normal distribution at its middle, per sigma


def odd_volume(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """The volume is many times that of its regime and of the bars beside it, or a small part, at an ordinary move."""
    turnover = pl.col("close") * pl.col("volume")
    times = turnover / pl.col("usual_turnover")
    far = times.log().abs() / pl.col("turnover_spread")
    beside = [turnover / turnover.shift(1), turnover / turnover.shift(-1)]
    alone = (pl.min_horizontal(beside) > tuning["beside"]) | (pl.max_horizontal(beside) < 1 / tuning["beside"])
    usual = pl.col("usual_turnover") / pl.col("close")
    most = pl.lit(tuning["times"]).log()
    calm = (pl.col("surprise").abs() < tuning["calm"]) & (pl.col("volume") > 0) & ~pl.col("backed")
    return Broken(
        where=(far > tuning["sigmas"]) & (times.log().abs() > most) & alone & calm,
        measured={"times": times},
        words=pl.format("the volume {} is {} times the usual one, at an ordinary move", "volume", _rounded("times")),
        field="volume",
        low=usual / tuning["times"],
        high=usual * tuning["times"],
        repair="rebuild",
    )


def no_volume(_: pl.DataFrame, __: Tuning) -> Broken:
    """The bar has no volume though its prices differ, and the bars before and after it have."""
    traded = (pl.col("volume").shift(1) > 0) & (pl.col("volume").shift(-1) > 0)
    inside = (pl.col("series") == pl.col("series").shift(1)) & (pl.col("series") == pl.col("series").shift(-1))
    return Broken(
        where=(pl.col("volume") == 0) & (pl.col("high") > pl.col("low")) & traded & inside & ~pl.col("backed"),
        words=pl.format("no volume, though prices went from {} to {}, and the bars beside it have some", "low", "high"),
        field="volume",
        low=1.0,
        repair="rebuild",
    )


def flat_run(frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """The close stays the same so long that chance cannot explain it.

    By chance a close repeats with a probability of about 0.4 x increment / sigma, and n in a row with its n-th power.
    """
    traded = pl.col("volume").fill_null(1.0) > 0
    still = (pl.col("move") == 0) & pl.col("split").is_null() & traded
    marked = frame.lazy().select(still.fill_null(value=False))
    run = marked.with_columns(pl.col("move").rle_id().alias("run")).select(
        pl.when("move").then(pl.len().over("run")).otherwise(0).alias("length")
    )
    step = pl.coalesce("increment", pl.lit(_TICK)) / (pl.col("close") * pl.col("usual_move"))
    chance = pl.col("length") * (step * _DENSITY).clip(1e-9, 0.5).log10()
    length = run.collect()["length"]
    return Broken(
        where=pl.lit(length).cast(pl.Float64) * (step * _DENSITY).clip(1e-9, 0.5).log10() < -tuning["digits"],
        measured={"length": length},
        words=pl.format(
            "the close is {} for {} bars in a row; the chance of that is 10 to the power of {}",
            "close",
            pl.col("length") + 1,
            chance.round(0).cast(pl.Int64),
        ),
        field="close",
    )


def _rounded(name: str) -> pl.Expr:
    """Return a number with three significant digits."""
    return pl.col(name).round_sig_figs(3)


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="odd_volume",
        kinds=("bars",),
        family="statistical",
        severity="error",
        sentence="The volume is far out of its regime while the price hardly moved.",
        judge=odd_volume,
        needs=("usual_turnover", "turnover_spread", "surprise", "backed"),
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
        needs=("move", "usual_move", "split", "increment"),
        limits={"digits": 9.0},
    ),
)
