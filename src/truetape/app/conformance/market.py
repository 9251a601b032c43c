"""The market that providers are examined on: half a year of two stocks, an index, two coins and a currency.

Everything about it can be said by hand. AAA splits two for one on 2024-01-22 and pays 0.50 and 0.30; its prices are
such that halving them leaves whole cents. Both changes of the clocks and a half day lie within.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from truetape.app.sandbox.dataset import Dataset, Series
from truetape.app.sandbox.truth import View, view
from truetape.domain.decoding import decoded, label
from truetape.services.reference.calendars import sessions

FIRST: Final = date(2023, 9, 1)
LAST: Final = date(2024, 3, 28)  # the market's today
STOCK: Final = "AAA"
CLASS_SHARE: Final = "BRK.B"
INDEX: Final = "^GSPC"
COIN: Final = "BTC/USD"
OTHER_COIN: Final = "ETH/USD"
CURRENCY: Final = "EUR/USD"
UNKNOWN: Final = "ZZZZQ"
SPLIT: Final = date(2024, 1, 22)
DIVIDENDS: Final = {date(2023, 12, 8): 0.5, date(2024, 2, 9): 0.3}
HALF_DAY: Final = date(2023, 11, 24)
CALM: Final = (date(2024, 2, 20), date(2024, 3, 1))  # after the last action, in winter time
SPRING: Final = (date(2024, 3, 8), date(2024, 3, 12))  # the clocks went forward on 2024-03-10
AUTUMN: Final = (date(2023, 11, 3), date(2023, 11, 7))  # and back on 2023-11-05
WEEKEND: Final = (date(2024, 2, 24), date(2024, 2, 25))
BEFORE: Final = (date(2001, 2, 5), date(2001, 2, 9))  # nothing was listed
_DAY: Final = timedelta(days=1)
Bar = tuple[float, float, float, float, float]


@lru_cache(maxsize=1)
def market() -> Dataset:
    """Return the market."""
    made = [
        _series(STOCK, _venue_days(), _stock, mic="XNAS", name="Triple A Corporation", actions=_actions()),
        _series(CLASS_SHARE, _venue_days(), _steady(300), mic="XNYS", name="Class Share Holdings, Class B"),
        _series(COIN, _every_day(), _steady(30_000), mic="XXXX", name="Bitcoin"),
        _series(OTHER_COIN, _every_day(), _steady(2_000), mic="XXXX", name="Ether"),
        _series(CURRENCY, _venue_days(), _currency, mic="XXXX", name="Euro in US dollars"),
        _series(INDEX, _venue_days(), _steady(4_500), mic="XNYS", name="Index of many stocks"),
    ]
    return Dataset(name="conformance", series={one.symbol: one for one in sorted(made, key=lambda one: one.symbol)})


@lru_cache(maxsize=16)
def truth(symbol: str) -> View:
    """Return what is true of `symbol`."""
    return view(market().series[symbol])


def days(symbol: str, start: date, end: date) -> list[date]:
    """Return the days from `start` to `end`, both inclusive, on which `symbol` was traded."""
    every: list[date] = truth(symbol).between(start, end).raw["ts_event"].dt.date().to_list()
    return every


def _stock(number: int, day: date) -> Bar:
    cents = 8_000 + 4 * number
    whole = tuple((cents + step) / 100 for step in (-10, 20, -30, 0))
    parts = 1.0 if day < SPLIT else 2.0
    start, high, low, end = (price / parts for price in whole)
    return start, high, low, end, (1_000_000.0 + 4 * number) * parts


def _steady(level: int) -> Callable[[int, date], Bar]:
    def bar(number: int, _day: date) -> Bar:
        cents = level * 100 + 2 * number
        start, high, low, end = ((cents + step) / 100 for step in (-10, 20, -30, 0))
        return start, high, low, end, 200_000.0 + number

    return bar


def _currency(number: int, _day: date) -> Bar:
    points = 10_500 + number
    start, high, low, end = ((points + step) / 10_000 for step in (-10, 20, -30, 0))
    return start, high, low, end, 0.0


def _venue_days() -> list[date]:
    known: list[date] = sessions("XNYS", start=FIRST, end=LAST)["session"].to_list()
    return known


def _every_day() -> list[date]:
    return [FIRST + number * _DAY for number in range((LAST - FIRST).days + 1)]


def _actions() -> pl.DataFrame:
    rows = [*((day, "dividend", cash) for day, cash in DIVIDENDS.items()), (SPLIT, "split", 2.0)]
    dates, types, values = (list(column) for column in zip(*sorted(rows), strict=True))
    columns = {"ex_date": dates, "type": types, "value": values}
    return decoded("actions", columns, symbol=STOCK, currency="USD", basis="raw")


def _series(
    symbol: str,
    traded: list[date],
    bar: Callable[[int, date], Bar],
    *,
    mic: str,
    name: str,
    actions: pl.DataFrame | None = None,
) -> Series:
    rows = [bar(number, day) for number, day in enumerate(traded)]
    columns = dict(zip(("open", "high", "low", "close", "volume"), map(list, zip(*rows, strict=True)), strict=True))
    bars = decoded(
        "bars",
        {"ts_event": label(pl.Series(traded, dtype=pl.Date)), **columns},
        symbol=symbol,
        timeframe="1d",
        currency="USD",
        basis="raw",
        running=False,
    )
    none = _actions().clear()
    return Series(
        symbol=symbol,
        mic=mic,
        name=name,
        currency="USD",
        bars=bars,
        actions=none if actions is None else actions,
    )
