"""Rows with what stands beside them in their series, for checks that look closely at few of many rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl


def beside(frame: pl.DataFrame, condition: pl.Expr, names: Iterable[str]) -> pl.DataFrame | None:
    """Return the rows of `frame` where `condition` holds, with `at`, their place in it, counted from 0; None for none.

    Each of `names` is there also as "NAME before" and "NAME after": of the rows beside, null at the ends of a series.
    """
    rows = frame.select(condition.fill_null(value=False).alias("met"))["met"].arg_true()
    if rows.is_empty():
        return None
    here, series = rows.to_numpy().astype(np.int64), frame["series"].to_numpy()
    found = frame[rows].with_columns(rows.alias("at"))
    for side, way in (("before", -1), ("after", 1)):
        there = np.clip(here + way, 0, max(len(frame) - 1, 0))
        known = pl.Series((there != here) & (series[there] == series[here]))
        place = pl.select(pl.when(known).then(pl.lit(pl.Series(there)))).to_series().cast(pl.UInt32)
        found = found.with_columns(frame[name].gather(place).alias(f"{name} {side}") for name in names)
    return found


def marked(frame: pl.DataFrame, found: pl.DataFrame) -> pl.Series:
    """Return a Boolean column of `frame` that is true at the places `at` of `found`."""
    column = np.zeros(len(frame), dtype=bool)
    column[found["at"].to_numpy()] = True
    return pl.Series(column)


def placed(frame: pl.DataFrame, found: pl.DataFrame, *names: str) -> dict[str, pl.Series]:
    """Return columns of `frame` that have the values `names` of `found` at its places, and null elsewhere."""
    at = found["at"]
    return {
        name: pl.Series([None], dtype=found[name].dtype).new_from_index(0, len(frame)).scatter(at, found[name])
        for name in names
    }
