"""Checks of what is unlikely: how far prices move, for their regime and their market, and whether they come back."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from truetape.services.quality.checks import activity, crowd, labels, payouts
from truetape.services.quality.checks.beside import beside, marked, placed
from truetape.services.quality.checks.check import Broken, Check, Tuning, shown
from truetape.services.quality.checks.regime import FAR

_AROUND: Final = 3  # rows before and after that make a neighbourhood
_TEN: Final = float(np.log(10.0))
_CHEAP: Final = 0.5  # share of a logarithm that a difference has at least, for falls of up to 80 %
_USUAL: Final = (pl.col("usual_move") * 100).round_sig_figs(3)


def spike(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The close leaves and is back with the next bar: both moves are far out of the regime and cancel out."""
    near = _far(frame, tuning)
    if near is None:
        return None
    quiet = _quiet(tuning).fill_null(value=True)
    found = near.filter(_returns(tuning) & quiet & ~pl.col("backed"))
    power = (pl.col("move") / _TEN).round()
    decimal = (power != 0) & ((pl.col("move") - power * _TEN).abs() < tuning["sigmas"] * pl.col("usual_move"))
    words = "the close went from {} to {}, and the next bar takes it back: {} sigmas of a usual move of {} %"
    return Broken(
        where=marked(frame, found),
        words=pl.format(words, shown("previous_close"), shown("close"), _sigmas(), _USUAL),
        field="close",
        low=_expected(-tuning["sigmas"]),
        high=_expected(tuning["sigmas"]),
        repair=pl.when(decimal).then(pl.lit("scale_row")).otherwise(pl.lit("rebuild")),
        repair_value=pl.when(decimal).then(pl.lit(10.0).pow(-power)),
    )


def level_shift(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """Prices open at another level and stay there, though no more was traded than usual and no action explains it."""
    near = _far(frame, tuning)
    if near is None:
        return None
    taken_back = _cancels("move before", tuning).fill_null(value=False)
    alone = ~_returns(tuning).fill_null(value=False) & ~taken_back & ~pl.col("backed")
    found = near.filter(_jumps(tuning) & alone).with_columns(_turnover().alias("turnover"))
    words = (
        "the close went from {} to {} and stays there: {} sigmas of a usual move of {} %, at {} times the usual "
        "turnover, and no declared action explains it"
    )
    told = (shown("previous_close"), shown("close"), _sigmas(), _USUAL, pl.col("turnover").round(1))
    return Broken(
        where=marked(frame, found),
        measured=placed(frame, found, "turnover"),
        words=pl.format(words, *told),
        field="close",
        low=_expected(-tuning["sigmas"]),
        high=_expected(tuning["sigmas"]),
    )


def sudden_move(_: pl.DataFrame, tuning: Tuning) -> Broken:
    """The close is many sigmas from the one before, for its regime and its market: news, or a fault."""
    words = "the close went from {} to {}: {} sigmas of a usual move of {} %"
    return Broken(
        where=pl.col("surprise").abs() > tuning["sigmas"],
        words=pl.format(words, shown("previous_close"), shown("close"), _sigmas(), _USUAL),
        field="close",
        low=_expected(-tuning["sigmas"]),
        high=_expected(tuning["sigmas"]),
    )


def far_high(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The high is far above the bar's other prices and its neighbours, though no more was traded than usual."""
    return _far_end(frame, "high", tuning)


def far_low(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The low is far below the bar's other prices and its neighbours, though no more was traded than usual."""
    return _far_end(frame, "low", tuning)


def out_of_line(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The close is far from the median of the seven around it, of which one is far from the one before it.

    This is Hampel's filter, with the regime's sigma for the spread of the seven.
    """
    found = _hampel(frame).filter(pl.col("apart").abs() > tuning["sigmas"] * pl.col("usual_move"))
    if found.is_empty():
        return None
    line = pl.col("close") / pl.col("apart").exp()
    off = (pl.col("apart").abs() / pl.col("usual_move")).round(1)
    width = tuning["sigmas"] * pl.col("usual_move")
    return Broken(
        where=marked(frame, found),
        measured=placed(frame, found, "apart"),
        words=pl.format(
            "the close {} is {} sigmas from {}, the median of the seven closes around it", "close", off, shown(line)
        ),
        field="close",
        low=line * (-width).exp(),
        high=line * width.exp(),
    )


def _hampel(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows near a far move: `at`, usual_move, and `apart`, their log distance from the median of seven."""
    far = (frame["surprise"].abs() > FAR).fill_null(value=False).arg_true().to_numpy().astype(np.int64)
    window = np.arange(-_AROUND, _AROUND + 1)
    here = np.unique(far[:, None] + window)
    here = here[(here >= _AROUND) & (here < len(frame) - _AROUND)]
    series = frame["series"].to_numpy()
    here = here[series[here - _AROUND] == series[here + _AROUND]]
    path = np.cumsum(frame["move"].fill_null(0.0).to_numpy())
    apart = path[here] - np.median(path[here[:, None] + window], axis=1)
    return pl.DataFrame({"at": here.astype(np.uint32), "apart": apart, "usual_move": frame["usual_move"].gather(here)})


def _sigmas() -> pl.Expr:
    return pl.col("surprise").abs().round(1)


def _turnover() -> pl.Expr:
    return pl.col("close") * pl.col("volume") / pl.col("usual_turnover")


def _expected(sigmas: float) -> pl.Expr:
    """Return the close that is so many sigmas from what the one before and declared actions let expect."""
    return pl.col("close") * (sigmas * pl.col("usual_move") - pl.col("move")).exp()


def _far(frame: pl.DataFrame, tuning: Tuning) -> pl.DataFrame | None:
    return beside(frame, pl.col("surprise").abs() > tuning["sigmas"], ("move", "surprise"))


def _cancels(other: str, tuning: Tuning) -> pl.Expr:
    """True where the move and the `other` cancel out, but for a share of the smaller."""
    move, back = pl.col("move"), pl.col(other)
    return (move + back).abs() < tuning["left"] * pl.min_horizontal(move.abs(), back.abs())


def _returns(tuning: Tuning) -> pl.Expr:
    """True where the next move is far too, and takes the move back."""
    return (pl.col("surprise after").abs() > tuning["back"]) & _cancels("move after", tuning)


def _jumps(tuning: Tuning) -> pl.Expr:
    """True where most of the move lies between two bars, and trading is as usual."""
    opened = pl.col("move") - (pl.col("close") / pl.coalesce("open", "close")).log()
    return (opened / pl.col("move") > tuning["opened"]) & _quiet(tuning)


def _quiet(tuning: Tuning) -> pl.Expr:
    """True where trading is as usual, at the close or at the price before the move, or the move beyond any news."""
    least = pl.min_horizontal(_turnover(), _turnover() / pl.col("move").exp())
    return (least < tuning["turnover"]) | (pl.col("move").abs() > tuning["beyond"])


def _far_end(frame: pl.DataFrame, name: str, tuning: Tuning) -> Broken | None:
    """Return what is broken where the high, or the low, sticks out of its bar and of those beside it."""
    side = 1.0 if name == "high" else -1.0
    furthest = pl.max_horizontal if name == "high" else pl.min_horizontal
    body, width = furthest("open", "close"), tuning["sigmas"] * pl.col("usual_move")
    near = beside(frame, side * (pl.col(name) - body) > width * body * _CHEAP, (name,))
    if near is None:
        return None
    step = pl.col("split").fill_null(1.0)
    apart = side * (pl.col(name) / furthest(body, pl.col(f"{name} before") / step, f"{name} after")).log()
    quiet = (_turnover() < tuning["turnover"]) | (apart > tuning["beyond"])
    found = near.filter((apart > width) & quiet & ~pl.col("backed"))
    found = found.with_columns((apart / pl.col("usual_move")).round(1).alias("apart"))
    words = f"the {name} {{}} is {{}} sigmas of a usual move from open {{}} and close {{}} and from the bars beside it"
    limit = body * (side * width).exp()
    return Broken(
        where=marked(frame, found),
        measured=placed(frame, found, "apart"),
        words=pl.format(words, shown(name), "apart", shown("open"), shown("close")),
        field=name,
        low=None if name == "high" else limit,
        high=limit if name == "high" else None,
        repair="set_field",
        repair_value=body,
    )


def _check(name: str, severity: str, sentence: str, **given: object) -> Check:
    return Check(name=name, severity=severity, sentence=sentence, kinds=("bars",), family="statistical", **given)  # type: ignore[arg-type]


_MOVES: Final = ("move", "usual_move", "surprise", "previous_close", "series")
_ENDS: Final = ("usual_move", "usual_turnover", "split", "series", "backed")

CHECKS: Final[tuple[Check, ...]] = (
    _check(
        "spike",
        "error",
        "The close leaves its level for one bar.",
        judge=spike,
        needs=(*_MOVES, "usual_turnover", "backed"),
        limits={"sigmas": 4.0, "back": 4.0, "left": 0.35, "turnover": 4.0, "beyond": 1.6},
    ),
    _check(
        "level_shift",
        "error",
        "Prices jump to another level without news.",
        judge=level_shift,
        needs=(*_MOVES, "usual_turnover", "backed"),
        limits={"sigmas": 6.0, "back": 4.0, "left": 0.35, "turnover": 2.0, "opened": 0.5, "beyond": 1.6},
    ),
    _check(
        "sudden_move",
        "note",
        "The close moves far out of its regime.",
        judge=sudden_move,
        needs=_MOVES,
        limits={"sigmas": 6.0},
    ),
    _check(
        "far_high",
        "error",
        "The high sticks out of its bar and its neighbours.",
        judge=far_high,
        needs=_ENDS,
        limits={"sigmas": 6.0, "turnover": 2.5, "beyond": 1.0},
    ),
    _check(
        "far_low",
        "error",
        "The low sticks out of its bar and its neighbours.",
        judge=far_low,
        needs=_ENDS,
        limits={"sigmas": 6.0, "turnover": 2.5, "beyond": 1.0},
    ),
    _check(
        "out_of_line",
        "note",
        "The close is far from the median of its neighbours.",
        judge=out_of_line,
        needs=_MOVES,
        limits={"sigmas": 6.0},
    ),
    *activity.CHECKS,
    *crowd.CHECKS,
    *labels.CHECKS,
    *payouts.CHECKS,
)
