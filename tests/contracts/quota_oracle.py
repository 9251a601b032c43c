"""An exact keeper of quotas that shares no code with ours: it remembers each request, and polars tells the dates."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from truetape.domain.plans import Spending, Window

MEMORY = Path("/dev/shm")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "month": 31 * 86_400}
TRUNCATED = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1d", "month": "1mo"}


def folder_in_memory() -> Iterator[Path]:
    """Yield a folder, in memory where possible: a hundred thousand transactions need no disk to be judged."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@dataclass
class Requests:
    """The requests of one account that went out, in order of time."""

    at_ns: list[int] = field(default_factory=list)
    spent: list[Spending] = field(default_factory=list)

    def add(self, at_ns: int, spending: Spending) -> None:
        self.at_ns.append(at_ns)
        self.spent.append(spending)

    def most(self, window: Window) -> float:
        """Return the most that `window` ever held, at any moment."""
        if window.unit == "symbols":
            return self._most_symbols(window)
        amounts = [
            float(getattr(one, window.unit)) if window.endpoint in {"", one.endpoint} else 0.0 for one in self.spent
        ]
        frame = pl.DataFrame({"at": self.at_ns, "amount": amounts}, schema={"at": pl.Int64, "amount": pl.Float64})
        if not len(frame):
            return 0.0
        if not window.rolling:
            return float(frame.group_by(_period(window)).agg(pl.col("amount").sum())["amount"].max() or 0.0)  # type: ignore[arg-type]
        at, sums = frame["at"].to_numpy(), np.concatenate([[0.0], np.cumsum(frame["amount"].to_numpy())])
        length = SECONDS[window.period] * window.every * 10**9
        first = np.searchsorted(at, at - length, side="right")
        return float((sums[1:] - sums[first]).max())

    def _most_symbols(self, window: Window) -> float:
        frame = pl.DataFrame({"at": self.at_ns, "symbol": [list(one.symbols) for one in self.spent]})
        counted = frame.explode("symbol").drop_nulls().group_by(_period(window)).agg(pl.col("symbol").n_unique())
        return float(counted["symbol"].max() or 0)  # type: ignore[arg-type]


def _period(window: Window) -> pl.Expr:
    """Return the local period of each instant, by its wall clock and its offset, so that an hour may come twice."""
    local = pl.col("at").cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(window.zone)
    return local.dt.truncate(f"{window.every}{TRUNCATED[window.period][1:]}").alias("period")


@dataclass
class Greedy:
    """Let every request go that fits exactly: what an ideal ledger would grant."""

    windows: tuple[Window, ...]
    _held: dict[Window, dict[object, float]] = field(default_factory=dict)
    _rolled: dict[Window, tuple[list[int], list[float]]] = field(default_factory=dict)
    _symbols: dict[Window, dict[object, set[str]]] = field(default_factory=dict)

    def ask(self, at_ns: int, spending: Spending) -> bool:
        """Return whether the request fits into every window, and count it if so."""
        mine = [window for window in self.windows if window.endpoint in {"", spending.endpoint}]
        if not all(self._fits(window, at_ns, spending) for window in mine):
            return False
        for window in mine:
            if window.unit == "symbols":
                self._symbols[window][_label(window, at_ns)].update(spending.symbols)
            elif window.rolling:
                times, sums = self._rolled[window]
                times.append(at_ns)
                sums.append(sums[-1] + getattr(spending, window.unit))
            else:
                self._held[window][_label(window, at_ns)] += getattr(spending, window.unit)
        return True

    def _fits(self, window: Window, at_ns: int, spending: Spending) -> bool:
        if window.unit == "symbols":
            held = self._symbols.setdefault(window, defaultdict(set))[_label(window, at_ns)]
            return len(held | set(spending.symbols)) <= window.limit
        if window.rolling:
            times, sums = self._rolled.setdefault(window, ([], [0.0]))
            gone = bisect_right(times, at_ns - SECONDS[window.period] * window.every * 10**9)
            used = sums[-1] - sums[gone]
        else:
            used = self._held.setdefault(window, defaultdict(float))[_label(window, at_ns)]
        return bool(used + getattr(spending, window.unit) <= window.limit + 1e-6)


def _label(window: Window, at_ns: int) -> object:
    """Return the period that holds `at_ns`, by the wall clock of its zone; shorter ones than a day by UTC."""
    if window.period in {"day", "month"}:
        there = datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(ZoneInfo(window.zone))
        return (there.year, there.month, there.day if window.period == "day" else 0)
    return at_ns // 10**9 // (SECONDS[window.period] * window.every)
