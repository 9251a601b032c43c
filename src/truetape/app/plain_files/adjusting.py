"""Bars of a file, adjusted by the actions of another: symbol by symbol, in the rows and columns they came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.app.plain_files.columns import read_actions, read_bars
from truetape.app.plain_files.sheet import Sheet
from truetape.app.plain_files.spelled import refuse_currencies, spelled_actions, spelled_bars
from truetape.domain.adjust import PRICES, Adjustment, adjust, factor_table
from truetape.domain.distributions import SHARES, per_day
from truetape.domain.errors import BadInput
from truetape.domain.schema import INSTANT

_ADJUSTED: Final = (*PRICES, "volume")


@dataclass(frozen=True)
class Adjusted:
    """Adjusted bars in the rows and columns of their file, and what was done to them."""

    frame: pl.DataFrame
    factors: int  # ex-dates that had an effect
    first: date
    last: date


def adjusted(bars: Sheet, actions: Sheet, *, adjustment: Adjustment, basis: str) -> Adjusted:
    """Return the frame of `bars` with prices and volume adjusted.

    Rows and columns are those of `bars`, in its order. An action works on the bars of its symbol before its ex-date;
    where only one of the files has a column `symbol`, it must name one symbol only.

    Args:
        bars: Daily bars: date, open, high, low, close, volume, and any other columns.
        actions: ex_date, type, value, and price for spin-offs and rights.
        adjustment: "split" or "all".
        basis: What both files are adjusted for already: "raw", or "split".

    Raises:
        BadInput: A file has a value that is not usable, or a dividend takes the whole close before its ex-date.
    """
    bars, actions = spelled_bars(bars), spelled_actions(actions)
    refuse_currencies(bars, actions)
    rows, events = read_bars(bars), read_actions(actions)
    if (bars.named("symbol") is None) != (actions.named("symbol") is None):
        rows, events = nameless(bars, rows), nameless(actions, events)
    done, factors = [], 0
    per_symbol = {symbol: own for (symbol,), own in events.partition_by("symbol", as_dict=True).items()}
    for (symbol,), own in rows.partition_by("symbol", as_dict=True).items():
        own_events = per_symbol.get(symbol, events.clear())
        adjusted_rows, count = _one(own.sort("date"), actions, own_events, adjustment=adjustment, basis=basis)
        done.append(adjusted_rows)
        factors += count
    result = pl.concat(done).sort("row")
    names = {name: bars.column(name).name for name in _ADJUSTED}
    frame = bars.frame.with_columns(result[name].alias(own) for name, own in names.items())
    days = result["date"].sort()
    return Adjusted(frame=frame, factors=factors, first=days[0], last=days[-1])


def nameless(sheet: Sheet, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` without their symbol, which the other file cannot match.

    Raises:
        BadInput: They are of several symbols.
    """
    symbols = rows["symbol"].unique().sort().to_list()
    if len(symbols) > 1:
        fix = "Add a column symbol to the other file, or keep the rows of one symbol."
        raise BadInput(parameter=f"The symbols of {sheet.file}", value=", ".join(symbols)[:200], fix=fix)
    return rows.with_columns(pl.lit("").alias("symbol"))


def _one(
    bars: pl.DataFrame, sheet: Sheet, actions: pl.DataFrame, *, adjustment: Adjustment, basis: str
) -> tuple[pl.DataFrame, int]:
    """Return the bars of one symbol, in the order of their dates, adjusted; and how many ex-dates had an effect."""
    known = bars.select("date", pl.col("close").forward_fill())
    factors = factor_table(actions, known, basis=basis)
    if adjustment == "all":
        refuse_whole_closes(sheet, actions, bars.select("date", "close"), basis=basis)
    instants = bars.with_columns(pl.col("date").cast(pl.Datetime("ns")).cast(INSTANT).alias("ts_event"))
    result = adjust(instants, factors, adjustment=adjustment, basis=basis)
    splits = (pl.col("split") != 1.0) & (basis == "raw")
    dividends = (pl.col("dividend") != 1.0) & (adjustment == "all")
    return result.drop("ts_event"), factors.filter(splits | dividends).height


def refuse_whole_closes(sheet: Sheet, actions: pl.DataFrame, closes: pl.DataFrame, *, basis: str) -> None:
    """Accept actions of one symbol unless a dividend would leave nothing of the close before it.

    Args:
        sheet: Where the actions stand.
        actions: As `read_actions` returns them.
        closes: `date` (ascending) and `close`.
        basis: What both are adjusted for: "raw", or "split".

    Raises:
        BadInput: A dividend takes the whole close; `factor_table` would leave it out.
    """
    rows = actions.filter(~pl.col("type").is_in(SHARES)).group_by("ex_date").agg(pl.col("row").min())
    days = per_day(actions).filter(pl.col("cash") > 0).join(rows, on="ex_date")
    last_known = closes.drop_nulls().rename({"date": "before"})
    joined = (
        days.sort("ex_date")
        .filter(pl.col("ex_date") <= closes["date"].max())
        .join_asof(last_known, left_on="ex_date", right_on="before", allow_exact_matches=False)
    )
    worth = pl.col("close") / pl.col("split") if basis == "raw" else pl.col("close")
    wrong = joined.with_columns(worth.alias("worth")).filter(pl.col("cash") >= pl.col("worth"))
    if not wrong.is_empty():
        day = wrong.row(0, named=True)
        fix = f"The close before it, on {day['before']}, is worth {day['worth']} a share; check the unit, and --basis."
        raise sheet.defect(day["row"], column="value", value=day["cash"], fix=fix)
