"""Conventions of fixing: at which hour of which place a rate of a day is known, and which rate a moment may use.

A rate of a day is no rate of an instant: the European Central Bank's of 8 March is known in the afternoon of that day.
What happened at an instant is converted by the newest fixing that was out by then, never by a later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Final

import polars as pl


@dataclass(frozen=True)
class Fixing:
    """A convention: what it is called, when a day's rate is out (wall time of `zone`), and how far claims may differ.

    `relative` is the share of the rate within which two providers that pass on the same fixing agree.
    """

    title: str
    zone: str
    out: time
    relative: float


MARKET: Final = "close"
FIXINGS: Final[dict[str, Fixing]] = {  # in the order in which they are preferred where none is named
    "ecb": Fixing("European Central Bank, euro reference rates, TARGET days", "Europe/Berlin", time(16), 5e-5),
    "boc": Fixing("Bank of Canada, daily average rates", "America/Toronto", time(16, 30), 5e-5),
    "fed_noon": Fixing(
        "Federal Reserve Bank of New York, noon buying rates (H.10)", "America/New_York", time(12), 5e-5
    ),
    "wmr": Fixing("WM/Refinitiv, 4 p.m. London spot", "Europe/London", time(16), 5e-5),
    MARKET: Fixing("closes of the day, as data providers tell them", "UTC", time(23, 59, 59, 999_999), 2e-3),
}
OF_PROVIDERS: Final = {"ecb": "ecb", "fred": "fed_noon", "bank_of_canada": "boc"}  # all others tell closes


def fixing_of(provider: str) -> str:
    """Return the convention that the daily rates of `provider` follow, a key of FIXINGS."""
    return OF_PROVIDERS.get(provider, MARKET)


def last_out(instants: pl.Series, fixing: str) -> pl.Series:
    """Return, for each of `instants` (Datetime, UTC), the last date whose fixing was out at it, inclusive (Date).

    Args:
        instants: In any order; null stays null.
        fixing: A key of FIXINGS.
    """
    rule = FIXINGS[fixing]
    told = pl.DataFrame({"at": instants}).with_columns(pl.col("at").dt.convert_time_zone(rule.zone))
    is_out = pl.col("at").dt.time() >= rule.out
    day = pl.col("at").dt.date()
    return told.select(pl.when(is_out).then(day).otherwise(day.dt.offset_by("-1d")).alias("day")).to_series()
