"""What a check is: a named pure function that says of rows of evidence where they break a rule, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from truetape.domain.kinds import INSTANT, Schema
from truetape.domain.stored_verdicts import FINDING_DETAILS

RECORD_KINDS: Final = ("bars", "quotes", "trades", "actions")
FAMILIES: Final = ("business", "temporal", "statistical", "action", "cross_provider", "user")
SEVERITIES: Final = ("note", "warning", "error")
REPAIRS: Final[dict[str, str]] = {
    "scale_row": "multiply the prices of the row by the number",
    "set_field": "set the column to the number",
    "drop_row": "leave the row out",
    "shift_hours": "move the row by so many hours",
    "shift_days": "move the row by so many days",
    "snap": "round the prices to the increment, which is the number",
    "add_split": "add a split of so many new shares for one old, on the row's date",
    "drop_split": "leave out the split on the row's date",
    "add_dividend": "add a dividend of so much cash per share, on the row's date",
    "drop_dividend": "leave out the dividend on the row's date",
    "scale_dividend": "multiply the dividend on the row's date by the number",
    "rebuild": "build the row anew from a finer timeframe or from other providers",
    "acquire": "ask for the missing rows, of which there are so many",
}
_DIGITS: Final = 7  # of a number that is told

FINDINGS: Final[Schema] = {
    "row": pl.UInt32(),  # of the evidence, as `prepare` numbered it
    "instrument_id": pl.String(),
    "timeframe": pl.String(),  # "" where the record kind has none
    "ts_event": INSTANT,
    "provider": pl.String(),
    "check": pl.String(),
    "severity": pl.String(),  # of SEVERITIES
    "explanation": pl.String(),
    **FINDING_DETAILS,
}


@dataclass(frozen=True)
class Tuning:
    """How one check is set for the rows that it judges."""

    severity: str
    limits: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        """Return the limit `name`."""
        return self.limits[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class Broken:
    """Where a rule is broken, and what is to be said of each such row.

    `where` and `measured` are evaluated over the whole evidence, all checks' together; the other expressions only over
    the rows that `where` marks, and may name the columns that `measured` adds. Null in `where` counts as kept. What is
    dear to evaluate belongs into `confirmed`, so that `where` can be a cheap and generous mark.
    """

    where: pl.Expr | pl.Series  # Boolean, one for each row
    words: pl.Expr  # String: what is wrong, with the values
    confirmed: pl.Expr | None = None  # Boolean, for the marked rows: whether the rule is broken indeed; None: all are
    measured: Mapping[str, pl.Expr | pl.Series] = field(default_factory=dict)  # more columns, by their names
    field: str | pl.Expr | None = None  # the column that is wrong; None: the row as a whole
    value: pl.Expr | None = None  # float64; None: what stands in `field`, where that is a name of a column
    low: pl.Expr | float | None = None  # least value expected, inclusive
    high: pl.Expr | float | None = None
    ts_event: pl.Expr | None = None  # the instant that it is about; None: the row's own
    severity: pl.Expr | None = None  # of SEVERITIES; None: as tuned
    repair: str | pl.Expr | None = None  # a key of REPAIRS
    repair_value: pl.Expr | float | None = None


Judge = Callable[[pl.DataFrame, Tuning], Broken | None]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule of the trade: what it is for, how bad it is to break it, and the pure function that finds where.

    `judge` gets evidence of one record kind as `prepare` made it, ordered by (instrument_id, provider, timeframe,
    ts_event), with the columns that `needs` names beside the record's own. It returns None where it cannot judge, for
    example because the evidence has no column that it is about.
    """

    name: str
    kinds: tuple[str, ...]  # of RECORD_KINDS
    family: str  # of FAMILIES
    severity: str  # of SEVERITIES; unless tuned otherwise
    sentence: str  # what is broken, as a statement
    judge: Judge
    needs: tuple[str, ...] = ()  # prepared columns, keys of evidence.PREPARED
    limits: Mapping[str, float] = field(default_factory=dict)  # its thresholds and their defaults
    timeframes: tuple[str, ...] = ()  # of the bars that it is for; empty: all

    def __post_init__(self) -> None:
        """Check the declaration.

        Raises:
            ValueError: A kind, the family or the severity is none of those known.
        """
        if not set(self.kinds) <= {*RECORD_KINDS} or not self.kinds:
            raise ValueError(f"The check {self.name} is for {self.kinds}; record kinds are {', '.join(RECORD_KINDS)}.")
        if self.family not in FAMILIES:
            raise ValueError(f"The check {self.name} has family {self.family!r}; known are {', '.join(FAMILIES)}.")
        if self.severity not in SEVERITIES:
            raise ValueError(f"The check {self.name} is {self.severity!r}; severities are {', '.join(SEVERITIES)}.")

    def tuned(self, **limits: float) -> Tuning:
        """Return the check's own setting, with some limits replaced."""
        return Tuning(severity=self.severity, limits={**self.limits, **limits})


def shown(value: str | pl.Expr) -> pl.Expr:
    """Return a number as it is told in words: without the last digits, which are artefacts of 32-bit floats."""
    return (pl.col(value) if isinstance(value, str) else value).round_sig_figs(_DIGITS)


def at_rows(frame: pl.DataFrame, rows: pl.Series, values: pl.Series) -> pl.Series:
    """Return a float64 column of `frame` that has `values` at the row numbers `rows`, and null elsewhere."""
    column = np.full(len(frame), np.nan)
    column[np.searchsorted(frame["row"].to_numpy(), rows.to_numpy())] = values.cast(pl.Float64).to_numpy()
    return pl.Series(column, nan_to_null=True)
