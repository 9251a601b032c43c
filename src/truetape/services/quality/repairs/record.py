"""A correction of a series that says what it changed, why, and how to take it back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np
import polars as pl

from truetape.domain.price_series import FIELDS, PriceSeries

KINDS: Final = {
    "unit_flip": "prices in another unit than their neighbours, such as pounds among pence",
    "split_not_applied": "rows that a declared split was not applied to, or was applied to twice",
    "dividend_unit": "a dividend a hundred times too large or too small",
    "dividend_phantom": "a dividend that was not paid",
    "dividend_missing": "a dividend that the adjusted close knows, but the dividends do not",
    "dividend_doubled": "a dividend of twice its size",
    "dividend_split": "a dividend that a split was not applied to",
    "adjustment_missing": "an adjusted close that does not know of a dividend",
    "adjustment_size": "an adjusted close that was adjusted too much or too little",
    "gain_counted_twice": "an adjusted close that counts a capital gain within the dividend and again beside it",
    "bar_rebuilt": "a bar that contradicts its neighbours, taken from a better source",
}

_ID_DIGITS: Final = 16


@dataclass(frozen=True)
class Change:
    """The cells of one column that a repair changes: `rows` ascend, null is None."""

    column: str
    rows: tuple[int, ...]
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One correction, complete.

    `first` and `last` are the instants of the first and last row it touches, UTC nanoseconds. `factor` is what the
    cells were multiplied with, None where they were replaced. `confidence` is the probability in [0, 1] of the fault
    against its best alternative, in the model that found it. `id` is a hash of the content: the same correction of the
    same cells has the same one.
    """

    id: str
    kind: str  # a key of KINDS
    first: int
    last: int
    changes: tuple[Change, ...]
    factor: float | None
    evidence: str
    confidence: float

    @property
    def rows(self) -> tuple[int, ...]:
        """Indices of all rows that the repair touches, ascending."""
        return tuple(sorted({row for change in self.changes for row in change.rows}))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the repair touches, in the order of FIELDS."""
        touched = {change.column for change in self.changes}
        return tuple(name for name in FIELDS if name in touched)


class NotThisSeries(ValueError):
    """A repair met cells that do not hold what it expects."""

    def __init__(self, *, repair: str, column: str, row: int, expected: float | None, found: float | None) -> None:
        super().__init__(f"Repair {repair} expects {column} of row {row} to be {expected!r}; it was {found!r}.")
        self.repair = repair
        self.column = column
        self.row = row


def repair(
    series: PriceSeries,
    *,
    kind: str,
    after: Mapping[str, np.ndarray],
    factor: float | None,
    evidence: str,
    confidence: float,
) -> Repair | None:
    """Return the repair that makes the columns of `series` those of `after`, or None if that changes nothing.

    Args:
        series: What is there.
        kind: A key of KINDS.
        after: Whole columns as float64; NaN is null.
        factor: What cells were multiplied with, or None.
        evidence: Why, in a sentence.
        confidence: In [0, 1].
    """
    changes = tuple(change for name, values in after.items() if (change := _change(series, name, values)) is not None)
    if not changes:
        return None
    stamps = series.frame["ts"].cast(pl.Int64)
    rows = sorted({row for change in changes for row in change.rows})
    made = Repair(
        id="",
        kind=kind,
        first=stamps[rows[0]],
        last=stamps[rows[-1]],
        changes=changes,
        factor=factor,
        evidence=evidence,
        confidence=round(min(max(confidence, 0.0), 1.0), 4),
    )
    told = [kind, [[c.column, [stamps[row] for row in c.rows], c.before, c.after] for c in changes]]
    return replace(made, id=hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:_ID_DIGITS])


def apply(series: PriceSeries, repairs: Iterable[Repair]) -> PriceSeries:
    """Return `series` with `repairs` made, in their order.

    Raises:
        NotThisSeries: A cell does not hold what a repair found there.
    """
    for one in repairs:
        series = _turned(series, one, forth=[(c, c.before, c.after) for c in one.changes])
    return series


def undo(series: PriceSeries, repairs: Sequence[Repair]) -> PriceSeries:
    """Return `series` with `repairs`, which were applied in their order, taken back: to the last bit what it was.

    Raises:
        NotThisSeries: A cell does not hold what a repair left there.
    """
    for one in reversed(repairs):
        series = _turned(series, one, forth=[(c, c.after, c.before) for c in reversed(one.changes)])
    return series


def _turned(
    series: PriceSeries,
    one: Repair,
    *,
    forth: list[tuple[Change, tuple[float | None, ...], tuple[float | None, ...]]],
) -> PriceSeries:
    frame = series.frame
    for change, old, new in forth:
        column, rows = frame[change.column], list(change.rows)
        found = column.gather(rows).to_list()
        for row, held, wanted in zip(rows, found, old, strict=True):
            if held != wanted:
                raise NotThisSeries(repair=one.id, column=change.column, row=row, expected=wanted, found=held)
        frame = frame.with_columns(column.clone().scatter(rows, pl.Series(list(new), dtype=pl.Float64())))
    return replace(series, frame=frame)


def _change(series: PriceSeries, name: str, after: np.ndarray) -> Change | None:
    before = series.values(name)
    differs = ~((before == after) | (np.isnan(before) & np.isnan(after)))
    rows = np.flatnonzero(differs)
    if not len(rows):
        return None
    return Change(column=name, rows=tuple(rows.tolist()), before=_cells(before[rows]), after=_cells(after[rows]))


def _cells(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)
