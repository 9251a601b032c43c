"""Corporate-action adjustment: from raw bars and actions to any basis, and back to raw.

Prices before an ex-date are brought onto the share count and value of the last bar:

- a split of n new shares for one old divides earlier prices by n and multiplies earlier volumes by n;
- a cash dividend D multiplies earlier prices by 1 - D / C, where C is the close of the session before the ex-date on
  the share count of the ex-date. This is the price factor of the CRSP data guides ("Factor to Adjust Prices"); it
  also reproduces Yahoo's adjusted close.

A day that carries both: the dividend is per share after the split. What other actions do to prices stands in
`truetape.domain.distributions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from truetape.domain.distributions import kept, per_day

Adjustment = Literal["raw", "split", "all"]
ADJUSTMENTS: Final[tuple[Adjustment, ...]] = ("raw", "split", "all")
PRICES: Final = ("open", "high", "low", "close")


def factor_table(actions: pl.DataFrame, closes: pl.DataFrame, *, basis: str = "raw") -> pl.DataFrame:
    """Return the factors of each ex-date.

    Args:
        actions: `ex_date` (Date), `type`, `value` (float64) and, where spin-offs and rights are valued, `price`: see
            `distributions`. Several dividends on one day add up, several splits multiply.
        closes: `date` (Date, ascending, unique), `close` (float64).
        basis: What both closes and dividends are adjusted for: "raw", or "split".

    Returns:
        `ex_date` (ascending, unique), `split` (new shares for one old, 1.0 if none) and `dividend` (price multiplier
        for all that is handed out, 1.0 if nothing is). Actions after the last close, and dividends without an earlier
        close, have no effect yet and are left out; so is a dividend of the whole close or more, which cannot be right.
    """
    closes = closes.filter(pl.col("close") > 0)
    if closes.is_empty() or actions.is_empty():
        return pl.DataFrame(schema={"ex_date": pl.Date, "split": pl.Float64, "dividend": pl.Float64})
    days = per_day(actions.filter(pl.col("ex_date") <= closes["date"].max()))
    before = np.searchsorted(_days(closes["date"]), _days(days["ex_date"]), side="left") - 1
    previous = pl.Series(closes["close"].to_numpy()[np.maximum(before, 0)]).set(pl.Series(before < 0), None)
    table = days.select("ex_date", "split", kept(days, previous, basis=basis).alias("dividend"))
    return table.filter((pl.col("split") != 1.0) | (pl.col("dividend") != 1.0))


def adjust(bars: pl.DataFrame, factors: pl.DataFrame, *, adjustment: Adjustment, basis: str = "raw") -> pl.DataFrame:
    """Return `bars` with prices and volume adjusted.

    Args:
        bars: `ts_event` (Datetime) and any of open, high, low, close, volume, in `basis`.
        factors: As `factor_table` returns them.
        adjustment: "raw" leaves bars as they are, "split" applies splits, "all" splits and dividends.
        basis: "raw", or "split" for bars that are split-adjusted already: then only dividends are applied.

    Raises:
        ValueError: Split-adjusted bars were asked for in raw; see `unsplit`.
    """
    if basis == "split" and adjustment == "raw":
        raise ValueError("split-adjusted bars cannot be made raw by adjusting; use unsplit")
    if adjustment == "raw" or factors.is_empty() or bars.is_empty():
        return bars
    price, shares = None, None
    splits = factors["split"].to_numpy()
    if basis == "raw" and (splits != 1.0).any():  # most have none
        shares = _products(splits)
        price = 1.0 / shares
    if adjustment == "all":
        kept = _products(factors["dividend"].to_numpy())
        price = kept if price is None else price * kept
    if price is None:
        return bars
    each = at_each(bars["ts_event"], factors["ex_date"])
    return scaled(bars, price=each(price), volume=None if shares is None else each(shares))


def unsplit(bars: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return split-adjusted `bars` as traded: prices times the later splits, volume divided by them.

    Prices are snapped to cents, or to hundredths of a cent, where the 32-bit artefacts of adjusted prices allow it;
    volumes to whole units.

    Args:
        bars: `ts_event` and any of open, high, low, close, volume, adjusted for all `splits`.
        splits: `ex_date` and `value` (new shares for one old), one row per split.
    """
    if splits.is_empty() or bars.is_empty():
        return bars
    ordered = splits.sort("ex_date")
    shares = _later(_days(ordered["ex_date"]), ordered["value"].to_numpy(), _event_days(bars["ts_event"]))
    touched = pl.Series(shares != 1.0)
    raw = scaled(bars, price=shares, volume=1.0 / shares)
    snapped = [pl.when(touched).then(snap(pl.col(name))).otherwise(pl.col(name)).alias(name) for name in _prices(bars)]
    whole = pl.when(touched & ((pl.col("volume") - pl.col("volume").round()).abs() < 0.01))  # noqa: PLR2004
    volume = [whole.then(pl.col("volume").round()).otherwise(pl.col("volume")).alias("volume")]
    return raw.with_columns(snapped + (volume if "volume" in bars.columns else []))


def unsplit_dividends(dividends: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return `dividends` (`ex_date`, `value` per share of today's count) as cash per share as paid then."""
    if splits.is_empty() or dividends.is_empty():
        return dividends
    ordered = splits.sort("ex_date")
    shares = _later(_days(ordered["ex_date"]), ordered["value"].to_numpy(), _days(dividends["ex_date"]))
    return dividends.with_columns(snap(pl.col("value") * pl.Series(shares), decimals=(6,)).alias("value"))


def snap(price: pl.Expr, *, decimals: tuple[int, ...] = (2, 4)) -> pl.Expr:
    """Return `price` rounded to the fewest of `decimals` that changes it by no more than a 32-bit artefact would."""
    result = price
    for places in reversed(decimals):
        rounded = price.round(places)
        result = pl.when((rounded - price).abs() <= price.abs() * 2e-7).then(rounded).otherwise(result)
    return result


def at_each(events: pl.Series, ex_dates: pl.Series) -> Callable[[Any], Any]:
    """Return what tells each bar its own of values that change at ex-dates, of which there is one more than ex-dates.

    The value of a bar is the one whose place is the number of ex-dates that are not later than it. Where bars ascend,
    the few places where a value ends are looked up, not the place of every bar.
    """
    stamps = events.to_numpy()
    if (stamps[1:] < stamps[:-1]).any():
        later = np.searchsorted(_days(ex_dates), _event_days(events), side="right")
        return lambda values: values[later]
    ends = np.searchsorted(stamps, ex_dates.to_numpy().astype(stamps.dtype))
    lengths = np.empty(len(ends) + 1, dtype=np.int64)
    lengths[0], lengths[-1] = ends[0], len(stamps) - ends[-1]
    lengths[1:-1] = ends[1:] - ends[:-1]
    return lambda values: np.repeat(values, lengths)


def scaled(bars: pl.DataFrame, *, price: Any, added: Any | None = None, volume: Any | None = None) -> pl.DataFrame:
    """Return `bars` with prices times `price` and plus `added`, and volumes times `volume`, one number for each bar.

    What is left out changes nothing. It is done column by column, sooner than by an expression.
    """
    done, held = bars.clone(), bars.columns
    factor = pl.Series(price)
    for place, name in enumerate(held):
        if name in PRICES:
            own = bars[name] * factor
            done.replace_column(place, own if added is None else own + pl.Series(added))
        elif name == "volume" and volume is not None:
            done.replace_column(place, bars[name] * pl.Series(volume))
    return done


def _later(ex_days: Any, values: Any, days: Any) -> Any:
    """Return, for each of `days`, the product of `values` whose ex-day is later; `ex_days` ascend."""
    return _products(values)[np.searchsorted(ex_days, days, side="right")]


def _products(values: Any) -> Any:
    """Return, for each place among `values` and the one after them, the product of the values from there on."""
    return np.append(np.cumprod(values[::-1])[::-1], 1.0)


def _days(dates: pl.Series) -> Any:
    return dates.cast(pl.Int32).to_numpy()


def _event_days(events: pl.Series) -> Any:
    """Return the UTC days of instants, counted from 1970."""
    return events.to_numpy().astype("datetime64[D]").astype(np.int64)


def _prices(bars: pl.DataFrame) -> list[str]:
    held = bars.columns
    return [name for name in PRICES if name in held]
