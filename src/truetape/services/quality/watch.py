"""The watch over all live streams: a monitor for each provider and kind, each segment judged once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.domain.messages import TicksHeard
from truetape.domain.schema import TABLES, empty
from truetape.services.quality.freshness import SERIES_COLUMNS
from truetape.services.quality.monitor import Calendars, Monitor, Rows

MOST_CONNECTIONS: Final = 1000  # of which the last segment is remembered
HEARD: Final = {name: SERIES_COLUMNS[name] for name in ("instrument_id", "kind", "last")}


class Watch:
    """Judge segments in the order in which they are told; one that is told again gets the same answer."""

    def __init__(self, *, simulated: bool, most: int = MOST_CONNECTIONS) -> None:
        """Remember the last segment of `most` connections."""
        self._most = most
        self.day: date | None = None  # for which the calendars were read
        self._simulated = simulated
        self._nothing = empty(TABLES["findings"].columns)
        self._monitors: dict[tuple[str, str], Monitor] = {}  # by provider and kind
        self._last: dict[str, tuple[int, pl.DataFrame]] = {}  # the last segment of each connection, and its findings
        self._calendars: tuple[Calendars, Mapping[str, str]] = (Calendars(), {})

    def set_calendars(self, sessions: pl.DataFrame, listings: pl.DataFrame, *, day: date) -> None:
        """Take the calendar around `day` (mic, open, close) and where instruments are listed (instrument_id, mic)."""
        self.day = day
        self._calendars = (Calendars.of(sessions), dict(listings.select("instrument_id", "mic").iter_rows()))
        for one in self._monitors.values():
            one.set_calendars(*self._calendars)

    def hear(self, message: TicksHeard) -> pl.DataFrame:
        """Return what is wrong with a segment as rows of findings."""
        number, findings = self._last.get(message.connection, (-1, self._nothing))
        if message.number <= number:
            return findings
        heard = {"trades": _trades(*message.trades), "quotes": _quotes(*message.quotes)}
        parts = [part for kind, rows in heard.items() if (part := self._heard(message, kind, rows)) is not None]
        found = pl.concat(parts) if parts else self._nothing
        self._last.pop(message.connection, None)
        self._last[message.connection] = (message.number, found)
        if len(self._last) > self._most:
            del self._last[next(iter(self._last))]
        return found

    def silent(self, now_ns: int) -> Iterator[pl.DataFrame]:
        """Yield the findings about feeds that have fallen silent by `now_ns`, and about those that speak again."""
        for one in self._monitors.values():
            begun, over = one.silent(now_ns)
            if begun or over:
                yield one.findings([*over, *begun], simulated=self._simulated)

    def last_heard(self) -> pl.DataFrame:
        """Return when each instrument was heard of last by anyone: instrument_id, kind, last."""
        every = pl.concat([pl.DataFrame(schema=HEARD), *(one.last_heard() for one in self._monitors.values())])
        return every.group_by("instrument_id", "kind").agg(pl.col("last").max())

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How many trades and quotes each check was about, by provider and check."""
        counted: Counter[tuple[str, str]] = Counter()
        for (provider, _), one in self._monitors.items():
            counted.update({(provider, check): number for check, number in one.counts.items() if number})
        return counted

    def _heard(self, message: TicksHeard, kind: str, rows: Rows) -> pl.DataFrame | None:
        if not len(rows.who):
            return None
        place = (message.provider, kind)
        if place not in self._monitors:
            self._monitors[place] = Monitor(provider=message.provider, kind=kind)
            self._monitors[place].set_calendars(*self._calendars)
        one = self._monitors[place]
        found = one.hear(message.instruments, rows)
        return one.findings(found, simulated=message.simulated) if found else None


def _trades(who: bytes, at: bytes, known: bytes, price: bytes, ids: bytes) -> Rows:
    return Rows(*_columns(who, at, known), np.frombuffer(price), ids=np.frombuffer(ids, np.uint64))


def _quotes(who: bytes, at: bytes, known: bytes, bid: bytes, ask: bytes) -> Rows:
    """Return quotes with their middle; one with a side of no price stands for its worse side, which is told."""
    buys, sells = np.frombuffer(bid), np.frombuffer(ask)
    worst = np.fmin(buys, sells)
    middle = np.where(worst <= 0, worst, (buys + sells) / 2)
    return Rows(*_columns(who, at, known), middle, spread=sells - buys)


def _columns(who: bytes, at: bytes, known: bytes) -> tuple[Any, Any, Any]:
    return np.frombuffer(who, np.int32), np.frombuffer(at, np.int64), np.frombuffer(known, np.int64)
