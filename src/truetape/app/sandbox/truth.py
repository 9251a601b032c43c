"""What each provider would say of one truth: the same bars and actions in the provider's own basis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from truetape.app.sandbox import intraday
from truetape.app.sandbox.dataset import Series
from truetape.app.sandbox.faults import Fault
from truetape.app.sandbox.tamper import hit_days, spoil
from truetape.domain.adjust import adjust, factor_table
from truetape.domain.schema import DECODED, INSTANT

ZONE: Final = "America/New_York"  # of every venue in a dataset
OPENS: Final = time(9, 30)  # of a session, in ZONE
CLOSES: Final = time(16)  # of a regular session, in ZONE


@dataclass(frozen=True)
class View:
    """One symbol as one provider knows it on the dataset's last day.

    Frames of bars have schema.DECODED["bars"], ascending, and the same rows; `full` is adjusted for splits and
    dividends. The fully adjusted close is `adj_close` in each of them.
    """

    raw: pl.DataFrame
    split: pl.DataFrame
    full: pl.DataFrame
    actions: pl.DataFrame  # schema.DECODED["actions"], basis raw
    split_actions: pl.DataFrame  # the same, basis split

    def between(self, start: date, end: date) -> View:
        """Return the view of session and ex-dates from `start` to `end`, both inclusive."""
        inside = pl.col("ts_event").dt.date().is_between(start, end)
        ex_inside = pl.col("ex_date").is_between(start, end)
        return View(
            raw=self.raw.filter(inside),
            split=self.split.filter(inside),
            full=self.full.filter(inside),
            actions=self.actions.filter(ex_inside),
            split_actions=self.split_actions.filter(ex_inside),
        )

    def latest(self, bars: int) -> View:
        """Return the view of the last `bars` bars, and of the actions since."""
        days = self.raw["ts_event"].dt.date().tail(bars)
        return self.between(days[0], days[-1]) if len(days) else self

    def minutes(
        self, timeframe: str = "1m", *, hours: intraday.Hours = intraday.regular_hours, clock: bool = False
    ) -> pl.DataFrame:
        """Return raw bars of `timeframe` (1m, 5m, 15m, 30m or 1h) that add up to `raw`; see intraday.minutes."""
        return intraday.minutes(self.raw, timeframe=timeframe, hours=hours, clock=clock)

    def trades(self, *, hours: intraday.Hours = intraday.regular_hours) -> pl.DataFrame:
        """Return the trades of the minutes; see intraday.trades."""
        return intraday.trades(self.raw, hours=hours)

    def quotes(self, *, hours: intraday.Hours = intraday.regular_hours) -> pl.DataFrame:
        """Return the best bid and ask after each trade; see intraday.quotes."""
        return intraday.quotes(self.raw, hours=hours)


def view(series: Series) -> View:
    """Return the truth of `series` in every basis, as of its last bar."""
    bars, actions = series.bars, series.actions
    closes = bars.select(pl.col("ts_event").dt.date().alias("date"), "close")
    factors = factor_table(actions, closes)
    full = _in_basis(adjust(bars, factors, adjustment="all"), "all")
    adjusted_close = full["close"].alias("adj_close")
    return View(
        raw=bars.with_columns(adjusted_close),
        split=_in_basis(adjust(bars, factors, adjustment="split"), "split").with_columns(adjusted_close),
        full=full.with_columns(adjusted_close),
        actions=actions,
        split_actions=_split_actions(actions, factors),
    )


def _in_basis(bars: pl.DataFrame, basis: str) -> pl.DataFrame:
    return bars.with_columns(pl.lit(basis).alias("basis")).select(list(DECODED["bars"]))


def _split_actions(actions: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Return `actions` with dividends in cash per share of the last day's count."""
    as_prices = actions.select(
        pl.col("ex_date").cast(pl.Datetime("ns")).alias("ts_event"), pl.col("value").alias("close")
    )
    cash = adjust(as_prices, factors, adjustment="split")["close"]
    value = pl.when(pl.col("type") == "dividend").then(cash).otherwise(pl.col("value")).alias("value")
    return actions.with_columns(value, pl.lit("split").alias("basis"))


def spoiled(truth: View, fault: Fault, *, seed: int, provider: str, symbol: str) -> tuple[View, int]:
    """Return `truth` with a data fault, and how many rows of the whole series it changed or took away."""
    days = truth.raw["ts_event"].dt.date()
    last = days.max()
    splits = truth.actions.filter(pl.col("type") == "split", pl.col("ex_date") <= last).sort("ex_date")
    hit = hit_days(days, fault, splits=splits, seed=seed, provider=provider, symbol=symbol)
    return replace(
        truth,
        raw=spoil(truth.raw, fault, days=hit, splits=splits),
        split=spoil(truth.split, fault, days=hit, splits=splits),
        full=spoil(truth.full, fault, days=hit, splits=splits),
    ), len(hit)


def last_quote(truth: View) -> pl.DataFrame:
    """Return the last day's bar as a quote at the close."""
    last, schema = truth.split.tail(2), DECODED["quotes"]
    known = {*last.columns, "price", "previous_close"}
    day = last["ts_event"].dt.date()[-1]
    closed = datetime.combine(day, CLOSES, tzinfo=ZoneInfo(ZONE))
    return (
        last.with_columns(
            pl.lit(closed).cast(INSTANT).alias("ts_event"),
            pl.col("close").alias("price"),
            pl.col("close").shift().alias("previous_close"),
        )
        .select([pl.col(name) if name in known else pl.lit(None, dtype).alias(name) for name, dtype in schema.items()])
        .tail(1)
    )
