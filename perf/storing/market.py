"""A made-up market of any size, as golden bars with everything that a bar carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from perf.dataset import sessions
from truetape.domain.identity import instrument_id
from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.time import DAY_NS, NANOSECONDS, day_start_ns

BULK_SESSIONS = 250  # the newest ones came day by day, one payload for all instruments; the others by instrument
MINUTES = 390
LAST = date(2025, 12, 31)
_AGREED = "alpha_vantage,finnhub,iex_cloud,yahoo"


@dataclass(frozen=True)
class Market:
    """So many instruments with bars of so many days; at one minute a session has 390 bars."""

    instruments: int
    days: int
    timeframe: str = "1d"

    @property
    def names(self) -> list[str]:
        """The instruments, ascending."""
        return sorted(_name(number) for number in range(self.instruments))

    @property
    def rows(self) -> int:
        """The bars."""
        return self.instruments * self.days * (1 if self.timeframe == "1d" else MINUTES)

    @property
    def sessions(self) -> list[date]:
        """The days, ascending."""
        return sessions(self.days, last=LAST)

    def events(self) -> np.ndarray:
        """`ts_event` of one instrument's bars, UTC nanoseconds."""
        days = np.array([day_start_ns(day) for day in self.sessions])
        if self.timeframe == "1d":
            return days
        opened = 14 * 3600 + 30 * 60 + 60 * np.arange(MINUTES)
        return (days[:, None] + opened[None, :] * NANOSECONDS).ravel()

    def by_instrument(self, *, at_once: int = 200) -> Iterator[pl.DataFrame]:
        """Yield the bars of some instruments at a time, in the order of instrument and time."""
        events, names = self.events(), self.names
        for start in range(0, len(names), at_once):
            yield bars(names[start : start + at_once], events, timeframe=self.timeframe, seed=start)


def bars(names: list[str], events: np.ndarray, *, timeframe: str, seed: int) -> pl.DataFrame:
    """Return golden bars of `names` at `events`: random walks in cents, one in twenty with a provider that dissented."""
    random = np.random.default_rng(seed)
    count, length = len(names), len(events)
    walk = np.cumsum(random.normal(0, 0.01, (count, length)), axis=1)
    close = np.round(50 * np.exp(np.clip(walk, -3, 3)), 2)
    start = np.round(close * (1 + random.normal(0, 0.003, (count, length))), 2)
    dissent = random.random((count, length)) < 0.05
    days = events // DAY_NS
    newest = np.unique(days)[-BULK_SESSIONS]
    is_bulk = np.tile(days >= newest, count)
    frame = pl.DataFrame(
        {
            "instrument_id": pl.Series(names, dtype=pl.String).gather(np.repeat(np.arange(count), length)),
            "ts_event": np.tile(events, count),
            "open": start.ravel(),
            "high": np.round(np.maximum(start, close) * 1.005, 2).ravel(),
            "low": np.round(np.minimum(start, close) * 0.995, 2).ravel(),
            "close": close.ravel(),
            "volume": np.round(random.lognormal(14, 0.5, (count, length))).ravel(),
            "dissent": dissent.ravel(),
            "bulk": is_bulk,
        }
    )
    known = day_start_ns(LAST - timedelta(days=365))
    day = pl.col("ts_event") // DAY_NS
    of_day = pl.concat_str(pl.lit("day"), day.cast(pl.String).str.zfill(61))
    of_one = pl.concat_str(pl.lit("one"), pl.col("instrument_id").str.strip_prefix("ins_").str.pad_start(61, "0"))
    told: dict[str, object] = {
        "timeframe": timeframe,
        "currency": "USD",
        "basis": "raw",
        "feed": "composite",
        "provider": "alpha_vantage",
    }
    told |= {"flags": 0, "agreed": _AGREED, "version": 1, "simulated": True}
    made = frame.with_columns(
        *(pl.lit(value).alias(name) for name, value in told.items()),
        pl.when("bulk").then((day + 1) * DAY_NS - 2 * 3600 * NANOSECONDS).otherwise(known).alias("ts_known"),
        pl.when("bulk").then(of_day).otherwise(of_one).alias("payload"),
        pl.when("dissent").then(0.75).otherwise(1.0).alias("score"),
        pl.lit("consensus").alias("method"),
        pl.when("dissent").then(pl.lit("finnhub")).otherwise(pl.lit("")).alias("dissented"),
    )
    columns = TABLES["bars"].columns
    return made.select(
        pl.col(name).cast(dtype if dtype != INSTANT else pl.Int64) for name, dtype in columns.items()
    ).cast(
        dict(columns)  # type: ignore[arg-type]
    )


def _name(number: int) -> str:
    return instrument_id(mic="XNYS", symbol=f"S{number:07d}", valid_from=None)
