"""How numbers and dates are written on a vendor's wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl


def column(values: pl.Series) -> list[float | int | None]:
    """Return `values` with whole numbers as integers, as most vendors write volumes and round prices."""
    whole = values.cast(pl.Int64, strict=False)
    mixed = zip(values.to_list(), whole.to_list(), strict=True)
    return [integer if integer == value else value for value, integer in mixed]


def text(value: float, *, places: int) -> str:
    """Return `value` in plain decimals: at least `places` of them, and as many as it takes to read it back."""
    short = f"{value:.{places}f}"
    return short if float(short) == value else format(Decimal(repr(value)), "f")


def ratio(value: float) -> tuple[float, float]:
    """Return the numerator and denominator of a split of `value` new shares for one old."""
    fraction = Fraction(value).limit_denominator(1000)
    if fraction.numerator / fraction.denominator == value:
        return fraction.numerator, fraction.denominator
    return value, 1


def days(frame: pl.DataFrame) -> list[date]:
    """Return the session date of each bar of `frame`."""
    return frame["ts_event"].dt.date().to_list()


def first(values: pl.Series) -> str | None:
    """Return the first of `values` that is not null."""
    known = values.drop_nulls()
    return known[0] if len(known) else None
