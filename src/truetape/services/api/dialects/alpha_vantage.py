"""Alpha Vantage's daily series, written: raw bars, newest first, every number a string under a numbered key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import polars as pl

from truetape.services.api.dialects.numbers import days, first, text

MISSING: Final = "None"
PLACES: Final = 4
SERIES: Final = "Time Series (Daily)"
ZONE: Final = "US/Eastern"
PRICES: Final = ("open", "high", "low", "close")


def daily(bars: pl.DataFrame, *, symbol: str = "") -> bytes:
    """Return the body of TIME_SERIES_DAILY.

    Args:
        bars: Schema DECODED["bars"], basis raw, one symbol; its `adj_close` is not carried.
        symbol: What to call the series if `bars` is empty.
    """
    names = [f"{number}. {name}" for number, name in enumerate((*PRICES, "volume"), start=1)]
    columns = [*_prices(bars), _volumes(bars)]
    return _body("Daily Prices (open, high, low, close) and Volumes", bars, names, columns, symbol=symbol)


def daily_adjusted(bars: pl.DataFrame, actions: pl.DataFrame, *, symbol: str = "") -> bytes:
    """Return the body of TIME_SERIES_DAILY_ADJUSTED.

    Args:
        bars: Schema DECODED["bars"], basis raw, one symbol.
        actions: Schema DECODED["actions"], basis raw. An action is carried by the bar of its ex-date, or not at all;
            several dividends on one ex-date add up, several splits multiply.
        symbol: What to call the series if `bars` is empty.
    """
    cash = _by_day(actions, kind="dividend", total=pl.col("value").sum())
    split = _by_day(actions, kind="split", total=pl.col("value").product())
    columns = [
        *_prices(bars),
        _texts(bars["adj_close"]),
        _volumes(bars),
        [text(cash.get(day, 0.0), places=PLACES) for day in days(bars)],
        [text(split.get(day, 1.0), places=1) for day in days(bars)],
    ]
    fields = (*PRICES, "adjusted close", "volume", "dividend amount", "split coefficient")
    names = [f"{number}. {name}" for number, name in enumerate(fields, start=1)]
    return _body("Daily Time Series with Splits and Dividend Events", bars, names, columns, symbol=symbol)


def note(words: str) -> bytes:
    """Return the body of the old throttle answer, sent with status 200."""
    return msgspec.json.encode({"Note": words})


def information(words: str) -> bytes:
    """Return the body of a throttle, quota or premium answer, sent with status 200."""
    return msgspec.json.encode({"Information": words})


def error_message(words: str) -> bytes:
    """Return the body of a refused question, sent with status 200."""
    return msgspec.json.encode({"Error Message": words})


def _body(title: str, bars: pl.DataFrame, names: list[str], columns: list[Iterable[str]], *, symbol: str) -> bytes:
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    stamps = [day.isoformat() for day in days(bars)]
    refreshed = stamps[-1] if stamps else ""
    if len(bars) and bars["running"][-1]:
        refreshed += " 12:45:00"
    meta = {
        "1. Information": title,
        "2. Symbol": first(bars["symbol"]) or symbol,
        "3. Last Refreshed": refreshed,
        "4. Output Size": "Full size",
        "5. Time Zone": ZONE,
    }
    return msgspec.json.encode({"Meta Data": meta, SERIES: dict(reversed(list(zip(stamps, rows, strict=True))))})


def _prices(bars: pl.DataFrame) -> list[Iterable[str]]:
    return [_texts(bars[name]) for name in PRICES]


def _texts(values: pl.Series) -> list[str]:
    return [MISSING if value is None else text(value, places=PLACES) for value in values]


def _volumes(bars: pl.DataFrame) -> list[str]:
    return [MISSING if value is None else text(value, places=0) for value in bars["volume"]]


def _by_day(actions: pl.DataFrame, *, kind: str, total: pl.Expr) -> dict[Any, float]:
    sums = actions.filter(pl.col("type") == kind).group_by("ex_date").agg(total)
    return dict(sums.iter_rows())
