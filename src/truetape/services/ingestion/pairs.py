"""Exchange rates to acquire: a pair of currencies is asked about like a listing, on the days that are no weekend."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.pairs import is_fx
from truetape.services.ingestion.intervals import IntervalLedger
from truetape.services.ingestion.rounds import Listed, Round, Wanted, plan

RATES: Final = "fx_rates"
DAILY: Final = "1d"
_NOWHERE: Final = ""  # the venue of what is listed nowhere
_FRIDAY: Final = 5
_AROUND: Final = 7  # days before and after a range, so that a weekend at its end is seen to be one


def listed_pairs(names: Iterable[str]) -> dict[str, Listed | None]:
    """Return what is asked about each pair, such as EUR/USD; None for what is no pair of currencies."""
    return {one: Listed(one, one, _NOWHERE) if is_fx(one) else None for one in names}


def weekdays(start: date, end: date) -> dict[str, list[date]]:
    """Return the days from Monday to Friday around a range, as sessions of no venue: a weekend is not asked about."""
    days = pl.date_range(_moved(start, -_AROUND), _moved(end, _AROUND), eager=True)
    return {_NOWHERE: days.filter(days.dt.weekday() <= _FRIDAY).to_list()}


def plan_rates(
    pairs: Iterable[str], ledger: IntervalLedger, *, start: date, end: date, overlap_days: int
) -> list[Round]:
    """Return the rounds still to run, so that the rates of `pairs` are settled from `start` to `end`, both inclusive.

    As for bars, what is asked about again begins `overlap_days` earlier, where providers still correct themselves.
    """
    asked = [one for one in listed_pairs(pairs).values() if one]
    wanted = Wanted(RATES, DAILY, start, end)
    return list(plan(asked, ledger, wanted, overlap_days=overlap_days, sessions=weekdays(start, end)))


def _moved(day: date, days: int) -> date:
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))
