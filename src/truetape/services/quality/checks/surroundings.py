"""What is known beside the records that are checked: listings, calendars, declared actions, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, Schema

LISTED: Final[Schema] = {
    "instrument_id": pl.String(),
    "venue": pl.String(),  # MIC
    "increment": pl.Float64(),  # of prices; null where it is not known
    "lot": pl.Float64(),  # of volumes and sizes; null where it is not known
}
SESSIONS: Final[Schema] = {"venue": pl.String(), "session": pl.Date(), "open": INSTANT, "close": INSTANT}
ACTIONS: Final[Schema] = {
    "instrument_id": pl.String(),
    "ex_date": pl.Date(),
    "type": pl.String(),  # of kinds.ACTION_TYPES
    "value": pl.Float64(),  # in the basis of the records
}


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What is known beside the records; of what an empty frame could hold, nothing is known.

    `sessions` must hold every session of its venues, open and close in UTC, from the first to the last instant that is
    judged: a day that it leaves out is taken for a holiday.
    """

    listed: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=LISTED))  # one row for each instrument
    sessions: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=SESSIONS))
    actions: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=ACTIONS))
    now: int | None = None  # UTC nanoseconds; what lies after it is in the future
    zones: Mapping[str, str] = field(default_factory=dict)  # IANA zone of each venue
