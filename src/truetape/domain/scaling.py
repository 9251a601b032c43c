"""Bars on any basis from a table of factors: for splits, for everything handed out, backward, forward or as of a day.

With S(d) the product of the splits and P(d) of the dividends whose ex-date is later than the day d:

- raw: as traded;
- split: price / S(d), volume x S(d);
- total_return: price x P(d) / S(d), which is LEAN's `Adjusted` and Yahoo's adjusted close;
- forward_split, forward_total_return: the same, with the first bar as traded and later ones raised;
- scaled_raw: as total_return, with the last bar as traded, whatever ex-dates follow it (LEAN's `ScaledRaw`);
- lean_total_return: price / S(d) plus the cash of all ex-dates from the bar after the first on, each rounded to cents
  and not adjusted for later splits (LEAN's `TotalReturn`);
- difference, forward_difference: price / S(d) less the cash of all later ex-dates, on the anchor's share count (the
  "Panama canal" method of continuous series): distances between prices are kept, ratios are not.

An anchor is the day whose prices stay as traded. Volume follows the shares alone, in every mode.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from truetape.domain.adjust import PRICES

Mode = Literal[
    "raw",
    "split",
    "total_return",
    "forward_split",
    "forward_total_return",
    "scaled_raw",
    "lean_total_return",
    "difference",
    "forward_difference",
]
MODES: Final[tuple[Mode, ...]] = (
    "raw",
    "split",
    "total_return",
    "forward_split",
    "forward_total_return",
    "scaled_raw",
    "lean_total_return",
    "difference",
    "forward_difference",
)
LEAN_MODES: Final[dict[str, Mode]] = {  # as LEAN's DataNormalizationMode calls them
    "Raw": "raw",
    "SplitAdjusted": "split",
    "Adjusted": "total_return",
    "ScaledRaw": "scaled_raw",
    "TotalReturn": "lean_total_return",
    "BackwardsPanamaCanal": "difference",
    "ForwardPanamaCanal": "forward_difference",
    "BackwardsRatio": "total_return",
}
_FORWARD: Final = ("forward_split", "forward_total_return", "forward_difference")
_DIVIDENDS: Final = ("total_return", "forward_total_return", "scaled_raw")
_DIFFERENCES: Final = ("difference", "forward_difference")
_CENTS: Final = 2


def scale(bars: pl.DataFrame, factors: pl.DataFrame, *, mode: Mode, anchor: date | None = None) -> pl.DataFrame:
    """Return `bars`, as traded, on the basis `mode`.

    Args:
        bars: `date` (ascending), and any of open, high, low, close and volume.
        factors: `ex_date` (ascending, unique), `split` and `dividend`. Of an ex-date without an earlier bar, cash and
            difference are taken from its column `close`, where it has one.
        mode: See above.
        anchor: The day whose prices stay as traded; None for the day that the mode names, or for a day after all
            ex-dates where it names none.
    """
    if mode == "raw" or bars.is_empty() or factors.is_empty():
        return bars
    days = _numbers(bars["date"])
    at = _anchor(days, mode, anchor)
    ex_days = _numbers(factors["ex_date"])
    shares = _relative(ex_days, factors["split"].to_numpy(), days, at)
    price, added = 1.0 / shares, np.zeros(len(days))
    if mode in _DIVIDENDS:
        price = price * _relative(ex_days, factors["dividend"].to_numpy(), days, at)
    elif mode in _DIFFERENCES:
        added = _moved(bars, factors, ex_days, days, at)
    elif mode == "lean_total_return":
        added = _paid(bars, factors, ex_days, days)
    changed = [(pl.col(name) * pl.Series(price) + pl.Series(added)).alias(name) for name in _prices(bars)]
    volume = [(pl.col("volume") * pl.Series(shares)).alias("volume")] if "volume" in bars.columns else []
    return bars.with_columns([*changed, *volume])


def _anchor(days: Any, mode: Mode, anchor: date | None) -> int | None:
    if anchor is not None:
        return (anchor - date(1970, 1, 1)).days
    if mode in _FORWARD:
        return int(days[0])
    return int(days[-1]) if mode == "scaled_raw" else None


def _relative(ex_days: Any, values: Any, days: Any, at: int | None) -> Any:
    """Return the product of `values` with a later ex-day, for each of `days`, over that of the day `at`."""
    products = np.append(np.cumprod(values[::-1])[::-1], 1.0)
    later = products[np.searchsorted(ex_days, days, side="right")]
    return later if at is None else later / products[np.searchsorted(ex_days, at, side="right")]


def _before(bars: pl.DataFrame, factors: pl.DataFrame) -> Any:
    """Return the close before each ex-date, as traded; NaN where none is known."""
    known = bars.select("date", pl.col("close").alias("last")).drop_nulls()
    dated = factors.join_asof(
        known, left_on="ex_date", right_on="date", allow_exact_matches=False, check_sortedness=False
    )
    own = ["close"] if "close" in factors.columns else []
    return dated.select(pl.coalesce("last", *own).cast(pl.Float64).fill_null(float("nan")))["last"].to_numpy()


def _moved(bars: pl.DataFrame, factors: pl.DataFrame, ex_days: Any, days: Any, at: int | None) -> Any:
    """Return what the ex-dates after each of `days` took, in money of the anchor's share count, negative."""
    shares = _relative(ex_days, factors["split"].to_numpy(), ex_days - 1, at)
    steps = np.nan_to_num(_before(bars, factors) / shares * (factors["dividend"].to_numpy() - 1.0))
    sums = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    later = sums[np.searchsorted(ex_days, days, side="right")]
    return later if at is None else later - sums[np.searchsorted(ex_days, at, side="right")]


def _paid(bars: pl.DataFrame, factors: pl.DataFrame, ex_days: Any, days: Any) -> Any:
    """Return the cash of the ex-dates after the first bar and up to each of `days`."""
    cash = np.nan_to_num(np.round(_before(bars, factors) * (1.0 - factors["dividend"].to_numpy()), _CENTS))
    sums = np.concatenate([[0.0], np.cumsum(cash)])
    until = sums[np.searchsorted(ex_days, days, side="right")]
    return until - until[0]


def _numbers(dates: pl.Series) -> Any:
    return dates.cast(pl.Int32).to_numpy()


def _prices(bars: pl.DataFrame) -> list[str]:
    return [name for name in PRICES if name in bars.columns]
