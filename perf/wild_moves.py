"""Moves that look like faults and are none: what a repair must leave alone."""

from __future__ import annotations

from typing import Final

import numpy as np

from perf.price_faults import QUOTES, RATIOS, Values, pay_more, with_values
from truetape.domain.price_series import PriceSeries


def wilder(series: PriceSeries, dice: np.random.Generator) -> PriceSeries:
    """Return the series with moves four times as large, in pennies."""
    values = {name: series.values(name) for name in series.fields}
    closes = values["close"]
    turn = (closes / np.nanmedian(closes)) ** 3 / 50
    for price in [one for one in ("open", "high", "low", "close") if one in values]:
        values[price] = np.maximum(np.round(values[price] * turn, 3), 0.001)
    for name in ("adj_close", "dividends", "capital_gains"):
        values.pop(name, None)
    del dice
    return with_values(series, values)


def special(series: PriceSeries, dice: np.random.Generator) -> PriceSeries:
    """Return the series with a dividend of 2 to 60 % of the price that was really paid."""
    values = {name: series.values(name) for name in series.fields}
    pay_more(values, _bar(values, dice), float(np.exp(dice.uniform(np.log(0.02), np.log(0.6)))))
    return with_values(series, values)


def tiny(series: PriceSeries, dice: np.random.Generator) -> PriceSeries:
    """Return the series with a dividend of a few thousandths of a percent that was really paid."""
    values = {name: series.values(name) for name in series.fields}
    pay_more(values, _bar(values, dice), float(np.exp(dice.uniform(np.log(3e-5), np.log(5e-4)))))
    return with_values(series, values)


def collapse(series: PriceSeries, dice: np.random.Generator) -> PriceSeries:
    """Return the series with a fall, or a rise, by a large part of the price in one night, for good."""
    values = {name: series.values(name) for name in series.fields}
    row = _bar(values, dice)
    turn = float(np.exp(dice.choice([-1, 1]) * dice.uniform(0.5, 3.5)))
    for name in QUOTES:
        if name in values:
            values[name][row:] *= turn
    if "dividends" in values:
        values["dividends"][row:] *= turn
    return with_values(series, values)


def spike(series: PriceSeries, dice: np.random.Generator) -> PriceSeries:
    """Return the series with a real rise of 40 to 150 % for some days, near a split that was done right."""
    values = {name: series.values(name) for name in series.fields}
    row = _bar(values, dice)
    days, rise = int(dice.integers(1, 9)), float(dice.uniform(1.4, 2.5))
    if np.nan_to_num(values.get("dividends", np.zeros(len(series)))[row : row + days + 1]).any():
        return series
    for quote in [one for one in QUOTES if one in values]:
        values[quote][row : row + days] *= rise
    values["splits"] = np.zeros(len(series))
    values["splits"][row + int(dice.integers(-8, 9))] = float(dice.choice(RATIOS))
    return with_values(series, values)


def _bar(values: Values, dice: np.random.Generator) -> int:
    """Return a row with a close and no dividend, from the middle part of the series."""
    closes = values["close"]
    fine = np.flatnonzero(np.isfinite(closes) & ~(np.nan_to_num(values.get("dividends", closes * 0)) > 0))
    return int(dice.choice(fine[len(fine) // 8 : -len(fine) // 8]))


CONTROLS: Final = (wilder, special, tiny, collapse, spike)
