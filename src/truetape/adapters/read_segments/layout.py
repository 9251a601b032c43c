"""What a read segment holds of the bars, and which span of time each one covers.

Prices and times stand in every row. What was decided about a bar (`VERDICT`) and what told it (`RECEIPT`) repeat for
long runs of bars, so a row holds the numbers of two lists instead.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS, TIMEFRAMES, day_start_ns

TABLE: Final = "bars"
COLUMNS: Final = TABLES[TABLE].columns
NUMBERS: Final = ("open", "high", "low", "close", "volume")
CORE: Final = ("ts_event", *NUMBERS)
RECEIPT: Final = ("payload", "ts_known")
VERDICT: Final = tuple(
    name for name in COLUMNS if name not in {"instrument_id", "timeframe", *CORE, *RECEIPT}
)  # currency to simulated
BY_MONTH: Final = frozenset({"1m", "5m", "15m", "30m", "1h"})
FIRST_NS: Final = -(2**63)
END_NS: Final = 2**63 - 1
_FIRST_YEAR: Final = 1970  # what is earlier has one segment together, and so has what is later than the last year
_END_YEAR: Final = 2100
_MONTHS: Final = 12


@dataclass(frozen=True)
class Period:
    """A span of event time of one timeframe: `first` is inclusive and `end` exclusive, both UTC nanoseconds."""

    timeframe: str
    label: str
    first: int
    end: int

    @property
    def start_day(self) -> date | None:
        """The first date, as a selection has it; None: there is no first."""
        return None if self.first == FIRST_NS else _day(self.first)

    @property
    def end_day(self) -> date | None:
        """The last date, inclusive, as a selection has it; None: there is no last."""
        return None if self.end == END_NS else _day(self.end) - timedelta(days=1)


@cache
def periods(timeframe: str) -> tuple[Period, ...]:
    """Return the periods of `timeframe`, ascending; together they cover all instants. Unknown timeframes have none."""
    if timeframe not in TIMEFRAMES:
        return ()
    marks = [(label, day_start_ns(first)) for label, first in _labels(by_month=timeframe in BY_MONTH)]
    starts = [("before", FIRST_NS), *marks, ("after", day_start_ns(date(_END_YEAR, 1, 1)))]
    ends = [first for _, first in starts[1:]] + [END_NS]
    return tuple(Period(timeframe, label, first, end) for (label, first), end in zip(starts, ends, strict=True))


@cache
def period_named(timeframe: str, label: str) -> Period | None:
    """Return the period of `timeframe` that is called `label`, or None."""
    return next((one for one in periods(timeframe) if one.label == label), None)


def periods_between(timeframe: str, first: int, last: int) -> tuple[Period, ...]:
    """Return the periods that hold an instant from `first` to `last`, both inclusive, UTC nanoseconds."""
    starts = _starts(timeframe)
    return periods(timeframe)[max(0, bisect_right(starts, first) - 1) : bisect_right(starts, last)]


def layout_stamp() -> str:
    """Return what changes when the columns of the table do, or their types: segments of another stamp are not read."""
    told = ",".join(f"{name}:{dtype}" for name, dtype in COLUMNS.items())
    return f"{zlib.crc32(told.encode()):08x}"


@cache
def _starts(timeframe: str) -> list[int]:
    return [one.first for one in periods(timeframe)]


def _labels(*, by_month: bool) -> Iterator[tuple[str, date]]:
    for year in range(_FIRST_YEAR, _END_YEAR):
        if not by_month:
            yield f"{year}", date(year, 1, 1)
            continue
        for month in range(1, _MONTHS + 1):
            yield f"{year}-{month:02d}", date(year, month, 1)


def _day(instant_ns: int) -> date:
    return date(1970, 1, 1) + timedelta(days=instant_ns // DAY_NS)
