"""Exchange rates: of a day, directly or across a third currency, and series brought into another currency.

A rate says what one unit of `base` costs in `quote`. Between two currencies the first of these that is fresh enough is
taken: the pair as quoted; the pair the other way round, one over it; the product of two pairs across a pivot currency.
A rate of a day stands until the next one: weekends and holidays have the rate of the last fixing before them.

Pence, currencies before a redenomination, and those that became the euro need no rate of a day for their part of the
way (domain.currencies): marks of the year 2000 are euros at 1.95583, and go on at the rate of the euro.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from truetape.domain.currencies import EURO, JOINED, REDENOMINATED, renamed

PIVOTS: Final = ("EUR", "USD", "GBP")  # in the order in which they are tried
OLDEST: Final = timedelta(days=7)  # longer than any closing of the fixings
RATES: Final = {"base": pl.String(), "quote": pl.String(), "date": pl.Date(), "rate": pl.Float64()}
FOUND: Final = {
    "date": pl.Date(),
    "rate": pl.Float64(),  # of `target` for one unit of `source`; null: none is fresh enough
    "fixed": pl.Date(),  # of the rate, or of the older of the two that it is made of
    "path": pl.String(),  # "USD/JPY", "1/(EUR/USD)", or several of them with " x " between
}
USED: Final = {
    "fx_rate": pl.Float64(),  # that amounts were multiplied by
    "fx_path": pl.String(),
    "fx_fixed": pl.Date(),
    "fx_age_days": pl.Int32(),  # from the fixing to the day that may use one
}


def rates_on(
    days: pl.Series,
    rates: pl.DataFrame,
    *,
    source: str,
    target: str,
    pivots: Sequence[str] = PIVOTS,
    oldest: timedelta = OLDEST,
) -> pl.DataFrame:
    """Return the rate from `source` to `target` on each of `days`.

    Args:
        days: Dates, in any order.
        rates: Columns RATES; of rows of one pair and date the last counts. Rates that are not above 0 are ignored.
        source: A currency, ISO 4217, or a part of one such as GBp.
        target: Another.
        pivots: Across which currencies rates may be made, in this order of preference.
        oldest: How much earlier than the day a fixing may be, inclusive.

    Returns:
        Columns FOUND, one row for each of `days`, in their order.
    """
    asked = pl.DataFrame({"date": days.cast(pl.Date)}).with_row_index("row").sort("date")
    known = _in_new_codes(rates.filter((pl.col("rate") > 0) & pl.col("rate").is_finite()))
    (whole, _), (into, _) = renamed(source), renamed(target)
    cuts = sorted({JOINED[code][1] for code in (whole, into) if code in JOINED})
    parts = [_no_rates(asked.clear())]
    for begins, ends in pairwise([date.min, *cuts, date.max]):
        own = asked.filter(pl.col("date") >= begins, (pl.col("date") < ends) | pl.lit(ends == date.max))
        if len(own):
            way = _Way(_unit(source, begins), _unit(target, begins))
            parts.append(_between(own, known, way, pivots=pivots, oldest=oldest))
    found = pl.concat(parts).sort("row")
    return found.select([pl.col(name).cast(dtype) for name, dtype in FOUND.items()])


def converted(
    rows: pl.DataFrame,
    rates: pl.DataFrame,
    *,
    days: pl.Series,
    target: str,
    amounts: Sequence[str],
    pivots: Sequence[str] = PIVOTS,
    oldest: timedelta = OLDEST,
) -> pl.DataFrame:
    """Return `rows` with `amounts` in the currency `target`, each by the rate of its day.

    Args:
        rows: `currency`, and `amounts` (float64).
        rates: As for `rates_on`.
        days: Of each row, the last date whose fixing it may use (domain.fixings.last_out), or its own date.
        target: The currency wanted.
        amounts: Columns of prices or money; volumes are none.
        pivots: As for `rates_on`.
        oldest: As for `rates_on`.

    Returns:
        The rows in their order with `currency` = `target`, and the columns USED behind the others. Amounts without a
        rate are null.
    """
    dated = rows.with_row_index("row").with_columns(days.cast(pl.Date).alias("fx_day"))
    told = [dated.clear().with_columns([pl.lit(None, dtype=dtype).alias(name) for name, dtype in USED.items()])]
    for (currency,), own in dated.partition_by("currency", as_dict=True).items():
        each = own["fx_day"].unique()
        found = rates_on(each, rates, source=str(currency), target=target, pivots=pivots, oldest=oldest)
        age = (pl.col("date") - pl.col("fixed")).dt.total_days().cast(pl.Int32)
        used = found.select("date", fx_rate="rate", fx_path="path", fx_fixed="fixed", fx_age_days=age)
        told.append(own.join(used, left_on="fx_day", right_on="date", how="left", maintain_order="left"))
    whole = pl.concat(told).sort("row")
    scaled = [(pl.col(name) * pl.col("fx_rate")).alias(name) for name in amounts]
    return whole.with_columns(*scaled, pl.lit(target).alias("currency")).drop("row", "fx_day")


@dataclass(frozen=True)
class _Unit:
    """What an amount is in: so many make one of `code`; `leg` is the fixed rate on the way there, if there is one."""

    code: str
    units: float
    leg: str = ""


@dataclass(frozen=True)
class _Way:
    """From one unit to another."""

    source: _Unit
    target: _Unit

    @property
    def scale(self) -> float:
        return self.target.units / self.source.units

    def path(self, *middle: pl.Expr) -> pl.Expr:
        """Return the whole path, whose part that has rates of a day, if there is one, is `middle`."""
        first = [pl.lit(f"1/({EURO}/{self.source.leg})")] if self.source.leg else []
        last = [pl.lit(f"{EURO}/{self.target.leg}")] if self.target.leg else []
        legs = [*first, *middle, *last]
        return pl.concat_str(legs, separator=" x ") if legs else pl.lit("")


def _unit(code: str, since: date) -> _Unit:
    """Return what `code` is an amount of on days from `since` on, none of which is before a day it joined the euro."""
    whole, units = renamed(code)
    rate, joined = JOINED.get(whole, (0.0, date.max))
    return _Unit(whole, units) if since < joined else _Unit(EURO, units * rate, whole)


def _in_new_codes(rates: pl.DataFrame) -> pl.DataFrame:
    """Return `rates` of old units as those of the new ones that they were redenominated to."""
    old = [code for code in REDENOMINATED if code in rates["base"] or code in rates["quote"]]
    if not old:
        return rates
    new = {code: renamed(code) for code in old}
    names = {code: name for code, (name, _) in new.items()}
    units = {code: float(number) for code, (_, number) in new.items()}
    many = {
        side: pl.col(side).replace_strict(units, default=1.0, return_dtype=pl.Float64) for side in ("base", "quote")
    }
    return rates.with_columns(
        pl.col("base", "quote").replace(names), rate=pl.col("rate") * many["base"] / many["quote"]
    )


def _no_rates(asked: pl.DataFrame) -> pl.DataFrame:
    return asked.with_columns([pl.lit(None, dtype=FOUND[name]).alias(name) for name in ("rate", "fixed", "path")])


def _between(
    asked: pl.DataFrame, known: pl.DataFrame, way: _Way, *, pivots: Sequence[str], oldest: timedelta
) -> pl.DataFrame:
    """Return `asked`, sorted by `date`, with the rate of each day of one way."""
    whole, into = way.source.code, way.target.code
    if whole == into:
        return asked.with_columns(rate=pl.lit(way.scale), fixed="date", path=way.path())
    ways = [[(whole, into)], *([(whole, one), (one, into)] for one in pivots if one not in (whole, into))]
    found = _no_rates(asked)
    for legs in ways:
        found = _filled(found, known, legs, oldest)
    return found.with_columns(pl.col("rate") * way.scale, path=way.path(pl.col("path")))


def _filled(found: pl.DataFrame, rates: pl.DataFrame, legs: list[tuple[str, str]], oldest: timedelta) -> pl.DataFrame:
    """Return `found` with the rates that `legs` give where there were none; `found` is sorted by date."""
    if not found["rate"].null_count():
        return found
    parts = [_leg(found["date"], rates, base, quote, oldest) for base, quote in legs]
    rate, fixed, path = parts[0]["rate"], parts[0]["fixed"], parts[0]["path"]
    for other in parts[1:]:
        rate, path = rate * other["rate"], path + " x " + other["path"]
        fixed = pl.select(pl.min_horizontal(fixed, other["fixed"])).to_series()
    empty = found["rate"].is_null() & rate.is_not_null()
    new = {"rate": rate, "fixed": fixed, "path": path}
    return found.with_columns(pl.when(empty).then(column).otherwise(name).alias(name) for name, column in new.items())


def _leg(days: pl.Series, rates: pl.DataFrame, base: str, quote: str, oldest: timedelta) -> pl.DataFrame:
    """Return rate, fixed and path from `base` to `quote` on each of `days`, which ascend: as quoted, else turned."""
    straight = _latest(days, rates, base, quote, oldest)
    turned = _latest(days, rates, quote, base, oldest)
    quoted = straight["rate"].is_not_null()
    return pl.select(
        pl.when(quoted).then(straight["rate"]).otherwise(1.0 / turned["rate"]).alias("rate"),
        pl.when(quoted).then(straight["fixed"]).otherwise(turned["fixed"]).alias("fixed"),
        pl.when(quoted).then(pl.lit(f"{base}/{quote}")).otherwise(pl.lit(f"1/({quote}/{base})")).alias("path"),
    )


def _latest(days: pl.Series, rates: pl.DataFrame, base: str, quote: str, oldest: timedelta) -> pl.DataFrame:
    pair = rates.filter((pl.col("base") == base) & (pl.col("quote") == quote)).unique("date", keep="last")
    fixings = pair.select(pl.col("date").alias("fixed"), "rate").sort("fixed")
    asked = pl.DataFrame({"date": days})
    return asked.join_asof(fixings, left_on="date", right_on="fixed", tolerance=oldest, coalesce=False)
