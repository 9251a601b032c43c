"""How far the values of a bar are from those that other providers say of the same bar."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from truetape.domain.adjust import PRICES

VALUES: Final = (*PRICES, "volume")
SHARE: Final = 0.01  # by which a price may differ
SIGMAS: Final = 1.0  # of the regime's move, by which it may differ where that is more; highs and lows by twice both
TIMES: Final = 3.0  # by which a volume may differ, after what the provider's volumes are on a usual day
ENOUGH: Final = 3  # rows of a series that tell what is usual for its volumes

_NOUGHT: Final = 1e-6  # share of the median that a value of 0 or less counts for
_NOTHING: Final = pl.Struct(
    {"worst": pl.Float64(), "which": pl.String(), "middle": pl.Float64(), "limit": pl.Float64()}
)


def others(frame: pl.DataFrame) -> pl.Expr | pl.Series:
    """Return a struct of what is furthest off the others' median; null where nobody else has the bar.

    `worst` is how far / how far it may be, as logarithms; `which` its column, `middle` the median, `limit` how far it
    may be. Providers differ by little on most days, in highs and lows by more than in closes, and by a constant share
    of volume, depending on which venues they count.
    """
    many = frame["providers"].to_numpy()
    if not len(many) or many.max() == 1:
        return pl.lit(None, dtype=_NOTHING)
    worst, which = np.full(len(frame), -1.0), np.zeros(len(frame), dtype=np.uint32)
    middle, limit = np.empty(len(frame)), np.empty(len(frame))
    cells = (frame["key_number"].to_numpy(), frame["provider"].rank("dense").to_numpy() - 1)
    for number, name in enumerate(VALUES):
        apart, near, centre = _judged(frame, name, cells)
        times = np.abs(apart) / near
        more = times > worst
        for best, new in ((worst, times), (middle, centre), (limit, near)):
            np.copyto(best, new, where=more)
        which[more] = number
    names = pl.Series(VALUES, dtype=pl.String).gather(pl.Series(which))
    told = pl.DataFrame({"worst": worst, "which": names, "middle": middle, "limit": limit})
    return told.select(pl.when(pl.Series(many > 1)).then(pl.struct(pl.all())))["worst"].alias("others")


def _judged(
    frame: pl.DataFrame, name: str, cells: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the logarithm of each value / the median, how far it may be from 0, and the median."""
    middle, apart = _apart(frame[name], cells)
    if name == "volume":
        limit = np.full(len(frame), np.log(TIMES))
        return apart - np.clip(_usual(frame, apart), -limit / 2, limit / 2), limit, middle
    sigma = frame["usual_move"].fill_null(0.0).to_numpy()
    wide = 2.0 if name in {"high", "low"} else 1.0
    return apart, wide * np.maximum(SHARE, SIGMAS * sigma), middle


def _apart(values: pl.Series, cells: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return each bar's median over its providers, and the logarithm of the row's value / that; 0 where unknown.

    `cells` are the numbers of each row's bar and provider.
    """
    key, who = cells
    told = values.clip(0.0).fill_null(np.nan).to_numpy()
    table = np.full((int(key.max()) + 1, int(who.max()) + 1), np.nan)
    table[key, who] = np.where(told > 0, told, np.nan)
    table.sort(axis=1)  # NaN last
    count = np.maximum(np.isfinite(table).sum(axis=1), 1)
    every = np.arange(len(table))
    centre = ((table[every, (count - 1) // 2] + table[every, count // 2]) / 2)[key]
    apart = np.log(np.maximum(told, _NOUGHT * centre) / centre)
    return centre, np.where(np.isnan(apart), 0.0, apart)


def _usual(frame: pl.DataFrame, apart: np.ndarray) -> np.ndarray:
    """Return the median of `apart` over each row's series; 0 where that has fewer than ENOUGH rows."""
    if np.bincount(frame["series"].to_numpy()).max() < ENOUGH:
        return np.zeros(len(frame))
    usual = pl.when(pl.len() >= ENOUGH).then(pl.col("apart").median()).otherwise(0.0).over("series")
    return pl.DataFrame({"series": frame["series"], "apart": apart}).select(usual).to_series().to_numpy()
