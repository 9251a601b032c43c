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

Between two ex-dates every mode is one line: adjusted price = price x a + b, volume x c. The ratio method and the
difference method are those of continuous futures; the factors themselves are CRSP's (see `distributions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, get_args

import numpy as np
import polars as pl

from truetape.domain.adjust import at_each, scaled

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
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
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


@dataclass(frozen=True, eq=False)
class Lines:
    """What is done to bars between ex-dates: arrays of one number more than there are ex-dates.

    Place i is of the bars before `ex_dates[i]` and not before the one before it.
    """

    ex_dates: pl.Series
    price: Any  # prices are multiplied by it
    added: Any | None  # and this is added; None: nothing
    shares: Any  # volumes are multiplied by it


def scale(bars: pl.DataFrame, factors: pl.DataFrame, *, mode: Mode, anchor: date | None = None) -> pl.DataFrame:
    """Return `bars`, as traded, on the basis `mode`.

    Args:
        bars: `date` (ascending), and any of open, high, low, close and volume.
        factors: `ex_date` (ascending, unique), `split` and `dividend`. Cash and difference are taken from its column
            `close`, where it has one and a price stands there, else from the bar before the ex-date.
        mode: See above.
        anchor: The day whose prices stay as traded; None for the day that the mode names, or for a day after all
            ex-dates where it names none.
    """
    if mode == "raw" or bars.is_empty() or factors.is_empty():
        return bars
    span = (bars["date"][0], bars["date"][-1])
    closes = bars.select("date", "close" if "close" in bars.columns else pl.lit(None, pl.Float64).alias("close"))
    return laid_on(bars, lines(factors, closes, mode=mode, span=span, anchor=anchor), at="date")


def lines(
    factors: pl.DataFrame,
    closes: pl.DataFrame,
    *,
    mode: Mode,
    span: tuple[date, date],
    anchor: date | None = None,
) -> Lines:
    """Return what the basis `mode`, which is not raw, does to bars.

    Args:
        factors: As for `scale`, not empty.
        closes: `date` (ascending) and `close`, as traded, of all days: cash and differences are taken from them.
        mode: See above.
        span: The dates of the first and the last bar that are meant, where the mode is about one of them.
        anchor: As for `scale`.
    """
    ex_days = _numbers(factors["ex_date"])
    day = anchor if anchor is not None else _named(mode, span)
    at = len(ex_days) if day is None else _place(ex_days, day)
    shares = _products(factors["split"].to_numpy(), at)
    price, added = 1.0 / shares, None
    if mode in _DIVIDENDS:
        price = price * _products(factors["dividend"].to_numpy(), at)
    elif mode in _DIFFERENCES:
        added = _moved(closes, factors, shares, at)
    elif mode == "lean_total_return":
        added = _paid(closes, factors, _place(ex_days, span[0]))
    return Lines(ex_dates=factors["ex_date"], price=price, added=added, shares=shares)


def laid_on(bars: pl.DataFrame, lines: Lines, *, at: str = "ts_event") -> pl.DataFrame:
    """Return `bars`, as traded, with what `lines` do; `at` (Date or Datetime, UTC) says when a bar is."""
    each = at_each(bars[at], lines.ex_dates)
    added = None if lines.added is None else each(lines.added)
    return scaled(bars, price=each(lines.price), added=added, volume=each(lines.shares))


def _named(mode: Mode, span: tuple[date, date]) -> date | None:
    """Return the anchor that a mode names; None: a day after all ex-dates."""
    if mode in _FORWARD:
        return span[0]
    return span[1] if mode == "scaled_raw" else None


def _place(ex_days: Any, day: date) -> int:
    return int(np.searchsorted(ex_days, (day - date(1970, 1, 1)).days, side="right"))


def _products(values: Any, at: int) -> Any:
    """Return, for each place, the product of the values from there on, over that of the place `at`."""
    products = np.append(np.cumprod(values[::-1])[::-1], 1.0)
    return products / products[at]


def _before(closes: pl.DataFrame, factors: pl.DataFrame) -> Any:
    """Return the close before each ex-date, as traded: that of the table, else of the bars; NaN where none is known."""
    known = closes.select("date", pl.col("close").alias("last")).drop_nulls()
    dated = factors.join_asof(
        known, left_on="ex_date", right_on="date", allow_exact_matches=False, check_sortedness=False
    )
    own = ["close"] if "close" in factors.columns else []
    price = pl.coalesce(*own, "last").cast(pl.Float64).fill_null(float("nan"))
    return dated.select(price.alias("price"))["price"].to_numpy()


def _moved(closes: pl.DataFrame, factors: pl.DataFrame, shares: Any, at: int) -> Any:
    """Return what the ex-dates from each place on took, in money of the anchor's share count, negative."""
    steps = np.nan_to_num(_before(closes, factors) / shares[:-1] * (factors["dividend"].to_numpy() - 1.0))
    sums = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    return sums - sums[at]


def _paid(closes: pl.DataFrame, factors: pl.DataFrame, first: int) -> Any:
    """Return the cash of the ex-dates from the place `first` until each place."""
    cash = np.nan_to_num(np.round(_before(closes, factors) * (1.0 - factors["dividend"].to_numpy()), _CENTS))
    sums = np.concatenate([[0.0], np.cumsum(cash)])
    return sums - sums[first]


def _numbers(dates: pl.Series) -> Any:
    return dates.cast(pl.Int32).to_numpy()
