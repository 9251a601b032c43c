"""Find cells of prices that stand at another level than those around them, by one of a few known factors.

The cells of all rows, open, high, low, close, are one sequence in time. Each stands at the true level or at one of the
known offsets from it, as the hidden states of a Markov chain. The most likely path is found by Viterbi's algorithm
(1967): a step between two cells costs its surprise under Student's t, a change of offset costs its prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from truetape.domain.adjust import PRICES
from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.noise import FLOOR, local_scale, pauses, scale, surprise

LASTING: Final = 5  # rows: a level that the newest rows have held for so long is the one that counts
LASTING_LONGER: Final = {"1w": 2, "1mo": 2}  # the same for longer bars

_STILL: Final = 0.4  # of the usual move of a bar: opens may be copies of the closes before them
_ACROSS: Final = 60.0  # nats: no cell goes from one wrong level to another
_EXTRAORDINARY: Final = 1.5  # in logarithms: four times the price, or a quarter
_WORTH_A_LOOK: Final = 0.45  # of the smallest offset: a step below it is no change of level


@dataclass(frozen=True, eq=False)
class Cells:
    """Prices in the order of time: where each stands, its logarithm, and how much a step to it usually is."""

    row: np.ndarray
    column: np.ndarray  # index in PRICES
    log: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True, eq=False)
class Candidate:
    """A factor that wrong cells may have: `offset` is its logarithm, `prior` what a change to or from it costs.

    `prior` has one value, in nats, for each cell that such a change may come before.
    """

    offset: float
    prior: np.ndarray


def cells_of(series: PriceSeries) -> Cells:
    """Return the positive prices of `series` in the order of time."""
    names = [name for name in PRICES if name in series.fields]
    prices = np.column_stack([series.values(name) for name in names])
    known = np.isfinite(prices) & (prices > 0)
    row, place = np.nonzero(known)
    log = np.log(prices[row, place])
    column = np.array([PRICES.index(name) for name in names])[place]
    return Cells(row=row, column=column, log=log, scale=_scales(series, row, log))


def _scales(series: PriceSeries, row: np.ndarray, log: np.ndarray) -> np.ndarray:
    """Return the usual size of the step to each cell: within its row, or from the row before."""
    steps = np.diff(log, prepend=log[:1])
    first = np.flatnonzero(np.diff(row, prepend=-1))
    within = _ordinary(np.delete(steps, first))
    usual = scale(within) if len(within) else FLOOR
    if not len(first):
        return np.full(len(log), usual)
    levels = np.array([np.median(part) for part in np.split(log, first[1:])])
    between = local_scale(_ordinary(np.diff(levels, prepend=np.nan)))
    result = np.maximum(np.repeat(between, np.diff(np.append(first, len(log)))), usual)
    pause = np.clip(local_scale(_ordinary(steps[first])), between * _STILL, between)
    result[first] = np.maximum(pause, usual * 0.5) * pauses(series, row[first])
    return np.asarray(result)


def _ordinary(steps: np.ndarray) -> np.ndarray:
    """Return `steps` without those that no market makes often, as NaN: a few of them are many in a short series."""
    return np.where(np.abs(steps) < _EXTRAORDINARY, steps, np.nan)


def offsets(cells: Cells, candidates: list[Candidate]) -> np.ndarray:
    """Return the logarithm by which each cell is off, 0 for those that are right; the newest level is right."""
    states = np.array([0.0, *(one.offset for one in candidates)])
    steps = np.diff(cells.log, prepend=cells.log[:1])
    looked_at = np.flatnonzero(np.abs(steps) > _WORTH_A_LOOK * np.abs(states[1:]).min())
    looked_at = looked_at[looked_at > 0]
    priors = np.column_stack([np.zeros(len(cells.log)), *(one.prior for one in candidates)])
    moved = states[None, :] - states[:, None]  # from row to column
    outside = states != 0
    across = np.where(outside[:, None] & outside[None, :] & (moved != 0), _ACROSS, 0.0)
    cost, came_from = np.zeros(len(states)), []
    for at in looked_at:
        change = np.where(moved == 0, 0.0, np.maximum(priors[at][:, None], priors[at][None, :])) + across
        total = cost[:, None] + change + surprise(steps[at] - moved, cells.scale[at])
        came_from.append(total.argmin(axis=0))
        cost = total.min(axis=0)
    return _path(len(cells.log), looked_at, came_from, states)


def _path(count: int, looked_at: np.ndarray, came_from: list[np.ndarray], states: np.ndarray) -> np.ndarray:
    """Return the offset of each cell on the cheapest path that ends at the true level."""
    result = np.zeros(count)
    state, end = 0, count
    for at, before in zip(reversed(looked_at.tolist()), reversed(came_from), strict=True):
        result[at:end] = states[state]
        state, end = int(before[state]), at
    result[:end] = states[state]
    return result


def anchored(cells: Cells, found: np.ndarray, *, lively: np.ndarray, lasting: int) -> np.ndarray:
    """Return `found` with the level that counts at 0: the newest that was held for long enough, else the commonest.

    A few rows at the end may be the ones that are wrong.

    Args:
        cells: The cells.
        found: The logarithm by which each is off the newest level.
        lively: True for each cell that counts.
        lasting: So many rows are long enough.
    """
    if not len(found):
        return found
    starts = np.flatnonzero(np.diff(found, prepend=np.nan) != 0)
    ends = np.append(starts[1:], len(found))
    for start, end in zip(starts[::-1], ends[::-1], strict=True):
        if len(np.unique(cells.row[start:end][lively[start:end]])) >= lasting:
            return np.asarray(found - found[start])
    levels, counts = np.unique(found, return_counts=True)
    return np.asarray(found - levels[counts.argmax()])


def middle(values: np.ndarray) -> float:
    """Return the median of `values`, NaN for none."""
    return float(np.median(values)) if len(values) else float("nan")
