"""The sessions of the venue that the real series were traded at."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final

import exchange_calendars
import polars as pl

VENUE: Final = "XNYS"
_FIRST: Final = "1980-01-02"
_LAST: Final = "2022-12-30"


def sessions(start: date, end: date) -> pl.DataFrame:
    """Return the sessions from `start` to `end`, both inclusive: venue, session, open and close (UTC)."""
    return _every().filter(pl.col("session").is_between(start, end))


@cache
def _every() -> pl.DataFrame:
    known = exchange_calendars.get_calendar(VENUE, start=_FIRST, end=_LAST).schedule
    open_, close = (known[name].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy() for name in ("open", "close"))
    instants = pl.DataFrame({"session": known.index.to_numpy(), "open": open_, "close": close})
    return instants.select(
        pl.lit(VENUE).alias("venue"),
        pl.col("session").cast(pl.Date),
        *(pl.col(name).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC") for name in ("open", "close")),
    )
