"""What to expect of a rate of faults: its usual height, its trend, and the days to come.

Faults of a day are counts out of the rows that were judged. The level is their exponentially weighted rate (the newest
day weighs LATEST, each older one 1 - LATEST of the one after it). The trend is the median of the slopes between all
pairs of days (Theil 1950, Sen 1968), with Sen's interval of 95 % from the variance of Kendall's statistic, so that
single wild days do not make one. The spread is binomial, widened by Pearson's dispersion where days differ more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

LATEST: Final = 0.2
FEWEST_DAYS: Final = 10  # with fewer there is no trend and nothing usual
MOST_DAYS: Final = 366
FARTHEST_DAYS: Final = 365  # later crossings are not told
UNUSUAL: Final = 1e-3  # chance of as many faults on a usual day, below which a day is unusual
_Z: Final = 1.959964  # of the normal distribution, 95 % two-sided


@dataclass(frozen=True)
class Expected:
    """The rate that is expected on a day to come, and the bounds between which it lies 95 times of 100."""

    days: int  # after the last day
    low: float
    rate: float
    high: float


@dataclass(frozen=True)
class Outlook:
    """Where a rate of faults stands, and where it goes. Rates are shares of the rows judged, in [0, 1]."""

    today: float | None  # rate of the last day; None: nothing was judged on it
    usual: float | None  # median rate of the days before; None: too few
    unusual: bool  # the last day has more faults than chance explains: once in 1000 days of a steady rate
    level: float
    trend: str  # worse, better, steady or unknown
    slope: float  # change of the rate a day
    expected: tuple[Expected, ...]
    crosses_in: int | None  # days until the rate is above the objective if the trend goes on; 0: it is; None: never


def outlook(faults: Sequence[int], judged: Sequence[int], *, objective: float, horizon: int = 7) -> Outlook:
    """Return the outlook of a rate.

    On days that only differ by chance the trend is called worse in at most 1 of 40 series, and the last day unusual
    in about 1 of 1000.

    Args:
        faults: Of each day, the last one last; days without rows count in time.
        judged: Rows of each day; a day has at most as many faults.
        objective: The rate that is not to be exceeded.
        horizon: Days to look ahead.
    """
    at, y, n = _days_with_rows(faults, judged)
    if not len(at):
        return Outlook(None, None, unusual=False, level=0.0, trend="unknown", slope=0.0, expected=(), crosses_in=None)
    last = len(faults[-MOST_DAYS:]) - 1
    weight = (1 - LATEST) ** (last - at)
    level = float((weight * y).sum() / (weight * n).sum())
    today = float(y[-1] / n[-1]) if at[-1] == last else None
    slope, least, most = _slope(at, y / n)
    trend = _trend(least, most) if len(at) >= FEWEST_DAYS else "unknown"
    line = float(np.median(y / n - slope * at)) + slope * last if trend in {"worse", "better"} else level
    steep = (slope, least, most) if trend in {"worse", "better"} else (0.0, 0.0, 0.0)
    noise = _noise(y, n, weight)
    days = range(1, horizon + 1)
    return Outlook(
        today=today,
        usual=float(np.median((y / n)[:-1])) if len(at) >= FEWEST_DAYS else None,
        unusual=today is not None and len(at) >= FEWEST_DAYS and _is_unusual(y, n),
        level=level,
        trend=trend,
        slope=steep[0],
        expected=tuple(_expected(day, line, steep, noise, reach=day + last - float(at.mean())) for day in days),
        crosses_in=_crossing(line, steep[0], objective),
    )


def _days_with_rows(faults: Sequence[int], judged: Sequence[int]) -> tuple[Any, Any, Any]:
    y, n = np.array(faults[-MOST_DAYS:], dtype=float), np.array(judged[-MOST_DAYS:], dtype=float)
    at = np.flatnonzero(n > 0)
    return at, np.minimum(y[at], n[at]), n[at]


def _slope(at: Any, rates: Any) -> tuple[float, float, float]:
    """Return the median of all slopes between two days, and Sen's bounds of it."""
    count = len(at)
    if count < 2:  # noqa: PLR2004  one point has no slope
        return 0.0, 0.0, 0.0
    one, other = np.triu_indices(count, k=1)
    slopes = np.sort((rates[other] - rates[one]) / (at[other] - at[one]))
    reach = _Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    lower = max(math.floor((len(slopes) - reach) / 2) - 1, 0)
    upper = min(math.ceil((len(slopes) + reach) / 2), len(slopes) - 1)
    return float(np.median(slopes)), float(slopes[lower]), float(slopes[upper])


def _trend(least: float, most: float) -> str:
    return "worse" if least > 0 else "better" if most < 0 else "steady"


def _dispersion(y: Any, n: Any, rate: float) -> float:
    """Return by how much more the days vary than chance explains: Pearson's statistic over its degrees of freedom."""
    expected = n * rate
    return max(1.0, float((((y - expected) ** 2) / (expected * (1 - rate))).sum() / max(len(y) - 1, 1)))


def _rate(y: Any, n: Any) -> float:
    """Return the pooled rate, never quite 0 or 1: half a fault and half a good row are added."""
    return float((y.sum() + 0.5) / (n.sum() + 1.0))


def _noise(y: Any, n: Any, weight: Any) -> float:
    """Return the standard deviation of the next day's rate about the level, both being uncertain."""
    rate = _rate(y, n)
    effective = float((weight * n).sum() ** 2 / (weight**2 * n).sum())
    return math.sqrt(_dispersion(y, n, rate) * rate * (1 - rate) * (1 / float(np.median(n)) + 1 / effective))


def _expected(day: int, line: float, steep: tuple[float, float, float], noise: float, *, reach: float) -> Expected:
    slope, least, most = steep
    rate = line + slope * day
    low = rate - _Z * noise - (slope - least) * reach
    high = rate + _Z * noise + (most - slope) * reach
    return Expected(day, *(min(max(one, 0.0), 1.0) for one in (low, rate, high)))


def _crossing(line: float, slope: float, objective: float) -> int | None:
    if line > objective:
        return 0
    if slope <= 0:
        return None
    days = math.floor((objective - line) / slope) + 1
    return days if days <= FARTHEST_DAYS else None


def _is_unusual(y: Any, n: Any) -> bool:
    """Return whether the last day has more faults than the days before let expect."""
    rate = _rate(y[:-1], n[:-1])
    dispersion = _dispersion(y[:-1], n[:-1], rate)
    return _tail(math.ceil(y[-1] / dispersion), float(n[-1]) * rate / dispersion) < UNUSUAL


def _tail(least: int, mean: float) -> float:
    """Return the chance that a Poisson number of that mean is at least `least`."""
    if least <= 0:
        return 1.0
    logs = [index * math.log(mean) - mean - math.lgamma(index + 1) for index in range(least)]
    return max(0.0, 1.0 - math.fsum(math.exp(one) for one in logs))
