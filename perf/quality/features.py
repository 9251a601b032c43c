"""What the statistical peers see of each bar: the same numbers for all of them, in robust units of its own series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from perf.quality.corpus import Case
from perf.quality.faults import Tape
from perf.quality.score import FLAGS

_NORMAL: Final = 1.4826
_LEAST: Final = 1e-4  # of a feature's spread


def features(cases: Sequence[Case]) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the label of each bar (FLAGS), and its features (rows, features) as robust z-scores of its series.

    The first feature is the log return, splits and dividends taken out. Then: the gap to the open, how far high and low
    stick out, the range, the change of volume, the days since the bar before, and, where there are three providers, how
    far close, high, low and volume lie from the median of the day, and whether the others have the bar at all.
    """
    labels, values = [], []
    for case in cases:
        others = list(case.told.values())
        for name, tape in case.told.items():
            order = np.argsort(tape.ts, kind="stable")
            raw = _of_series(tape, order)
            if len(others) > 1:
                raw += _beside(tape, others, order)
            values.append(np.stack([_robust(one) for one in raw], axis=1))
            stamps = pl.Series(tape.ts[order]).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
            labels.append(
                pl.DataFrame({"ts_event": stamps}).select(
                    pl.lit(case.name).alias("instrument_id"), pl.lit(name).alias("provider"), "ts_event"
                )
            )
    return pl.concat([pl.DataFrame(schema=FLAGS), *labels]), np.concatenate(values)


def _of_series(tape: Tape, order: np.ndarray) -> list[np.ndarray]:
    open_, high, low, close = np.log(tape.prices[:, order])
    ts = tape.ts[order]
    shares, cash = np.ones(len(ts)), np.zeros(len(ts))
    for ex_date, ratio in tape.splits:
        shares[np.searchsorted(ts, ex_date) : np.searchsorted(ts, ex_date) + 1] *= ratio
    for ex_date, value in tape.dividends:
        cash[np.searchsorted(ts, ex_date) : np.searchsorted(ts, ex_date) + 1] += value
    back = np.roll(close, 1)
    paid = np.log1p(cash / np.exp(close)) + np.log(shares)
    move, gap = close - back + paid, open_ - back + paid
    traded = np.log1p(tape.volume[order]) - np.log(shares)
    change = traded - np.roll(traded, 1)
    days = np.diff(ts, prepend=ts[0]) / 86_400e9
    for one in (move, gap, change):
        one[0] = 0.0
    return [
        move,
        gap,
        high - np.maximum(open_, close),
        np.minimum(open_, close) - low,
        high - low,
        change,
        days,
    ]


def _beside(tape: Tape, others: list[Tape], order: np.ndarray) -> list[np.ndarray]:
    """Return how far a tape's values lie from the median of all tapes at the same instant, and how many have it."""
    ts = tape.ts[order]
    table = np.full((len(others), 4, len(ts)), np.nan)
    for number, other in enumerate(others):
        place = np.searchsorted(other.ts, ts)
        found = other.ts[np.minimum(place, len(other.ts) - 1)] == ts
        rows = np.minimum(place, len(other.ts) - 1)
        told = np.log(np.stack([*other.prices[[3, 1, 2]], np.maximum(other.volume, 0.5)]))[:, rows]
        table[number] = np.where(found, told, np.nan)
    own = np.log(np.stack([*tape.prices[[3, 1, 2]], np.maximum(tape.volume, 0.5)]))[:, order]
    apart = own - np.nanmedian(table, axis=0)
    many = np.isfinite(table[:, 0]).sum(axis=0).astype(float)
    return [*apart, many]


def _robust(values: np.ndarray) -> np.ndarray:
    """Return (values - median) / robust sigma; where most values are equal, / the mean distance from the median."""
    apart = values - np.median(values)
    spread = max(float(np.median(np.abs(apart))) * _NORMAL, float(np.mean(np.abs(apart))) * 0.1, _LEAST)
    return np.asarray(np.clip(np.nan_to_num(apart / spread), -1e3, 1e3))
