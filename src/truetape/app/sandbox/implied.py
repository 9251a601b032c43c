"""Actions that a provider's adjusted close implies: what happened between two sessions whose ratio differs.

Let f be adjusted close / raw close. Between neighbouring sessions f changes only at an ex-date: with n new shares for
one old and the cash D per new share, f before / f after = (1 / n) * (1 - D * n / C), where C is the raw close before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

NOISE: Final = 5e-4  # a smaller change of the ratio is rounding; the least dividend seen is twice as large
TOLERANCE: Final = 1e-4  # greatest relative error of a recomputed adjusted close at the ex-date
_SPLIT_BELOW: Final = 0.75  # no dividend takes a quarter of the price: a smaller ratio is a split
_REVERSE_ABOVE: Final = 1.25
_DECIMALS: Final = (2, 3, 4, 5, 6)
ACTIONS: Final = {"ex_date": pl.Date(), "type": pl.String(), "value": pl.Float64()}


@dataclass(frozen=True)
class _Step:
    """A change of the ratio at `day`, and the session before it."""

    day: date
    before: float  # f of the session before
    after: float
    close: float  # raw close of the session before


def implied_actions(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the splits and dividends that explain the adjusted closes of `bars`.

    Splits are multiples of a half. Dividends are rounded to the fewest decimals, from cents on, with which every
    adjusted close before stays within TOLERANCE of the given one. The rounding of one dividend is made good by the
    next earlier one, so errors do not add up; where adjusted closes were rounded themselves, a dividend can therefore
    be a cent or two off what was paid.

    Args:
        bars: `ts_event` (ascending), raw `close` and `adj_close` (float64, any anchor).

    Returns:
        `ex_date` (ascending), `type` (split or dividend), `value` (new shares for one old; cash per share as paid).
    """
    found: list[tuple[date, str, float]] = []
    ratio = bars["adj_close"].to_numpy() / bars["close"].to_numpy()
    reached = float(ratio[-1]) if len(ratio) else 1.0
    for step in _steps(bars, ratio):
        split = _split(step.before / step.after)
        if split != 1.0:
            found.append((step.day, "split", split))
            reached /= split
        cash, reached = _dividend(step, split=split, reached=reached)
        if cash:
            found.append((step.day, "dividend", cash))
    rows = sorted(found, key=lambda row: (row[0], row[1]))
    return pl.DataFrame(rows, schema=ACTIONS, orient="row")


def _steps(bars: pl.DataFrame, ratio: Any) -> list[_Step]:
    """Return the changes, the latest first."""
    change = ratio[:-1] / ratio[1:]
    places = np.flatnonzero(np.abs(change - 1.0) > NOISE)[::-1].tolist()
    days, closes = bars["ts_event"].dt.date(), bars["close"]
    return [_Step(days[at + 1], float(ratio[at]), float(ratio[at + 1]), closes[at]) for at in places]


def _split(change: float) -> float:
    if change < _SPLIT_BELOW:
        return round(2.0 / change) / 2.0
    return 1.0 / round(change) if change > _REVERSE_ABOVE else 1.0


def _dividend(step: _Step, *, split: float, reached: float) -> tuple[float, float]:
    """Return the cash (0.0 if none) and the ratio that it brings us to."""
    if abs(step.before * split / step.after - 1.0) <= NOISE:
        return 0.0, reached
    exact = (1.0 - step.before / reached) * step.close / split
    tried = ((cash, reached * (1.0 - cash * split / step.close)) for cash in (round(exact, n) for n in _DECIMALS))
    fitting = ((cash, ours) for cash, ours in tried if abs(ours / step.before - 1.0) <= TOLERANCE)
    cash, ours = next(fitting, (exact, step.before))
    return max(cash, 0.0), ours
