"""A small dataset that tests can follow by hand: AAA splits two for one and pays twice, BBB does nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from truetape.app.sandbox.dataset import Dataset, read

FIRST = date(2012, 1, 2)
SESSIONS = 60
SPLIT = date(2012, 2, 13)  # session number 30 of 60, counted from 0
ACTIONS = (
    ("AAA", "2012-01-16", "dividend", 0.5),
    ("AAA", SPLIT.isoformat(), "split", 2.0),
    ("AAA", "2012-03-05", "dividend", 0.25),
)


def weekdays() -> list[date]:
    """Sixty Mondays to Fridays; the last is 2012-03-23."""
    every = (FIRST + timedelta(days=number) for number in range(100))
    return [day for day in every if day.weekday() < 5][:SESSIONS]


def raw_rows() -> pl.DataFrame:
    """Raw bars as a file has them: AAA from 80.00 and, after its split, from 40.00 on; BBB from 20.00 on."""
    rows = []
    for number, day in enumerate(weekdays()):
        for symbol, cents in (("AAA", 8000 if day < SPLIT else 4000), ("BBB", 2000)):
            close = cents + number
            prices = (close - 10, close + 20, close - 30, close)
            rows.append((symbol, day, *(price / 100 for price in prices), 1000.0 + number))
    return pl.DataFrame(rows, schema=["symbol", "date", "open", "high", "low", "close", "volume"], orient="row")


def small_dataset(folder: Path) -> Dataset:
    """The dataset, read from files in `folder`."""
    path = folder / "small.csv"
    raw_rows().write_csv(path)
    columns = ["symbol", "ex_date", "type", "value"]
    pl.DataFrame(ACTIONS, schema=columns, orient="row").write_csv(folder / "small_actions.csv")
    return read(path)
