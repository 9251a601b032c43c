"""Backfills: what each of them still has to do, as rows of the table jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from truetape.domain.messages import BackfillRequested
from truetape.domain.schema import INSTANT, TABLES

State = Literal["running", "waiting", "done"]


@dataclass
class Job:
    """One backfill under way."""

    request: BackfillRequested
    unknown: tuple[str, ...] = ()
    planned: int = 0
    done: int = 0
    empty: int = 0
    waiting: set[str] = field(default_factory=set)  # rounds that nobody could answer yet
    version: int = 0

    @property
    def state(self) -> State:
        """What it is doing."""
        if self.done >= self.planned:
            return "done"
        return "waiting" if self.done + len(self.waiting) >= self.planned else "running"

    def note(self, round_id: str, ending: str) -> None:
        """Note how a round of it ended."""
        if ending == "unanswered":
            self.waiting.add(round_id)
            return
        self.waiting.discard(round_id)
        self.done += 1
        self.empty += ending != "closed"

    def row(self, *, now_ns: int) -> pl.DataFrame:
        """Return it as the next version of its row."""
        self.version += 1
        request = self.request
        values: dict[str, Any] = {
            "job_id": request.job_id,
            "kind": request.kind,
            "timeframe": request.timeframe,
            "start": request.start,
            "end": request.end,
            "symbols": len(request.symbols),
            "unknown": ",".join(self.unknown),
            "planned": self.planned,
            "done": self.done,
            "empty": self.empty,
            "waiting": len(self.waiting),
            "state": self.state,
            "requested": request.ts_known,
            "ts_known": now_ns,
            "version": self.version,
            "simulated": request.simulated,
        }
        columns = [
            pl.Series(name, [values[name]], dtype=pl.Int64).cast(dtype)
            if dtype == INSTANT
            else pl.Series(name, [values[name]], dtype=dtype)
            for name, dtype in TABLES["jobs"].columns.items()
        ]
        return pl.DataFrame(columns)
