"""How much a price moves by itself: robust local scales, and how surprising a move is beside them."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from truetape.domain.price_series import PriceSeries

NORMAL: Final = 1.4826  # median absolute deviation to standard deviation of a normal distribution
UPPER: Final = 1.1503  # 75 % of the absolute values of a normal distribution lie below this many deviations
TAIL: Final = 3.0  # degrees of freedom of Student's t: daily moves have such tails
FLOOR: Final = 0.002  # no price is quieter than this: ticks and stale quotes make smaller scales meaningless
WINDOW: Final = 61

_USUAL_PAUSE: Final = 4.0  # times the usual distance of two rows: a weekend with holidays


def surprise(moves: np.ndarray, scales: np.ndarray | float) -> np.ndarray:
    """Return how many nats less likely than no move at all each of `moves` is, by Student's t."""
    return np.asarray((TAIL + 1) / 2 * np.log1p((moves / scales) ** 2 / TAIL))


def scale(moves: np.ndarray) -> float:
    """Return the standard deviation that most of `moves` fit, NaN ignored, at least FLOOR.

    It is the larger of what the median and what the upper quartile tell, so that a series that mostly stands still is
    not taken for one that never moves.
    """
    known = np.abs(moves[np.isfinite(moves)])
    if not len(known):
        return FLOOR
    return float(max(NORMAL * np.median(known), np.quantile(known, 0.75) / UPPER, FLOOR))


def local_scale(moves: np.ndarray, *, window: int = WINDOW) -> np.ndarray:
    """Return the scale of `moves` around each of them, at least half of the scale of all and at least FLOOR."""
    sizes = pl.Series(np.abs(moves)).fill_nan(None)
    fewest = min(window // 3, max(len(moves) // 3, 1))
    middle = sizes.rolling_median(window_size=window, min_samples=fewest, center=True) * NORMAL
    upper = sizes.rolling_quantile(0.75, interpolation="linear", window_size=window, min_samples=fewest, center=True)
    near = pl.DataFrame({"a": middle, "b": upper / UPPER}).select(pl.max_horizontal("a", "b")).to_series()
    everywhere = scale(moves)
    return np.asarray(near.fill_null(everywhere).clip(everywhere / 2).to_numpy(), dtype=np.float64)


def pauses(series: PriceSeries, rows: np.ndarray) -> np.ndarray:
    """Return by how much a scale grows over the time before each of `rows`, counted from the row of `rows` before it.

    1 for the usual distance; the square root of the time for a suspension.
    """
    stamps = series.frame["ts"].cast(pl.Int64).to_numpy()[rows].astype(np.float64)
    distance = np.diff(stamps, prepend=stamps[:1])
    usual = float(np.median(distance[1:])) if len(distance) > 1 else 1.0
    return np.asarray(np.sqrt(np.maximum(distance / (max(usual, 1.0) * _USUAL_PAUSE), 1.0)))
