"""Bring cells at a wrong level to the right one, with what depends on them: range, adjusted close, volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from truetape.domain.adjust import PRICES
from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.levels import Cells, middle

_NEAR: Final = 10  # rows on either side that tell how adjusted closes stand to closes


@dataclass(frozen=True, eq=False)
class Run:
    """Rows in a row with cells that are off by one factor: `wrong` has a row and a column for each of PRICES.

    Right is wrong times `ratio` where the cells are too `low`, wrong by `ratio` where they are too high.
    """

    rows: np.ndarray
    wrong: np.ndarray
    ratio: float
    low: bool

    @property
    def factor(self) -> float:
        """What wrong cells must be multiplied with."""
        return self.ratio if self.low else 1 / self.ratio

    def right(self, values: np.ndarray) -> np.ndarray:
        """Return wrong `values` as they should be."""
        return values * self.ratio if self.low else values / self.ratio


def runs(cells: Cells, found: np.ndarray, *, count: int, ratios: list[float]) -> list[Run]:
    """Return the runs of rows whose cells `found` says are off, by one factor each.

    Args:
        cells: The cells.
        found: The logarithm by which each is off.
        count: The number of rows of the series.
        ratios: The factors that may be; an offset that is none of them is left alone.
    """
    result = []
    for ratio in ratios:
        for low in (True, False):
            offset = -np.log(ratio) if low else np.log(ratio)
            hit = np.isclose(found, offset, rtol=0, atol=1e-9)
            wrong = np.zeros((count, len(PRICES)), dtype=bool)
            wrong[cells.row[hit], cells.column[hit]] = True
            rows = np.flatnonzero(wrong.any(axis=1))
            order = np.unique(cells.row)
            breaks = np.flatnonzero(np.diff(np.searchsorted(order, rows)) > 1) + 1
            result += [
                Run(rows=part, wrong=wrong[part], ratio=ratio, low=low) for part in np.split(rows, breaks) if len(part)
            ]
    return sorted(result, key=lambda one: int(one.rows[0]))


def rescaled(series: PriceSeries, run: Run, *, others: np.ndarray) -> dict[str, np.ndarray]:
    """Return the price columns of `series` with `run` corrected.

    A high or low that was one only because of the fault cannot be known; it becomes that of the open and the close.

    Args:
        series: What is there.
        run: What is wrong.
        others: True for each row of the series with a wrong cell, in this run or another.
    """
    columns: dict[str, np.ndarray] = {name: series.values(name) for name in PRICES if name in series.fields}
    for place, name in enumerate(PRICES):
        if name in columns:
            hit = run.rows[run.wrong[:, place]]
            columns[name][hit] = run.right(columns[name][hit])
    _keep_range(columns, run, partly=_partly(series, run))
    if "adj_close" in series.fields:
        adjusted = series.values("adj_close")
        hit = run.rows[_adjusted_too(series, run, others)]
        adjusted[hit] = run.right(adjusted[hit])
        columns["adj_close"] = adjusted
    return columns


def rescaled_volume(series: PriceSeries, run: Run) -> dict[str, np.ndarray]:
    """Return the volume with the rows of `run` that are wrong as a whole corrected; whole numbers stay whole."""
    if "volume" not in series.fields:
        return {}
    volume = series.values("volume")
    hit = run.rows[~_partly(series, run)]
    before = volume[hit]
    after = before / run.ratio if run.low else before * run.ratio
    volume[hit] = np.where(before == np.round(before), np.round(after), after)
    return {"volume": volume}


def _partly(series: PriceSeries, run: Run) -> np.ndarray:
    """Return true for each row of `run` of which some prices are right."""
    known = np.column_stack([series.values(name)[run.rows] > 0 for name in PRICES])
    return np.asarray((known & ~run.wrong).any(axis=1))


def _keep_range(columns: dict[str, np.ndarray], run: Run, *, partly: np.ndarray) -> None:
    """Bring each corrected low and high of a row that was partly right between, or around, its open and close."""
    ends = [columns[name] for name in ("open", "close") if name in columns]
    with np.errstate(invalid="ignore"):
        for name, bound in (("low", np.fmin), ("high", np.fmax)):
            if name in columns:
                hit = run.rows[partly & run.wrong[:, PRICES.index(name)]]
                for end in ends:
                    columns[name][hit] = bound(columns[name][hit], end[hit])


def _adjusted_too(series: PriceSeries, run: Run, others: np.ndarray) -> np.ndarray:
    """Return true for each row of `run` whose adjusted close is off as well, by how it stands to closes nearby."""
    with np.errstate(divide="ignore", invalid="ignore"):
        close = series.values("close").copy()
        closing = run.rows[run.wrong[:, PRICES.index("close")]]
        close[closing] = run.right(close[closing])
        stand = np.log(series.values("adj_close") / close)
    around = np.arange(run.rows[0] - _NEAR, run.rows[-1] + _NEAR + 1)
    around = around[(around >= 0) & (around < len(series))]
    fine = stand[around[~others[around]]]
    usual = middle(fine[np.isfinite(fine)])
    off = stand[run.rows] - (usual if np.isfinite(usual) else 0.0)
    half = np.log(run.ratio) / 2
    return np.asarray(off < -half if run.low else off > half)
