"""Faults of every kind that price series suffer, to be put into a real one at a place that dice choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from truetape.domain.price_series import FIELDS, PriceSeries

QUOTES: Final = ("open", "high", "low", "close", "adj_close")
RATIOS: Final = (2.0, 3.0, 4.0, 5.0, 10.0, 1.5, 0.5, 0.1, 0.05, 20.0)

Values = dict[str, np.ndarray]


class Unfit(Exception):
    """A series has no place for a fault."""


@dataclass(frozen=True, eq=False)
class Fault:
    """A series that was spoilt, what it should be, and the columns that differ."""

    series: PriceSeries
    truth: PriceSeries


@dataclass(frozen=True, eq=False)
class Place:
    """Where a fault may be put: a real series as arrays, and dice."""

    series: PriceSeries
    values: Values
    truth: Values
    dice: np.random.Generator

    def row(self, low: float = 0.1, high: float = 0.9) -> int:
        """Return a row in the middle part of the series."""
        return int(self.dice.integers(int(len(self.series) * low), max(int(len(self.series) * high), 1)))

    def payments(self) -> np.ndarray:
        """Return the rows with dividends that have a bar before them."""
        rows = np.flatnonzero(np.nan_to_num(self.values.get("dividends", np.zeros(1))) > 0)
        return rows[rows > 0]

    def scale(self, rows: slice | np.ndarray, factor: float, names: tuple[str, ...] = QUOTES) -> None:
        """Multiply prices of `rows`."""
        for name in names:
            if name in self.values:
                self.values[name][rows] *= factor

    def volume(self, rows: slice, factor: float) -> None:
        """Multiply volumes of `rows`, in whole numbers."""
        if "volume" in self.values:
            self.values["volume"][rows] = np.round(self.values["volume"][rows] * factor)

    def step(self, row: int, factor: float) -> None:
        """Multiply the adjusted closes before `row`."""
        self.values["adj_close"][:row] *= factor

    def known(self, row: int) -> float:
        """Return the part of the price that the adjusted close was adjusted for at `row`."""
        stand = self.values["adj_close"] / self.values["close"]
        before = np.flatnonzero(np.isfinite(stand[:row]))
        return float(1 - stand[before[-1]] / stand[row])

    def worth(self, row: int) -> float:
        """Return the last close before `row`."""
        closes = self.values["close"][:row]
        return float(closes[np.isfinite(closes)][-1])


def unit_block(place: Place) -> None:
    """A few bars in another unit."""
    start = place.row(0.1, 0.7)
    place.scale(
        slice(start, start + int(place.dice.integers(1, min(60, len(place.series) // 5)))),
        float(place.dice.choice([0.01, 100.0])),
    )


def unit_cell(place: Place) -> None:
    """One price in another unit."""
    name = str(place.dice.choice([name for name in QUOTES[:4] if name in place.values]))
    row = place.row()
    place.scale(slice(row, row + 1), float(place.dice.choice([0.01, 100.0])), (name,))


def unit_switch(place: Place) -> None:
    """All bars before a date in another unit."""
    place.scale(slice(0, place.row()), float(place.dice.choice([0.01, 100.0])))


def _split(place: Place) -> tuple[int, float]:
    """Declare a split that the prices are adjusted for, as they should be; return its row and ratio."""
    ratio, row = float(place.dice.choice(RATIOS)), place.row(0.15, 0.85)
    place.values["splits"][row] = ratio
    return row, ratio


def split_missing(place: Place) -> None:
    """The bars before a split are as traded."""
    row, ratio = _split(place)
    place.scale(slice(0, row), ratio)
    place.volume(slice(0, row), 1 / ratio)


def split_doubled(place: Place) -> None:
    """The bars before a split were adjusted twice."""
    row, ratio = _split(place)
    place.scale(slice(0, row), 1 / ratio)
    place.volume(slice(0, row), ratio)


def split_misplaced(place: Place) -> None:
    """The adjustment ends some days before or after the split."""
    row, ratio = _split(place)
    days = int(place.dice.integers(1, 15))
    before = bool(place.dice.integers(2))
    rows = slice(row - days, row) if before else slice(row, row + days)
    place.scale(rows, ratio if before else 1 / ratio)
    place.volume(rows, 1 / ratio if before else ratio)


def split_bar(place: Place) -> None:
    """One bar near a split is adjusted by mistake."""
    row, ratio = _split(place)
    at = row + int(place.dice.integers(-10, 10))
    turn = ratio if place.dice.integers(2) else 1 / ratio
    place.scale(slice(at, at + 1), turn)
    place.volume(slice(at, at + 1), 1 / turn)


def _payment(place: Place) -> int:
    return int(place.dice.choice(place.payments()))


def _amount(place: Place, row: int, factor: float, *, known: bool) -> None:
    """Make a dividend another; where it is `known`, the adjusted close was made from it."""
    part_before = place.known(row)
    place.values["dividends"][row] *= factor
    if known:
        place.step(row, (1 - part_before * factor) / (1 - part_before))


def dividend_100_listed(place: Place) -> None:
    """A dividend a hundred times too large that the adjusted close does not repeat."""
    _amount(place, _payment(place), 100.0, known=False)


def dividend_100(place: Place) -> None:
    """A dividend a hundred times too large, and the adjusted close made from it."""
    rows = place.payments()
    fit = [row for row in rows if place.known(int(row)) * 100 < 0.9]
    if not fit:
        raise Unfit
    _amount(place, int(place.dice.choice(fit)), 100.0, known=True)


def dividend_001_listed(place: Place) -> None:
    """A dividend a hundred times too small that the adjusted close does not repeat."""
    _amount(place, _payment(place), 0.01, known=False)


def dividend_001(place: Place) -> None:
    """A dividend a hundred times too small, and the adjusted close made from it."""
    _amount(place, _payment(place), 0.01, known=True)


def dividend_doubled(place: Place) -> None:
    """A dividend of twice its size that the adjusted close does not repeat."""
    _amount(place, _payment(place), 2.0, known=False)


def adjustment_100(place: Place) -> None:
    """The adjusted close was adjusted for a hundred times a dividend."""
    fit = [row for row in place.payments() if place.known(int(row)) * 100 < 0.9]
    if not fit:
        raise Unfit
    row = int(place.dice.choice(fit))
    known = place.known(row)
    place.step(row, (1 - known * 100) / (1 - known))


def dividend_missing(place: Place) -> None:
    """A dividend that only the adjusted close knows of."""
    place.values["dividends"][_payment(place)] = 0.0


def _copied(place: Place) -> tuple[int, int]:
    """Return the row of a dividend, and one nearby to copy it to."""
    row = _payment(place)
    at = row + int(place.dice.choice([-3, -2, -1, 1, 2, 3]))
    if not 0 < at < len(place.series) or not np.isfinite(place.values["close"][at]) or place.values["dividends"][at]:
        raise Unfit
    return row, at


def dividend_phantom(place: Place) -> None:
    """A dividend again a few days before or after itself."""
    row, at = _copied(place)
    place.values["dividends"][at] = place.values["dividends"][row]


def dividend_phantom_known(place: Place) -> None:
    """A dividend again a few days off, and the adjusted close made from both."""
    row, at = _copied(place)
    amount = place.values["dividends"][row]
    place.values["dividends"][at] = amount
    place.step(at, 1 - amount / place.worth(at))


def dividend_unsplit(place: Place) -> None:
    """The dividends before a split are per old share."""
    row, ratio = _split(place)
    place.values["dividends"][:row] *= ratio


def adjustment_missing(place: Place) -> None:
    """The adjusted close does not know of a dividend."""
    row = _payment(place)
    place.step(row, 1 / (1 - place.known(row)))


def adjustment_001(place: Place) -> None:
    """The adjusted close knows of a hundredth of each dividend."""
    for row in place.payments():
        known = place.known(int(row))
        place.step(int(row), (1 - known / 100) / (1 - known))


def adjustment_twice(place: Place) -> None:
    """The adjusted close was adjusted for a dividend twice."""
    row = _payment(place)
    known = place.known(row)
    place.step(row, (1 - 2 * known) / (1 - known))


def adjustment_half(place: Place) -> None:
    """The adjusted close was adjusted for half of a dividend."""
    row = _payment(place)
    known = place.known(row)
    place.step(row, (1 - known / 2) / (1 - known))


def gain_twice(place: Place) -> None:
    """Some dividends come with large capital gains, which the adjusted close counts again."""
    place.values["capital_gains"] = np.zeros(len(place.series))
    if len(place.payments()) < 2:
        raise Unfit
    for row in place.dice.choice(place.payments(), 2, replace=False):
        pay_more(place.values, int(row), float(place.dice.uniform(0.03, 0.3)))
        gain = place.values["dividends"][row] * place.dice.uniform(0.85, 0.99)
        place.values["capital_gains"][row] = gain
    for name, values in place.values.items():
        place.truth[name] = values.copy()
    for row in np.flatnonzero(place.values["capital_gains"]):
        known = place.known(int(row))
        gain = place.values["capital_gains"][row] / place.worth(int(row))
        place.step(int(row), (1 - known - gain) / (1 - known))


def pay_more(values: Values, row: int, share: float) -> None:
    """Let a payment at `row` be larger by `share` of the price before, which is as much higher; nothing is wrong."""
    for name in ("open", "high", "low", "close"):
        if name in values:
            values[name][:row] /= 1 - share
    values["dividends"][:row] /= 1 - share
    closes = values["close"][:row]
    values["dividends"][row] += share * float(closes[np.isfinite(closes)][-1])


PRICE_FAULTS: Final = (unit_block, unit_cell, unit_switch, split_missing, split_doubled, split_misplaced, split_bar)
PAYMENT_FAULTS: Final = (
    dividend_100_listed,
    dividend_100,
    dividend_001_listed,
    dividend_001,
    dividend_doubled,
    dividend_missing,
    dividend_phantom,
    dividend_phantom_known,
    dividend_unsplit,
    adjustment_missing,
    adjustment_001,
    adjustment_100,
    adjustment_twice,
    adjustment_half,
    gain_twice,
)


def spoilt(series: PriceSeries, fault: Callable[[Place], None], seed: int) -> Fault:
    """Return `series` with `fault` in it, at a place and of a size that `seed` chooses."""
    values = {name: series.values(name) for name in series.fields}
    values.setdefault("splits", np.zeros(len(series)))
    truth = {name: array.copy() for name, array in values.items()}
    place = Place(series=series, values=values, truth=truth, dice=np.random.default_rng(seed))
    fault(place)
    truth["splits"] = values["splits"]
    return Fault(series=with_values(series, values), truth=with_values(series, truth))


def with_values(series: PriceSeries, values: Values) -> PriceSeries:
    """Return `series` with these columns instead of its own."""
    columns = [pl.Series(name, values[name], nan_to_null=True) for name in FIELDS if name in values]
    return replace(series, frame=series.frame.select("ts", "date").with_columns(columns))
