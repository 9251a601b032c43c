"""Adjustment of many instruments at once: what `truetape.domain.adjust` does to one, in one pass over all rows.

Factors change at a few ex-dates, between which they are constant. So their places among the bars are looked up, not the
bars' places among them, and the multipliers are written out in runs.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from truetape.domain.adjust import Adjustment, scaled
from truetape.domain.time import DAY_NS

_DAY_BITS: Final = 32


def adjust_panel(
    bars: pl.DataFrame, factors: pl.DataFrame, *, adjustment: Adjustment, by: str = "instrument_id"
) -> pl.DataFrame:
    """Return raw `bars` of many instruments with prices and volume adjusted, each as `adjust.adjust` would.

    Args:
        bars: `by`, `ts_event` (Datetime in nanoseconds) and any of open, high, low, close, volume, as traded; ascending
            by `by` and `ts_event`, as a store returns them.
        factors: `by`, `ex_date`, `split` and `dividend`, in any order: see `adjust.factor_table`.
        adjustment: "raw" leaves bars as they are, "split" applies splits, "all" splits and dividends.
        by: The column that tells instruments apart.

    Raises:
        ValueError: The rows of one instrument do not stand together, or not in the order of time.
    """
    if adjustment == "raw" or factors.is_empty() or bars.is_empty():
        return bars
    runs = bars[by].rle().struct.unnest()
    if runs["value"].n_unique() < len(runs):
        raise ValueError(f"the rows of one {by} do not stand together: sort them first")
    places = pl.DataFrame({by: runs["value"], "run": np.arange(len(runs), dtype=np.int64)})
    mine = factors.join(places, on=by).sort("run", "ex_date")
    has_splits = bool((mine["split"] != 1.0).any())
    if mine.is_empty() or (adjustment == "split" and not has_splits):
        return bars
    later = mine.select("run", pl.col("split", "dividend").cum_prod(reverse=True).over("run"))
    edges = np.searchsorted(_bar_keys(bars, runs), _keys(mine["run"].to_numpy(), _days(mine["ex_date"])), side="left")
    order, lengths = _pieces(later["run"].to_numpy(), edges, np.cumsum(runs["len"].to_numpy(), dtype=np.int64))
    shares, kept = (_in_order(later[name], order) for name in ("split", "dividend"))
    price = 1.0 / shares * kept if adjustment == "all" else 1.0 / shares
    volume = np.repeat(shares, lengths) if has_splits else None
    return scaled(bars, price=np.repeat(price, lengths), volume=volume)


def _bar_keys(bars: pl.DataFrame, runs: pl.DataFrame) -> Any:
    """Return one ascending number for each bar: its instrument's run, then its day."""
    stamps = bars["ts_event"].to_physical().to_numpy()
    lengths = runs["len"].to_numpy()
    keys = _keys(np.repeat(np.arange(len(runs), dtype=np.int64), lengths), stamps // DAY_NS)
    if (keys[1:] < keys[:-1]).any():
        raise ValueError("the bars do not stand in the order of time: sort them first")
    return keys


def _keys(run: Any, days: Any) -> Any:
    return (run << _DAY_BITS) + (days + (1 << (_DAY_BITS - 1)))


def _days(dates: pl.Series) -> Any:
    return dates.to_physical().to_numpy().astype(np.int64)


def _pieces(run: Any, edges: Any, ends: Any) -> tuple[Any, Any]:
    """Return the order of the pieces that the bars fall into, and how many bars each has.

    Each factor ends a piece at its edge, and each run ends with a piece that no factor touches; pieces are numbered
    factors first, then runs.
    """
    whose = np.concatenate((run, np.arange(len(ends))))
    until = np.concatenate((edges, ends))
    is_last = np.concatenate((np.zeros(len(run)), np.ones(len(ends))))
    order = np.lexsort((is_last, until, whose))
    return order, np.diff(until[order], prepend=0)


def _in_order(products: pl.Series, order: Any) -> Any:
    """Return the multiplier of each piece: the product of the factors whose ex-date is later."""
    values = np.ones(len(order))
    values[: len(products)] = products.to_numpy()
    return values[order]
