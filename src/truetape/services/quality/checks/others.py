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
    rows = np.arange(len(frame))
    apart, limit, middle = (np.stack(one) for one in zip(*(_judged(frame, name) for name in VALUES), strict=True))
    worst = (np.abs(apart) / limit).argmax(axis=0)
    names = pl.Series(VALUES, dtype=pl.String).gather(pl.Series(worst.astype(np.uint32)))
    told = pl.DataFrame(
        {
            "worst": np.abs(apart[worst, rows]) / limit[worst, rows],
            "which": names,
            "middle": middle[worst, rows],
            "limit": limit[worst, rows],
        }
    )
    return told.select(pl.when(pl.Series(many > 1)).then(pl.struct(pl.all())))["worst"].alias("others")


def _judged(frame: pl.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the logarithm of each value / the median, how far it may be from 0, and the median."""
    middle, apart = _apart(frame, name)
    if name == "volume":
        limit = np.full(len(frame), np.log(TIMES))
        return apart - np.clip(_usual(frame, apart), -limit / 2, limit / 2), limit, middle
    sigma = frame["usual_move"].fill_null(0.0).to_numpy()
    wide = 2.0 if name in {"high", "low"} else 1.0
    return apart, wide * np.maximum(SHARE, SIGMAS * sigma), middle


def _apart(frame: pl.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return each bar's median over its providers, and the logarithm of the row's value / that; 0 where unknown."""
    key = frame["key_number"].to_numpy()
    who = frame["provider"].rank("dense").to_numpy() - 1
    told = frame[name].clip(0.0).fill_null(np.nan).to_numpy()
    table = np.full((int(key.max()) + 1, int(who.max()) + 1), np.nan)
    table[key, who] = np.where(told > 0, told, np.nan)
    table.sort(axis=1)  # NaN last
    count = np.maximum(np.isfinite(table).sum(axis=1), 1)
    every = np.arange(len(table))
    centre = ((table[every, (count - 1) // 2] + table[every, count // 2]) / 2)[key]
    apart = np.log(np.maximum(told, _NOUGHT * centre) / centre)
    return centre, np.where(np.isnan(apart), 0.0, apart)


def _usual(frame: pl.DataFrame, apart: np.ndarray) -> np.ndarray:
    """Return the median of `apart` over each row's series."""
    medians = pl.DataFrame({"series": frame["series"], "apart": apart}).select(pl.col("apart").median().over("series"))
    return medians["apart"].to_numpy()
