"""Bars of an answer on the basis that was asked for, by the factors that its reading sees."""

from __future__ import annotations

from datetime import date
from typing import Final, cast

import polars as pl

from truetape.domain.adjust import Adjustment, adjust
from truetape.domain.adjust_panel import adjust_panel
from truetape.domain.adjustments import QUICK, basis_of, mode_of
from truetape.domain.scaling import Lines, laid_on, lines
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.ports.store import Selection
from truetape.services.api.query import BarsQuery
from truetape.services.api.reading import Reading
from truetape.services.api.resample import whole_periods
from truetape.services.api.shelf import FACTOR, Shelf

DAILY: Final = "1d"  # the timeframe whose closes factors are measured against


class Adjusting:
    """Adjust bars of one reading, and remember the factors that did it.

    Of the question counts what it asks for as a whole: pages and frames of one question are adjusted alike.
    """

    def __init__(self, reading: Reading, shelf: Shelf) -> None:
        self._reading = reading
        self._shelf = shelf
        self._factors: dict[str, pl.DataFrame] = {}
        self._of_many: list[pl.DataFrame] = []
        self._lines: dict[str, Lines | None] = {}

    @property
    def used(self) -> tuple[pl.DataFrame, ...]:
        """The factors that were used, columns shelf.FACTOR, each in one of the frames."""
        return (*self._factors.values(), *self._of_many)

    async def factors(self, instrument: str) -> pl.DataFrame:
        """Return the adjustment factors of an instrument by ex-date, columns shelf.FACTOR.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        if instrument not in self._factors:
            self._factors[instrument] = await self._shelf.factors(self._reading, instrument)
        return self._factors[instrument]

    async def adjusted(self, bars: pl.DataFrame, instrument: str, query: BarsQuery) -> pl.DataFrame:
        """Return raw bars of one instrument as `query` wants them; `basis` tells what they are then.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        if query.adjustment == "raw":
            return bars
        factors = await self.factors(instrument)
        if query.adjustment in QUICK and query.anchor is None:
            done = adjust(bars, factors, adjustment=cast("Adjustment", query.adjustment)).clone()
        else:
            found = await self._lines_of(instrument, factors, query)
            done = (bars if found is None or bars.is_empty() else laid_on(bars, found)).clone()
        return named(done, query)

    async def adjusted_together(
        self, bars: pl.DataFrame, query: BarsQuery, *, instruments: tuple[str, ...]
    ) -> pl.DataFrame:
        """Return raw daily bars of `instruments`, in the order of the store, as `query` wants them.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        if query.adjustment == "raw" or bars.is_empty():
            return bars
        if query.adjustment not in QUICK or query.anchor is not None:
            parts = bars.partition_by("instrument_id", maintain_order=True)
            return pl.concat([await self.adjusted(one, one["instrument_id"][0], query) for one in parts])
        equal = {"instrument_id": _those_with_rows(bars["instrument_id"], instruments)}
        wanted = Selection(equal=equal, as_of=self._reading.as_of, columns=("instrument_id", *FACTOR))
        factors = await self._reading.read("factors", wanted)
        self._of_many.append(factors)
        done = adjust_panel(bars, factors, adjustment=cast("Adjustment", query.adjustment))
        return named(done.clone(), query)

    async def _lines_of(self, instrument: str, factors: pl.DataFrame, query: BarsQuery) -> Lines | None:
        """Return what is done to the bars of an instrument; None: nothing."""
        if factors.is_empty():
            return None
        if instrument not in self._lines:
            daily = {"instrument_id": (instrument,), "timeframe": (DAILY,)}
            wanted = Selection(equal=daily, as_of=self._reading.as_of, columns=("ts_event", "close"))
            rows = await self._reading.read("bars", wanted)
            closes = rows.select(pl.col("ts_event").dt.date().alias("date"), "close")
            span = _span(closes["date"], query)
            mode = mode_of(query.adjustment)
            made = lines(factors, closes, mode=mode, span=span, anchor=query.anchor) if span is not None else None
            self._lines[instrument] = made
        return self._lines[instrument]


def _those_with_rows(ascending: pl.Series, instruments: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of `instruments` that stand in `ascending`, which is not empty."""
    asked = pl.Series(instruments, dtype=pl.String)
    places = ascending.search_sorted(asked).clip(upper_bound=len(ascending) - 1)
    return tuple(asked.filter(ascending.gather(places) == asked))


def named(bars: pl.DataFrame, query: BarsQuery) -> pl.DataFrame:
    """Return `bars` with their basis: that of the answer to `query`."""
    basis = basis_of(query.adjustment, query.anchor)
    column = pl.Series("basis", [basis], dtype=pl.String).new_from_index(0, len(bars))
    return bars.replace_column(bars.get_column_index("basis"), column)


def _span(days: pl.Series, query: BarsQuery) -> tuple[date, date] | None:
    """Return the first and the last of ascending `days` that `query` is about; None: it is about none of them."""
    first, last = query.start, query.end
    if query.timeframe in DERIVED_TIMEFRAMES:
        first, last = whole_periods(first, last, timeframe=query.timeframe)
    begin = days.search_sorted(first, side="left") if first is not None else 0
    end = days.search_sorted(last, side="right") if last is not None else len(days)
    return (days[begin], days[end - 1]) if begin < end else None
