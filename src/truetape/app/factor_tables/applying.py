"""Bars of a file on another basis, by a table of factors: in the rows and columns they came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from truetape.app.plain_files import Sheet, read_bars
from truetape.app.plain_files.adjusting import nameless
from truetape.app.plain_files.spelled import spelled_bars
from truetape.domain.adjust import PRICES
from truetape.domain.errors import BadInput
from truetape.domain.scaling import Mode, scale


@dataclass(frozen=True)
class Scaled:
    """Bars on another basis in the rows and columns of their file, and what was done to them."""

    frame: pl.DataFrame
    factors: int  # ex-dates that had an effect on a bar
    first: date
    last: date


def scaled(bars: Sheet, factors: pl.DataFrame, *, file: str, mode: Mode, anchor: date | None = None) -> Scaled:
    """Return the frame of `bars` on the basis `mode`.

    Rows and columns are those of `bars`, in its order. Factors work on the bars of their symbol; where only one of the
    files names symbols, it must name one only.

    Args:
        bars: Daily bars as traded: date, open, high, low, close, volume, and any other columns.
        factors: As `read_factors` returns them.
        file: Where the factors come from, for errors.
        mode: One of domain.scaling.MODES.
        anchor: The day whose prices stay as traded; None for the one that the mode names.

    Raises:
        BadInput: A value of the bars is not usable, or the symbols do not match.
    """
    bars = spelled_bars(bars)
    rows = read_bars(bars)
    named = bool((factors["symbol"] != "").any())
    if (bars.named("symbol") is None) == named:
        rows, factors = nameless(bars, rows), _nameless(factors, file)
    done, used = [], 0
    for (symbol,), own in rows.partition_by("symbol", as_dict=True).items():
        mine = factors.filter(pl.col("symbol") == symbol).drop("symbol")
        ordered = own.sort("date")
        done.append(scale(ordered, mine, mode=mode, anchor=anchor))
        used += mine.filter(pl.col("ex_date") > ordered["date"][0]).height
    result = pl.concat(done).sort("row")
    names = {name: bars.column(name).name for name in (*PRICES, "volume")}
    days = result["date"].sort()
    frame = bars.frame.with_columns(result[name].alias(own) for name, own in names.items())
    return Scaled(frame=frame, factors=0 if mode == "raw" else used, first=days[0], last=days[-1])


def _nameless(factors: pl.DataFrame, file: str) -> pl.DataFrame:
    symbols = factors["symbol"].unique().sort().to_list()
    if len(symbols) > 1:
        fix = "Add a column symbol to the bars, or keep the factors of one symbol."
        raise BadInput(parameter=f"The symbols of {file}", value=", ".join(symbols)[:200], fix=fix)
    return factors.with_columns(pl.lit("").alias("symbol"))
