"""A made-up market of any size, as golden bars with everything that a bar carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from perf.dataset import sessions
from truetape.domain.identity import instrument_id
from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.time import DAY_NS, NANOSECONDS, day_start_ns

BULK_SESSIONS = 250  # the newest ones came day by day, one payload for all instruments; the others by instrument
MINUTES = 390
LAST = date(2025, 12, 31)
BACKFILLED = day_start_ns(LAST - timedelta(days=365))
_AGREED = "alpha_vantage,finnhub,iex_cloud,yahoo"
_OPENED_S = 14 * 3600 + 30 * 60  # after 00:00 UTC


@dataclass(frozen=True)
class Market:
    """So many instruments with bars of so many days; at one minute a session has 390 bars."""

    instruments: int
    days: int
    timeframe: str = "1d"

    @cached_property
    def symbols(self) -> dict[str, str]:
        """The symbols by instrument, in the order of the instruments."""
        named = {instrument_id(mic="XNYS", symbol=one, valid_from=None): one for one in map(_symbol, self._numbers)}
        return dict(sorted(named.items()))

    @cached_property
    def names(self) -> list[str]:
        """The instruments, ascending."""
        return list(self.symbols)

    @property
    def rows(self) -> int:
        """The bars."""
        return self.instruments * self.days * (1 if self.timeframe == "1d" else MINUTES)

    @cached_property
    def sessions(self) -> list[date]:
        """The days, ascending."""
        return sessions(self.days, last=LAST)

    @cached_property
    def events(self) -> Any:
        """`ts_event` of one instrument's bars, UTC nanoseconds."""
        days = np.array([day_start_ns(day) for day in self.sessions])
        if self.timeframe == "1d":
            return days
        opened = (_OPENED_S + 60 * np.arange(MINUTES)) * NANOSECONDS
        return (days[:, None] + opened[None, :]).ravel()

    def by_instrument(self, *, rows: int = 500_000) -> Iterator[pl.DataFrame]:
        """Yield the bars of some instruments at a time, in the order of instrument and time."""
        at_once = max(1, rows // len(self.events))
        for start in range(0, len(self.names), at_once):
            yield bars(self.names[start : start + at_once], self.events, timeframe=self.timeframe, seed=start)

    @property
    def _numbers(self) -> range:
        return range(self.instruments)


def bars(names: list[str], events: Any, *, timeframe: str, seed: int) -> pl.DataFrame:
    """Return golden bars of `names` at `events`: random walks in cents; of one in twenty a provider dissented."""
    random = np.random.default_rng(seed)
    shape = (len(names), len(events))
    close = np.round(50 * np.exp(np.clip(np.cumsum(random.normal(0, 0.01, shape), axis=1), -3, 3)), 2)
    start = np.round(close * (1 + random.normal(0, 0.003, shape)), 2)
    days = events // DAY_NS
    newest = np.unique(days)[-BULK_SESSIONS:][0]
    frame = pl.DataFrame(
        {
            "instrument_id": pl.Series(names, dtype=pl.String).gather(np.repeat(np.arange(shape[0]), shape[1])),
            "ts_event": np.tile(events, shape[0]),
            "open": start.ravel(),
            "high": np.round(np.maximum(start, close) * 1.005, 2).ravel(),
            "low": np.round(np.minimum(start, close) * 0.995, 2).ravel(),
            "close": close.ravel(),
            "volume": np.round(random.lognormal(14, 0.5, shape)).ravel(),
            "dissent": random.random(shape[0] * shape[1]) < 0.05,
            "bulk": np.tile(days >= newest, shape[0]),
        }
    )
    return _told(frame, timeframe)


def _told(frame: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    """Return `frame` with what is told of each bar, and exactly the table's columns."""
    day = pl.col("ts_event") // DAY_NS
    of_day = pl.concat_str(pl.lit("day"), day.cast(pl.String).str.zfill(61))
    of_one = pl.concat_str(pl.lit("one"), pl.col("instrument_id").str.strip_prefix("ins_").str.pad_start(61, "0"))
    told: dict[str, object] = {"timeframe": timeframe, "currency": "USD", "basis": "raw", "feed": "composite"}
    told |= {"provider": "alpha_vantage", "flags": 0, "method": "consensus", "agreed": _AGREED}
    told |= {"version": 1, "simulated": True}
    made = frame.with_columns(
        *(pl.lit(value).alias(name) for name, value in told.items()),
        pl.when("bulk").then((day + 1) * DAY_NS - 7200 * NANOSECONDS).otherwise(BACKFILLED).alias("ts_known"),
        pl.when("bulk").then(of_day).otherwise(of_one).alias("payload"),
        pl.when("dissent").then(0.75).otherwise(1.0).alias("score"),
        pl.when("dissent").then(pl.lit("finnhub")).otherwise(pl.lit("")).alias("dissented"),
    )
    columns = TABLES["bars"].columns
    plain = {name: pl.Int64() if dtype == INSTANT else dtype for name, dtype in columns.items()}
    return made.select(*columns).cast(plain).cast(dict(columns))  # type: ignore[arg-type]


def _symbol(number: int) -> str:
    return f"S{number:07d}"
