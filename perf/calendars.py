"""Answers of calendars in bulk: how many a second, beside what exchange_calendars answers one by one in the same run.

A million random instants of thirty years at each of four venues: New York, Tokyo with its lunch, futures over midnight,
and one that never closes. The methods of the package are asked about a sample; both must say the same of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import polars as pl

from perf.measure import Figure, Sheet, figure, least_cpu, sheet
from truetape.domain.kinds import INSTANT
from truetape.domain.time import DAY_NS, NANOSECONDS, day_start_ns
from truetape.domain.trading_hours import TradingHours
from truetape.services.reference.calendars import believed_hours

VENUES = ("XNYS", "XTKS", "CMES", "24/7")
START, END = date(1997, 1, 6), date(2025, 12, 19)
INSTANTS = 1_000_000
SAMPLE = 500
FEW = 20
SECONDS = 2.0
WEEK_NS = 7 * DAY_NS
MINUTE_NS = 60 * NANOSECONDS
BUDGET = 1_000_000.0


def measure() -> Iterator[Sheet]:
    """Yield answers per second of each question at each venue, against the budget of a million."""
    yield sheet("calendars", [one for venue in VENUES for one in _figures(venue)])


def _figures(venue: str) -> Iterator[Figure]:
    for question, (ours, theirs, shown) in _asked(venue).items():
        said = theirs()
        assert shown(ours()) == [one.to_pydatetime() if isinstance(one, pd.Timestamp) else one for one in said]
        mine, others = least_cpu(ours, theirs, seconds=SECONDS)
        yield figure(
            f"{question} at {venue}",
            unit="answers/s",
            ours=INSTANTS / mine,
            peer=BUDGET,
            peer_name="a million",
            bar=1.0,
            better="higher",
            beside={"exchange_calendars": (INSTANTS / mine) / (len(said) / others)},
        )


def _asked(venue: str) -> dict[str, tuple[Callable[[], Any], Callable[[], Any], Callable[[Any], Any]]]:
    """Return for each question how we answer it, how the package does for a sample, and our answer to that sample."""
    schedule = believed_hours(venue, start=START, end=END)
    hours = TradingHours(schedule, first=START, last=END)
    peer = exchange_calendars.get_calendar(venue, start=START, end=END)
    stamps = np.random.default_rng(7).integers(day_start_ns(START) + WEEK_NS, day_start_ns(END) - 2 * WEEK_NS, INSTANTS)
    stamps -= stamps % MINUTE_NS
    at, week = (pl.Series(values, dtype=pl.Int64).cast(INSTANT) for values in (stamps, stamps + WEEK_NS))
    some = [pd.Timestamp(one, tz="UTC") for one in stamps[:SAMPLE]]
    weeks = [(one, one + pd.Timedelta(WEEK_NS - MINUTE_NS)) for one in some[:FEW]]
    opens = dict(schedule.select("session", "open").iter_rows())
    return {
        "is open": (
            lambda: hours.is_open(at),
            lambda: [peer.is_open_at_time(one, side="left") for one in some],
            lambda found: found.head(SAMPLE).to_list(),
        ),
        "next session": (
            lambda: hours.next_session(at),
            lambda: [peer.next_open(one) for one in some],
            lambda found: [opens[day] for day in found.head(SAMPLE)],
        ),
        "bars of an hour in a week": (
            lambda: hours.bar_count(at, week, timeframe="1h"),
            lambda: [len(peer.trading_index(*one, "1h", intervals=False, closed="left")) for one in weeks],
            lambda found: found.head(FEW).to_list(),
        ),
    }
