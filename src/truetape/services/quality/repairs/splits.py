"""Rows that a declared split was not applied to, was applied to twice, or was applied to in the wrong range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.levels import (
    LASTING,
    LASTING_LONGER,
    Candidate,
    Cells,
    anchored,
    cells_of,
    offsets,
)
from truetape.services.quality.repairs.noise import surprise
from truetape.services.quality.repairs.record import Repair, repair
from truetape.services.quality.repairs.rescale import Run, rescaled, rescaled_volume, runs

AT_THE_SPLIT: Final = 5.3  # nats that a change of level costs at the first cell of the split's row
CLOSE_BY: Final = 7.0  # within NEARBY rows of it
FAR: Final = 10.0  # further off, for whole bars and a split that no market moves like
NEVER: Final = 60.0
NEARBY: Final = 40
LARGE: Final = 3.0  # new shares for one old, or the inverse: no market moves like that in a day

_LOOSEST: Final = 4.0  # usual moves
_SHARE: Final = 0.1  # of the logarithm of the ratio
_WEEK: Final = 20  # cells: five bars
_SAME: Final = 0.25  # a jump is a split's if it is within this part of its logarithm


@dataclass(frozen=True, kw_only=True)
class Split:
    """A declared split: `ratio` new shares for one old from `row` on."""

    row: int
    ratio: float


def splits_of(series: PriceSeries) -> list[Split]:
    """Return the declared splits of `series`; 0 and 1 are none."""
    ratios = series.values("splits")
    rows = np.flatnonzero(np.isfinite(ratios) & (ratios > 0) & (ratios != 1))
    return [Split(row=int(row), ratio=float(ratios[row])) for row in rows]


def as_traded(series: PriceSeries) -> list[Split]:
    """Return the splits that the prices of `series` show as they were traded, because that is what its prices are.

    They are if the adjusted close passes the split without a jump, or, without adjusted closes, if all splits of a
    series that has several are seen in its prices. If prices are adjusted for another split, none is meant to be seen.
    """
    declared = splits_of(series)
    seen = [one for one in declared if _jump(series, "close", one) == 1]
    if "adj_close" in series.fields:
        hidden = [one for one in declared if _jump(series, "close", one) == 0]
        return [] if hidden else [one for one in seen if _jump(series, "adj_close", one) == 0]
    return seen if len(seen) == len(declared) > 1 else []


def _jump(series: PriceSeries, field: str, split: Split) -> int:
    """Return 1 if `field` jumps at `split` as untouched prices do, 0 if it does not jump, 2 for anything else."""
    values = series.values(field)
    before = np.flatnonzero(np.isfinite(values[: split.row]) & (values[: split.row] > 0))
    after = np.flatnonzero(np.isfinite(values[split.row :]) & (values[split.row :] > 0))
    if not len(before) or not len(after):
        return 2
    moved = np.log(values[split.row + after[0]] / values[before[-1]]) / -np.log(split.ratio)
    if abs(moved - 1) < _SAME:
        return 1
    return 0 if abs(moved) < _SAME else 2


def split_faults(series: PriceSeries) -> list[Repair]:
    """Return a repair for each run of rows that stands at the wrong side of a declared split."""
    raw = {one.row for one in as_traded(series)}
    declared = [one for one in splits_of(series) if one.row not in raw]
    if not declared:
        return []
    cells = cells_of(series)
    found = _found(cells, declared, lasting=LASTING_LONGER.get(series.timeframe, LASTING))
    wrong = np.zeros(len(series), dtype=bool)
    wrong[cells.row[found != 0]] = True
    ratios = sorted({_above_one(one) for one in declared})
    made = [
        _repair(series, run, declared, rescaled(series, run, others=wrong) | rescaled_volume(series, run))
        for run in runs(cells, found, count=len(series), ratios=ratios)
        if _believable(cells, run, found, declared) and _traded_so(series, run, declared)
    ]
    return [one for one in made if one is not None]


def _found(cells: Cells, declared: list[Split], *, lasting: int) -> np.ndarray:
    """Return the logarithm by which each cell is off; the level after the newest split counts, however short it is."""
    candidates = []
    for ratio in sorted({_above_one(one) for one in declared}):
        own = [one for one in declared if _above_one(one) == ratio]
        prior = _prior(cells, own)
        candidates += [Candidate(offset=sign * np.log(ratio), prior=prior) for sign in (1, -1)]
    found = offsets(cells, candidates)
    changes = cells.row[np.flatnonzero(np.diff(found) != 0) + 1]
    at_a_split = len(changes) > 0 and changes[-1] in {one.row for one in declared}
    found = found if at_a_split else anchored(cells, found, lively=np.ones(len(found), dtype=bool), lasting=lasting)
    known = np.isclose(found[:, None], [0.0, *(one.offset for one in candidates)], rtol=0, atol=1e-9).any(axis=1)
    return found if known.all() else np.zeros_like(found)


def _believable(cells: Cells, run: Run, found: np.ndarray, declared: list[Split]) -> bool:
    """Return whether both ends of `run` step by the split's ratio, as far as usual moves tell.

    One that reaches back to the first bar ends close to its split; a market may well fall or rise so much for good.
    """
    own = [one.row for one in declared if _above_one(one) == run.ratio]
    inside = np.isin(cells.row, run.rows)
    steps = np.flatnonzero((np.diff(inside, prepend=inside[0]) != 0) & (np.diff(found, prepend=found[0]) != 0))
    moves = (cells.log[steps] - cells.log[steps - 1]) - (found[steps] - found[steps - 1])
    fits = bool((np.abs(moves) < np.maximum(_LOOSEST * cells.scale[steps], _SHARE * np.log(run.ratio))).all())
    if len(steps) != 1 or run.rows[0] != cells.row[0]:
        return fits
    near = min(abs(cells.row[steps[0]] - row) for row in own) <= NEARBY
    return fits and near and _lasts(cells, int(steps[0]), float(np.diff(found[steps[0] - 1 : steps[0] + 1])[0]))


def _lasts(cells: Cells, at: int, change: float) -> bool:
    """Return whether the cells on either side of `at`, and not the two nearest alone, differ by `change`."""
    before, after = cells.log[max(at - _WEEK, 0) : at], cells.log[at : at + _WEEK]
    return bool(abs(np.median(after) - np.median(before) - change) < abs(change) / 2)


def _traded_so(series: PriceSeries, run: Run, declared: list[Split]) -> bool:
    """Return whether the volume of `run` bears out that its bars were adjusted otherwise, where that is needed.

    It is for bars that stand aside for a while, do not touch the split, and are off by what a wild market may do.
    """
    first, last = int(run.rows[0]), int(run.rows[-1])
    touching = any(row in (first, last + 1) for row in (one.row for one in declared if _above_one(one) == run.ratio))
    if run.ratio >= LARGE or touching or first == 0:
        return True
    volume = series.values("volume")
    volume[~(volume > 0)] = np.nan
    around = np.concatenate([volume[max(first - NEARBY, 0) : first], volume[last + 1 : last + 1 + NEARBY]])
    if np.isnan(around).all() or np.isnan(volume[run.rows]).all():
        return False
    rose = float(np.log(np.nanmedian(volume[run.rows]) / np.nanmedian(around)))
    expected = float(np.log(run.factor))
    return abs(rose - expected) < abs(rose)


def _prior(cells: Cells, own: list[Split]) -> np.ndarray:
    """Return what a change of level by the ratio of the splits `own` costs before each cell."""
    large = _above_one(own[0]) >= LARGE
    first = np.diff(cells.row, prepend=-1) != 0
    prior = np.where(first & large, FAR, NEVER)
    for one in own:
        prior[np.abs(cells.row - one.row) <= NEARBY] = CLOSE_BY
    for one in own:
        prior[first & (cells.row == one.row)] = AT_THE_SPLIT
    return prior


def _above_one(split: Split) -> float:
    return split.ratio if split.ratio > 1 else 1 / split.ratio


def _repair(series: PriceSeries, run: Run, declared: list[Split], after: dict[str, np.ndarray]) -> Repair | None:
    near = min(
        (one for one in declared if _above_one(one) == run.ratio), key=lambda one: abs(one.row - int(run.rows[-1]))
    )
    date = series.frame["date"][near.row]
    place = "before" if run.rows[-1] < near.row else "around"
    bars = "1 bar stands" if len(run.rows) == 1 else f"{len(run.rows)} bars stand"
    evidence = (
        f"{bars} at {1 / run.factor:.6g} times the level of the bars beside; the split of {near.ratio:g} for 1 on "
        f"{date} explains it: bars {place} it were not adjusted as the others were."
    )
    return repair(
        series, kind="split_not_applied", after=after, factor=run.factor, evidence=evidence, confidence=_sure(run)
    )


def _sure(run: Run) -> float:
    """Return how sure a split of this size is among moves of a few percent."""
    return float(1 - np.exp(-surprise(np.log(np.array([run.ratio])), 0.05)[0] / 2))
