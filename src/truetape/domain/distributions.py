"""What a company hands out on one ex-date, as two numbers: new shares for one old, and what stays of the price.

Earlier prices are divided by the shares and multiplied by what stays of the price. This is the pair of factors of the
CRSP data guides ("Factor to Adjust Shares", "Factor to Adjust Prices"), with the theoretical price after the ex-date,
close less what was handed out, in place of the price that was then traded:

- split (forward, reverse, unit): `value` new shares stand for one old;
- stock_dividend: `value` new shares are added to each old one;
- dividend, special_dividend, capital_gain, return_of_capital: `value` in cash per share;
- spin_off: `value` shares of another company for each share, each worth `price`;
- rights: each share carries the right to buy `value` new ones at `price`; what stays is the theoretical ex-rights price
  over the close, (close + value x price) / ((1 + value) x close), and all of it where the price is not below the close;
- roll: a continuous series goes on with another contract, which costs `value` when the one before costs `price`:
  earlier prices are multiplied by value / price (the ratio method; its difference is `scaling`'s).

Cash, spun-off shares and rights are per share of the count after a split of the same day. What needs a `price` and has
none cannot be valued and has no effect. Mergers, redemptions, units that fall apart and worthless removals end the
series: no later price of it stands for the earlier ones, so they have no factor either, as have new symbols and
delistings.

CRSP's own pair is facshr, the shares gained for each old one, and facpr, by which earlier prices are divided after 1 is
added: equal to facshr for splits and stock dividends, the worth of what is handed out over the price after it for
spin-offs and rights, and 0 for cash, which CRSP keeps apart as divamt. In LEAN's factor files a split factor is the
product of 1 / split over the later ex-dates, and a price factor that of (close - cash) / close.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

CASH: Final = ("dividend", "special_dividend", "capital_gain", "return_of_capital")
VALUED: Final = ("spin_off", "rights", "roll")  # types that need a `price` beside the value
SHARES: Final = ("split", "stock_dividend")
TYPES: Final = (*SHARES, *CASH, *VALUED)  # that change prices

_PER_DAY: Final = {
    "split": pl.Float64(),
    "cash": pl.Float64(),
    "rights": pl.Float64(),
    "rights_cost": pl.Float64(),
    "roll": pl.Float64(),
}


def per_day(actions: pl.DataFrame, *, by: Sequence[str] = ("ex_date",)) -> pl.DataFrame:
    """Return what is handed out on each ex-date, ascending.

    Args:
        actions: `by`, `type`, `value` (float64), and `price` where spin-offs and rights are valued.
        by: The columns that tell days apart, `ex_date` (Date) and perhaps others.

    Returns:
        `by` (unique), `split` (new shares for one old, 1.0 if none; several multiply), `cash` (per share, spun-off
        worth included; several add up), `rights` (new shares that each share may buy), `rights_cost` (what that takes
        in cash) and `roll` (the price of the next contract over that of the one before, 1.0 if none).
    """
    if actions.is_empty():
        return pl.DataFrame(schema={**{name: actions.schema[name] for name in by}, **_PER_DAY})
    price = pl.col("price").cast(pl.Float64) if "price" in actions.columns else pl.lit(None, dtype=pl.Float64)
    kind, value = pl.col("type"), pl.col("value").cast(pl.Float64)
    valued = price.is_not_null()
    parts = actions.select(
        *by,
        pl.when(kind == "split").then(value).when(kind == "stock_dividend").then(1.0 + value).alias("split"),
        pl.when(kind.is_in(CASH)).then(value).when((kind == "spin_off") & valued).then(value * price).alias("cash"),
        pl.when((kind == "rights") & valued).then(value).alias("rights"),
        pl.when((kind == "rights") & valued).then(value * price).alias("rights_cost"),
        pl.when((kind == "roll") & valued).then(value / price).alias("roll"),
    )
    days = parts.group_by(by).agg(pl.col("split", "roll").product(), pl.col("cash", "rights", "rights_cost").sum())
    return days.sort(by).select(*by, *_PER_DAY)


def kept(days: pl.DataFrame, close: pl.Series, *, basis: str) -> pl.Series:
    """Return what stays of the price on each of `days`: 1.0 where nothing goes, or what goes cannot be right.

    Args:
        days: As `per_day` returns them.
        close: The close before each ex-date, on the share count before a split of that day; null where none is known.
        basis: "raw", or "split" for closes and cash that are on the share count of the last day.
    """
    worth = close / days["split"] if basis == "raw" else close
    rows = days.with_columns(worth.alias("worth"))
    paid = pl.col("cash") / pl.col("worth")
    diluted = (pl.col("worth") + pl.col("rights_cost")) / ((1.0 + pl.col("rights")) * pl.col("worth"))
    sound = (paid > 0) & (paid < 1)
    left = pl.when(sound).then(1.0 - paid).otherwise(1.0) * pl.min_horizontal(diluted, 1.0).fill_null(1.0)
    return rows.select((left * pl.col("roll")).alias("kept"))["kept"]
