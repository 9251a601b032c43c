"""How patiently channels are told, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import polars as pl

LONGEST_PAUSE_S: Final = 300.0
MOST_NAMES: Final = 500  # of checks that are counted apart; the others are counted together
OTHER: Final = "other"


def pause_s(attempt: int) -> float:
    """Return how long to wait after the `attempt`-th try, counted from 1: 1, 2, 4 ... seconds, at most 5 minutes."""
    return min(2.0 ** min(attempt - 1, 10), LONGEST_PAUSE_S)


@dataclass
class Tally:
    """What was found and told since the start. Bounded: names beyond MOST_NAMES are counted as "other"."""

    found: Counter[tuple[str, str]] = field(default_factory=Counter)  # findings by check and severity
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)  # alerts by channel and state
    failed: Counter[str] = field(default_factory=Counter)  # alerts given up, by channel

    def count(self, troubles: pl.DataFrame) -> None:
        """Count findings and quarantined claims (check and severity)."""
        for check, severity, number in troubles.group_by("check", "severity").len().iter_rows():
            known = (check, severity) in self.found or len(self.found) < MOST_NAMES
            self.found[(check, severity) if known else (OTHER, severity)] += number
