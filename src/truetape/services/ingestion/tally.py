"""Counts of what the room asked and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Running counts since the process started, by provider or by (provider, failure class)."""

    asked: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    received_bytes: Counter[str] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    last_failure: dict[str, str] = field(default_factory=dict)
    given_up: Counter[str] = field(default_factory=Counter)
    archive_trouble: str = ""  # why the archive takes nothing now, "" if it does
    rounds_planned: int = 0
    rounds_closed: int = 0
    rounds_unanswered: int = 0
