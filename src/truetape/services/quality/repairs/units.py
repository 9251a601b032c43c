"""Prices in another unit than their neighbours: pounds among pence, rand among cents."""

from __future__ import annotations

from typing import Final

import numpy as np

from truetape.domain.adjust import PRICES
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
from truetape.services.quality.repairs.noise import FLOOR, surprise
from truetape.services.quality.repairs.record import Repair, repair
from truetape.services.quality.repairs.rescale import Run, rescaled, runs

SUBUNITS: Final = 100.0
THOUSANDTHS: Final = 1000.0
IN_THOUSANDTHS: Final = ("KWD", "KWF", "BHD", "OMR", "JOD", "TND", "IQD", "LYD")

_PRIOR: Final = 9.0  # nats: one change of unit in some ten thousand rows
_LASTING_PRIOR: Final = 13.0  # nats: a switch for good could be a collapse or an unknown split as well
_WEEKS: Final = 10  # bars
_EXACT: Final = 0.25  # how far, in logarithms, a switch for good may be from the factor


def unit_flips(series: PriceSeries) -> list[Repair]:
    """Return a repair for each run of prices that stand in another unit, and for adjusted closes alone."""
    ratio = THOUSANDTHS if series.currency in IN_THOUSANDTHS else SUBUNITS
    cells = cells_of(series)
    lasting = LASTING_LONGER.get(series.timeframe, LASTING)
    found = _found(cells, ratio, lively=_traded(series)[cells.row], lasting=lasting)
    wrong = np.zeros(len(series), dtype=bool)
    wrong[cells.row[found != 0]] = True
    made = [
        _repair(series, run, rescaled(series, run, others=wrong))
        for run in runs(cells, found, count=len(series), ratios=[ratio])
        if not _untraded(series, run)
    ]
    return [one for one in made if one is not None] or _adjusted_alone(series, ratio)


def _untraded(series: PriceSeries, run: Run) -> bool:
    """Return whether `run` is one number repeated for weeks in which nothing was traded: no price to bring anywhere."""
    volume = series.values("volume")[run.rows]
    prices = np.concatenate([series.values(name)[run.rows][run.wrong[:, place]] for place, name in enumerate(PRICES)])
    return len(run.rows) >= _WEEKS and bool((volume == 0).all()) and bool((prices == prices[0]).all())


def _traded(series: PriceSeries) -> np.ndarray:
    """Return true for each bar in which something was traded, or whose prices differ."""
    volume = series.values("volume")
    high, low = series.values("high"), series.values("low")
    return np.asarray(~(volume == 0) | (high > low))


def _found(cells: Cells, ratio: float, *, lively: np.ndarray, lasting: int) -> np.ndarray:
    size = np.log(ratio)
    prior = np.full(len(cells.log), _PRIOR)
    found = offsets(cells, [Candidate(offset=size, prior=prior), Candidate(offset=-size, prior=prior)])
    found = anchored(cells, found, lively=lively if lively.any() else ~lively, lasting=lasting)
    return _without_collapses(cells, found)


def _without_collapses(cells: Cells, found: np.ndarray) -> np.ndarray:
    """Return `found` without an oldest run that may be the true level before a collapse, a rise or a split."""
    changes = np.flatnonzero(np.diff(found) != 0) + 1
    if len(changes) != 1:
        return found
    at = int(changes[0])
    step = cells.log[at] - cells.log[at - 1]
    rest = step - (found[at] - found[at - 1])
    gained = surprise(step, cells.scale[at]) - surprise(rest, cells.scale[at])
    sure = gained > _LASTING_PRIOR and abs(rest) < _EXACT
    return found if sure else np.zeros_like(found)


def _repair(series: PriceSeries, run: Run, after: dict[str, np.ndarray]) -> Repair | None:
    names = [name for place, name in enumerate(PRICES) if run.wrong[:, place].any()]
    size = "a hundredth" if run.ratio == SUBUNITS else "a thousandth"
    what = f"{size} of" if run.low else f"{run.ratio:g} times"
    bars = f"{len(run.rows)} bar{'s' if len(run.rows) > 1 else ''}"
    evidence = f"{', '.join(names)} of {bars} {'are' if len(names) > 1 else 'is'} {what} the prices around."
    return repair(
        series, kind="unit_flip", after=after, factor=run.factor, evidence=evidence.capitalize(), confidence=0.99
    )


def _adjusted_alone(series: PriceSeries, ratio: float) -> list[Repair]:
    """Return a repair of adjusted closes that flip while the closes stand still."""
    with np.errstate(divide="ignore", invalid="ignore"):
        stand = np.log(series.values("adj_close") / series.values("close"))
    row = np.flatnonzero(np.isfinite(stand))
    cells = Cells(row=row, column=np.zeros(len(row), dtype=int), log=stand[row], scale=np.full(len(row), FLOOR * 10))
    lasting = LASTING_LONGER.get(series.timeframe, LASTING)
    found = _found(cells, ratio, lively=_traded(series)[row], lasting=lasting)
    adjusted = series.values("adj_close")
    low, high = row[found < 0], row[found > 0]
    adjusted[low] *= ratio
    adjusted[high] /= ratio
    factor = ratio if len(low) else 1 / ratio
    evidence = f"Adjusted closes of {len(low) + len(high)} bars stand in another unit than their closes."
    one = repair(
        series, kind="unit_flip", after={"adj_close": adjusted}, factor=factor, evidence=evidence, confidence=0.99
    )
    return [] if one is None else [one]
