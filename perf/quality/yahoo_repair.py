"""yfinance's own price repair, driven without a network.

Its steps run in the order of `PriceHistory.history(repair=True)`: dividends and adjusted closes, unit mix-ups, splits,
missing prices and contradicting bars, capital gains. What it repairs from finer bars it would download: those rows
count as flagged as soon as it asks for them. Its step for dividends also asks for exchange rates in currencies other
than the price's; prices and dividends here are in dollars, so it does not. An adjusted close that changes because a
dividend was repaired does not count as a flag of its row. It knows rows by their date, so hours are nothing to it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from perf.quality.charts import chart
from perf.quality.corpus import Case
from perf.quality.faults import Tape
from perf.quality.score import FLAGS

_COLUMNS: Final = {
    "open": "Open",
    "high": "High",
    "low": "Low",
    "close": "Close",
    "adj_close": "Adj Close",
    "volume": "Volume",
    "dividends": "Dividends",
    "splits": "Stock Splits",
}
_ZONE: Final = "America/New_York"
_SAME: Final = 1e-9


def flags(cases: Sequence[Case]) -> tuple[pl.DataFrame, int]:
    """Return the rows that it changes or wants to rebuild (FLAGS), and in how many series a step of it failed."""
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    failed, found = 0, [pl.DataFrame(schema=FLAGS)]
    for case in cases:
        for name, tape in case.told.items():
            rows, errors = _flagged(tape)
            failed += errors > 0
            stamps = chart(tape)["ts"].gather(sorted(rows))
            found.append(
                pl.DataFrame({"ts_event": stamps}).select(
                    pl.lit(case.name).alias("instrument_id"), pl.lit(name).alias("provider"), "ts_event"
                )
            )
    return pl.concat(found), failed


def _flagged(tape: Tape) -> tuple[set[int], int]:
    """Return the places of the flagged rows in the chart, and how many steps failed."""
    import pandas as pd  # type: ignore[import-untyped]

    told = chart(tape)
    days = told["ts"].dt.date()
    place = {day: number for number, day in reversed(list(enumerate(days)))}  # it keeps the first of two rows
    index = pd.DatetimeIndex(pd.to_datetime(days.to_list())).tz_localize(_ZONE)
    frame = pd.DataFrame({new: told[old].to_numpy() for old, new in _COLUMNS.items()}, index=index)
    frame = frame[~frame.index.duplicated(keep="first")].sort_index()
    asked, errors = _Asked(), 0
    mended = frame.copy()
    for step in _steps(asked):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mended = step(mended).sort_index()
        except Exception:  # noqa: BLE001  # a step that fails on a series flags nothing there
            errors += 1
    columns = [name for name in _COLUMNS.values() if name != "Adj Close"]
    both = mended.loc[frame.index, columns]
    changed = ((both - frame[columns]).abs() > _SAME * frame[columns].abs()).any(axis=1)
    touched = {stamp.date() for stamp in frame.index[changed.to_numpy()]} | asked.days
    return {place[day] for day in touched if day in place}, errors


class _Asked:
    """The days that it wanted finer bars for."""

    def __init__(self) -> None:
        self.days: set[Any] = set()


def _steps(asked: _Asked) -> Iterator[Any]:
    """Yield yfinance's steps as functions of a frame; they have no public names."""
    from yfinance.scrapers.history import PriceHistory

    class Offline(PriceHistory):  # type: ignore[misc]
        def _reconstruct_intervals_batch(self, df: Any, *_: Any, tag: float = -1) -> Any:
            tagged = (df[[name for name in _COLUMNS.values() if name in df]] == tag).any(axis=1)
            asked.days |= {stamp.date() for stamp in df.index[tagged.to_numpy()]}
            return df

    one = Offline(None, "CASE", _ZONE, session=object())
    one._history_metadata = {"currency": "USD", "priceHint": 4}
    yield lambda df: one._fix_bad_div_adjust(df, "1d", False, "USD")
    yield lambda df: one._fix_unit_mixups(df, "1d", _ZONE, False)
    yield lambda df: one._fix_bad_stock_splits(df, "1d", _ZONE)
    yield lambda df: one._fix_zeroes(df, "1d", _ZONE, False)
    yield one._repair_capital_gains
