"""A made price series that behaves as real ones do, and says truly what was paid and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.price_series import FIELDS, PriceSeries

FIRST = date(2020, 1, 1)


def walk(
    rows: int = 200,
    *,
    seed: int = 0,
    move: float = 0.01,
    start: float = 100.0,
    paid: Mapping[int, float] | None = None,
    split: Mapping[int, float] | None = None,
) -> PriceSeries:
    """Return daily bars whose closes move by `move` a day, and fall by what is paid on the rows of `paid`.

    Prices are adjusted for the splits; the adjusted close before an ex-date is less by dividend / close before.
    """
    dice = np.random.default_rng(seed)
    paid, split = paid or {}, split or {}
    opens, closes, last = np.empty(rows), np.empty(rows), start
    for row in range(rows):
        opens[row] = (last - paid.get(row, 0.0)) * np.exp(dice.normal(0, move / 2))
        closes[row] = last = opens[row] * np.exp(dice.normal(0, move))
    factors = np.ones(rows)
    for row, amount in paid.items():
        factors[:row] *= 1 - amount / closes[row - 1]
    stretch = np.exp(np.abs(dice.normal(0, move / 4, (2, rows))))
    return of(
        open=opens,
        high=np.maximum(opens, closes) * stretch[0],
        low=np.minimum(opens, closes) / stretch[1],
        close=closes,
        adj_close=closes * factors,
        volume=np.round(np.exp(dice.normal(10, 0.3, rows))),
        dividends=np.array([paid.get(row, 0.0) for row in range(rows)]),
        splits=np.array([split.get(row, 0.0) for row in range(rows)]),
    )


def of(**columns: np.ndarray | Sequence[float | None]) -> PriceSeries:
    """Return daily bars with these columns, from FIRST on."""
    count = len(next(iter(columns.values())))
    days = pl.Series("date", [FIRST + timedelta(days=row) for row in range(count)], dtype=pl.Date)
    fields = [pl.Series(name, columns[name], dtype=pl.Float64).fill_nan(None) for name in FIELDS if name in columns]
    frame = pl.DataFrame([days.cast(pl.Datetime("ns")).cast(INSTANT).alias("ts"), days, *fields])
    return PriceSeries(frame=frame, timeframe="1d")


def spoilt(series: PriceSeries, *names: str, rows: slice | list[int], by: float) -> PriceSeries:
    """Return `series` with the cells of these columns and rows multiplied."""
    frame = series.frame
    for name in names:
        values = series.values(name)
        values[rows] *= by
        frame = frame.with_columns(pl.Series(name, values).fill_nan(None))
    return replace(series, frame=frame)


def told(series: PriceSeries, name: str, values: Mapping[int, float | None]) -> PriceSeries:
    """Return `series` with other values in a column, null for None."""
    cells = series.values(name)
    for row, value in values.items():
        cells[row] = np.nan if value is None else value
    return replace(series, frame=series.frame.with_columns(pl.Series(name, cells).fill_nan(None)))
