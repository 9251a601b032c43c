"""Checks of what is unlikely: how far prices move, for their regime and their market, and whether they come back."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.services.quality.checks import activity, crowd, labels, payouts
from truetape.services.quality.checks.check import Broken, Check, Tuning
from truetape.services.quality.checks.shared import before

_AROUND: Final = 3  # rows before and after that make a neighbourhood
_POWER: Final = pl.lit(10.0).log()


def spike(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """The close leaves and is back with the next bar: both moves are far out of the regime and cancel out."""
    power = (pl.col("move") / _POWER).round()
    decimal = (power != 0) & ((pl.col("move") - power * _POWER).abs() < tuning["sigmas"] * pl.col("usual_move"))
    return Broken(
        where=_returns(tuning) & ~pl.col("backed"),
        measured={"after": pl.col("move").shift(-1)},
        words=pl.format(
            "the close {} is {} times the one before, and the next takes it back by {}; a usual move is {} %",
            "close",
            pl.col("move").exp().round(4),
            pl.col("after").exp().round(4),
            (pl.col("usual_move") * 100).round(2),
        ),
        field="close",
        low=_expected(-tuning["sigmas"]),
        high=_expected(tuning["sigmas"]),
        repair=pl.when(decimal).then(pl.lit("scale_row")).otherwise(pl.lit("rebuild")),
        repair_value=pl.when(decimal).then(pl.lit(10.0).pow(-power)),
    )


def level_shift(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """Prices open at another level and stay there, though no more was traded than usual and no action explains it."""
    return Broken(
        where=_far(tuning) & _jumps(tuning) & ~_returns(tuning) & ~_taken_back(tuning) & ~pl.col("backed"),
        measured={"turnover": pl.col("close") * pl.col("volume") / pl.col("usual_turnover")},
        words=pl.format(
            "the close went from {} to {} and stays there: {} sigmas of a usual move of {} %, while {} times the usual "
            "turnover was traded, and no declared action explains it",
            "previous_close",
            "close",
            pl.col("surprise").abs().round(1),
            (pl.col("usual_move") * 100).round(2),
            pl.col("turnover").round(1),
        ),
        field="close",
        low=_expected(-tuning["sigmas"]),
        high=_expected(tuning["sigmas"]),
    )


def sudden_move(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """The close is many sigmas from the one before, for its regime and its market: news, or a fault."""
    return Broken(
        where=_far(tuning),
        words=pl.format(
            "the close went from {} to {}: {} sigmas of a usual move of {} %",
            "previous_close",
            "close",
            pl.col("surprise").abs().round(1),
            (pl.col("usual_move") * 100).round(2),
        ),
        field="close",
        low=_expected(-tuning["sigmas"]),
        high=_expected(tuning["sigmas"]),
    )


def far_high(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """The high is far above the bar's other prices and its neighbours, though no more was traded than usual."""
    return _far_end("high", tuning)


def far_low(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """The low is far below the bar's other prices and its neighbours, though no more was traded than usual."""
    return _far_end("low", tuning)


def out_of_line(frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """The close is far from the median of the seven around it, splits and dividends taken out."""
    path = frame.select(pl.col("move").fill_null(0.0).cum_sum())["move"]
    apart = path - path.rolling_median(2 * _AROUND + 1, center=True)
    inside = (pl.col("series") == pl.col("series").shift(_AROUND)) & (
        pl.col("series") == pl.col("series").shift(-_AROUND)
    )
    line = pl.col("close") / pl.col("apart").exp()
    return Broken(
        where=inside & (pl.lit(apart).abs() > tuning["sigmas"] * pl.col("usual_move")),
        measured={"apart": apart},
        words=pl.format(
            "the close {} is {} sigmas from {}, the median of the seven closes around it",
            "close",
            (pl.col("apart").abs() / pl.col("usual_move")).round(1),
            line.round(4),
        ),
        field="close",
        low=line * (-tuning["sigmas"] * pl.col("usual_move")).exp(),
        high=line * (tuning["sigmas"] * pl.col("usual_move")).exp(),
    )


def _expected(sigmas: float) -> pl.Expr:
    """Return the close that is so many sigmas from what the one before and declared actions let expect."""
    return pl.col("close") * (sigmas * pl.col("usual_move") - pl.col("move")).exp()


def _far(tuning: Tuning) -> pl.Expr:
    return pl.col("surprise").abs() > tuning["sigmas"]


def _cancels(one: pl.Expr, other: pl.Expr, tuning: Tuning) -> pl.Expr:
    return (one + other).abs() < tuning["left"] * pl.min_horizontal(one.abs(), other.abs())


def _returns(tuning: Tuning) -> pl.Expr:
    """True where the move is far, and the next one is far too and takes it back."""
    least = tuning["sigmas"] if "back" not in tuning.limits else tuning["back"]
    far = (pl.col("surprise").abs() > least) & (pl.col("surprise").shift(-1).abs() > least)
    return far & _cancels(pl.col("move"), pl.col("move").shift(-1), tuning)


def _taken_back(tuning: Tuning) -> pl.Expr:
    """True where the move takes back the one before it."""
    return _cancels(pl.col("move"), pl.col("move").shift(1), tuning).fill_null(value=False)


def _jumps(tuning: Tuning) -> pl.Expr:
    """True where most of the move lies between two bars, and nothing speaks of news: no usual market moves so far."""
    opened = pl.col("move") - (pl.col("close") / pl.coalesce("open", "close")).log()
    quiet = pl.col("close") * pl.col("volume") < tuning["turnover"] * pl.col("usual_turnover")
    beyond = pl.col("move").abs() > tuning["beyond"]
    return (opened / pl.col("move") > tuning["opened"]) & (quiet | beyond)


def _far_end(name: str, tuning: Tuning) -> Broken:
    """Return what is broken where the high, or the low, sticks out of its bar and of those beside it."""
    side = 1.0 if name == "high" else -1.0
    furthest = pl.max_horizontal if name == "high" else pl.min_horizontal
    body = furthest("open", "close")
    step = pl.col("split").fill_null(1.0)
    beside = [body, before(name) / step, pl.when(~pl.col("starts").shift(-1)).then(pl.col(name).shift(-1))]
    apart = side * (pl.col(name) / furthest(beside)).log()
    quiet = pl.col("close") * pl.col("volume") < tuning["turnover"] * pl.col("usual_turnover")
    limit = body * (side * tuning["sigmas"] * pl.col("usual_move")).exp()
    return Broken(
        where=(apart > tuning["sigmas"] * pl.col("usual_move")) & quiet & ~pl.col("backed"),
        measured={"apart": apart / pl.col("usual_move")},
        words=pl.format(
            f"the {name} {{}} is {{}} sigmas of a usual move from the bar's open {{}} and close {{}} and from the bars "
            "beside it",
            name,
            pl.col("apart").round(1),
            "open",
            "close",
        ),
        field=name,
        low=None if name == "high" else limit,
        high=limit if name == "high" else None,
        repair="set_field",
        repair_value=body,
    )


def _check(name: str, severity: str, sentence: str, **given: object) -> Check:
    return Check(name=name, severity=severity, sentence=sentence, kinds=("bars",), family="statistical", **given)  # type: ignore[arg-type]


_SHIFT: Final = {"sigmas": 7.0, "back": 4.0, "left": 0.35, "turnover": 2.5, "opened": 0.5, "beyond": 1.6}

CHECKS: Final[tuple[Check, ...]] = (
    _check(
        "spike",
        "error",
        "The close leaves its level for one bar.",
        judge=spike,
        needs=("move", "usual_move", "surprise", "backed"),
        limits={"sigmas": 4.0, "left": 0.35},
    ),
    _check(
        "level_shift",
        "error",
        "Prices jump to another level without news.",
        judge=level_shift,
        needs=("move", "usual_move", "surprise", "usual_turnover", "previous_close", "backed"),
        limits=_SHIFT,
    ),
    _check(
        "sudden_move",
        "note",
        "The close moves far out of its regime.",
        judge=sudden_move,
        needs=("usual_move", "surprise", "previous_close"),
        limits={"sigmas": 6.0},
    ),
    _check(
        "far_high",
        "error",
        "The high sticks out of its bar and its neighbours.",
        judge=far_high,
        needs=("usual_move", "usual_turnover", "split", "starts", "backed"),
        limits={"sigmas": 6.0, "turnover": 2.5},
    ),
    _check(
        "far_low",
        "error",
        "The low sticks out of its bar and its neighbours.",
        judge=far_low,
        needs=("usual_move", "usual_turnover", "split", "starts", "backed"),
        limits={"sigmas": 6.0, "turnover": 2.5},
    ),
    _check(
        "out_of_line",
        "note",
        "The close is far from the median of its neighbours.",
        judge=out_of_line,
        needs=("move", "usual_move", "series"),
        limits={"sigmas": 6.0},
    ),
    *activity.CHECKS,
    *crowd.CHECKS,
    *labels.CHECKS,
    *payouts.CHECKS,
)
