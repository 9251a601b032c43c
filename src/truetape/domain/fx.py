"""Exchange rates: of a day, directly or across a third currency, and series brought into another currency.

A rate says what one unit of `base` costs in `quote`. Between two currencies the first of these that is fresh enough is
taken: the pair as quoted; the pair the other way round, one over it; the product of two pairs across a pivot currency.
A rate of a day stands until the next one: weekends and holidays have the rate of the last fixing before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from truetape.domain.units import PARTS

PIVOTS: Final = ("EUR", "USD", "GBP")  # in the order in which they are tried
OLDEST: Final = timedelta(days=7)  # longer than any closing of the fixings
RATES: Final = {"base": pl.String(), "quote": pl.String(), "date": pl.Date(), "rate": pl.Float64()}
FOUND: Final = {
    "date": pl.Date(),
    "rate": pl.Float64(),  # of `target` for one unit of `source`; null: none is fresh enough
    "fixed": pl.Date(),  # of the rate, or of the older of the two that it is made of
    "path": pl.String(),  # "USD/JPY", "1/(EUR/USD)", or two of them with " x " between
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
    whole, parts = PARTS.get(source, (source, 1))
    into, into_parts = PARTS.get(target, (target, 1))
    scale = into_parts / parts
    asked = pl.DataFrame({"date": days.cast(pl.Date)}).with_row_index("row").sort("date")
    if whole == into:
        same = asked.with_columns(rate=pl.lit(scale), fixed="date", path=pl.lit(""))
        return same.sort("row").select([pl.col(name).cast(dtype) for name, dtype in FOUND.items()])
    known = rates.filter((pl.col("rate") > 0) & pl.col("rate").is_finite())
    ways = [[(whole, into)], *([(whole, one), (one, into)] for one in pivots if one not in (whole, into))]
    found = asked.with_columns([pl.lit(None, dtype=FOUND[name]).alias(name) for name in ("rate", "fixed", "path")])
    for legs in ways:
        found = _filled(found, known, legs, oldest)
    return found.sort("row").select("date", pl.col("rate") * scale, "fixed", "path")


def converted(
    rows: pl.DataFrame,
    rates: pl.DataFrame,
    *,
    target: str,
    amounts: Sequence[str],
    pivots: Sequence[str] = PIVOTS,
    oldest: timedelta = OLDEST,
) -> pl.DataFrame:
    """Return `rows` with `amounts` in the currency `target`, by the rate of each row's own date.

    Args:
        rows: `ts_event` (Datetime) or `date`, `currency`, and `amounts` (float64).
        rates: As for `rates_on`.
        target: The currency wanted.
        amounts: Columns of prices or money; volumes are none.
        pivots: As for `rates_on`.
        oldest: As for `rates_on`.

    Returns:
        The rows in their order with `currency` = `target` and two more columns: `fx_rate` and `fx_date`. Amounts
        without a rate are null.
    """
    day = pl.col("date") if "date" in rows.columns else pl.col("ts_event").dt.date()
    dated = rows.with_row_index("row").with_columns(day.alias("fx_day"))
    parts = []
    for (currency,), own in dated.partition_by("currency", as_dict=True).items():
        found = rates_on(own["fx_day"], rates, source=str(currency), target=target, pivots=pivots, oldest=oldest)
        parts.append(own.with_columns(found["rate"].alias("fx_rate"), found["fixed"].alias("fx_date")))
    if not parts:
        return rows.with_columns(fx_rate=pl.lit(None, pl.Float64()), fx_date=pl.lit(None, pl.Date()))
    whole = pl.concat(parts).sort("row")
    scaled = [(pl.col(name) * pl.col("fx_rate")).alias(name) for name in amounts]
    return whole.with_columns(*scaled, pl.lit(target).alias("currency")).drop("row", "fx_day")


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
