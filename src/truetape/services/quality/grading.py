"""By what the room decides: the rules of one batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from truetape.services.quality.vote import Tolerance


@dataclass(frozen=True)
class Grading:
    """By what the room decides."""

    round_id: str
    ts_known: int
    tolerance: Tolerance
    trust: Mapping[str, float]
    stale_sessions: int
    simulated: bool
