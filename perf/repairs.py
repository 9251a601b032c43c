"""Faults of every kind, put into real series at many places: how many are repaired, and what is repaired that was fine.

`python -m perf.repairs [SEEDS]` prints a table. A fault counts as repaired if every value of the series is within the
tolerance of what it was before; a false repair is a value that was right and is not any more.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from perf.clean_series import clean_series, longer, part
from truetape.domain.price_series import FIELDS, PriceSeries
from truetape.services.quality.repairs import apply, find_repairs, undo

RECORDINGS: Final = Path(__file__).resolve().parents[2] / "shared" / "recordings"
TOLERANCE: Final = 1e-2
QUOTES: Final = ("open", "high", "low", "close", "adj_close")
ROWS: Final = 600
SEEDS: Final = 3
RATIOS: Final = (2.0, 3.0, 4.0, 5.0, 10.0, 1.5, 0.5, 0.1, 0.05, 20.0)


class Unfit(Exception):
    """A series has no place for a fault."""


FEW: Final = {"volume": 25.0}  # shares that rounding to whole ones may cost

Values = dict[str, np.ndarray]


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
    return Fault(series=_with(series, values), truth=_with(series, truth))


def _with(series: PriceSeries, values: Values) -> PriceSeries:
    columns = [pl.Series(name, values[name], nan_to_null=True) for name in FIELDS if name in values]
    return replace(series, frame=series.frame.select("ts", "date").with_columns(columns))


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
    return _with(series, values)


def special(series: PriceSeries, dice: np.random.Generator) -> PriceSeries:
    """Return the series with a dividend of 2 to 60 % of the price that was really paid."""
    values = {name: series.values(name) for name in series.fields}
    pay_more(values, _bar(values, dice), float(np.exp(dice.uniform(np.log(0.02), np.log(0.6)))))
    return _with(series, values)


def tiny(series: PriceSeries, dice: np.random.Generator) -> PriceSeries:
    """Return the series with a dividend of a few thousandths of a percent that was really paid."""
    values = {name: series.values(name) for name in series.fields}
    pay_more(values, _bar(values, dice), float(np.exp(dice.uniform(np.log(3e-5), np.log(5e-4)))))
    return _with(series, values)


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
    return _with(series, values)


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
    return _with(series, values)


def _bar(values: Values, dice: np.random.Generator) -> int:
    """Return a row with a close and no dividend, from the middle part of the series."""
    closes = values["close"]
    fine = np.flatnonzero(np.isfinite(closes) & ~(np.nan_to_num(values.get("dividends", closes * 0)) > 0))
    return int(dice.choice(fine[len(fine) // 8 : -len(fine) // 8]))


CONTROLS: Final = (wilder, special, tiny, collapse, spike)


def wrong_values(found: PriceSeries, truth: PriceSeries) -> int:
    """Return how many values of `found` are not within the tolerance of `truth`."""
    return sum(
        int(
            (
                ~np.isclose(
                    found.values(name), truth.values(name), rtol=TOLERANCE, atol=FEW.get(name, 1e-9), equal_nan=True
                )
            ).sum()
        )
        for name in truth.fields
        if name != "splits"
    )


def corpus() -> Iterator[tuple[str, PriceSeries]]:
    """Yield parts of every clean daily series, and its weekly bars."""
    for name, series in clean_series(RECORDINGS):
        if len(series) < 60 or name.startswith("NVT"):
            continue
        yield name, part(series, len(series) - min(ROWS, len(series)), ROWS)
        if len(series) > 3 * ROWS and "adj_close" in series.fields:
            yield f"{name} old", part(series, len(series) // 2, ROWS)
            yield f"{name} weekly", longer(part(series, len(series) - 3 * ROWS, 3 * ROWS), "1w")


def sweep(seeds: int) -> dict[str, Counter[str]]:
    """Return, for each kind of fault, how many were put in, repaired, missed, and repaired wrongly."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for number, (name, series) in enumerate(corpus()):
        clean = find_repairs(series)
        counts["none"].update(total=1, wrong=bool(clean))
        for control in CONTROLS:
            for seed in range(seeds):
                if "dividends" not in series.fields and control in (special, tiny):
                    continue
                real = control(series, np.random.default_rng(1000 * number + seed))
                found = find_repairs(real)
                counts[f"none, {control.__name__}"].update(total=1, wrong=bool(found))
                if found and SHOWN:
                    print(control.__name__, name, 1000 * number + seed, found[0].kind, found[0].evidence)
        paid = "adj_close" in series.fields and np.nan_to_num(series.values("dividends")).sum() > 0
        for fault in (*PRICE_FAULTS, *(PAYMENT_FAULTS if paid else ())):
            for seed in range(seeds):
                try:
                    outcome = judged(spoilt(series, fault, 1000 * number + seed))
                except Unfit:
                    continue
                counts[fault.__name__].update({"total": 1, outcome: 1})
                if outcome in SHOWN:
                    print(fault.__name__, name, 1000 * number + seed, outcome)
    return counts


SHOWN: set[str] = set()


def judged(fault: Fault) -> str:
    """Return "repaired", "missed" where nothing was done, "partly", or "wrong" where it is worse than before."""
    before = wrong_values(fault.series, fault.truth)
    found = find_repairs(fault.series)
    after = apply(fault.series, found)
    if not undo(after, found).frame.equals(fault.series.frame):
        return "irreversible"
    left = wrong_values(after, fault.truth)
    if left == 0:
        return "repaired"
    if not found:
        return "missed"
    return "wrong" if left >= before else "partly"


def main(arguments: list[str]) -> int:
    """Print the table."""
    SHOWN.update(arguments[1:])
    counts = sweep(int(arguments[0]) if arguments else SEEDS)
    names = ("total", "repaired", "missed", "partly", "wrong", "irreversible")
    table = Table("fault", *names, "share")
    for fault, count in counts.items():
        share = f"{count['repaired'] / count['total']:.1%}" if not fault.startswith("none") else ""
        table.add_row(fault, *[str(count[name]) for name in names], share)
    Console(width=140).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
