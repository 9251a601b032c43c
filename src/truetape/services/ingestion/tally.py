"""Counts of what the room asked and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

MOST_LEFT_OUT: Final = 100


@dataclass
class Tally:
    """Running counts since the process started, by provider or by (provider, failure class)."""

    asked: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    received_bytes: Counter[str] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    last_failure: dict[str, str] = field(default_factory=dict)
    given_up: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, str] = field(default_factory=dict)  # series that nobody can be asked about, with the reasons
    archive_trouble: str = ""  # why the archive takes nothing now, "" if it does
    rounds_planned: int = 0
    rounds_closed: int = 0
    rounds_unanswered: int = 0

    def leave_out(self, series: str, words: str) -> None:
        """Note that nobody can be asked about `series`; the last hundred are kept."""
        self.left_out[series] = words
        while len(self.left_out) > MOST_LEFT_OUT:
            del self.left_out[next(iter(self.left_out))]
