"""Settings of the quality room."""

from __future__ import annotations

import msgspec

from truetape.services.quality.freshness import Objectives


class QualityConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How much claims may differ, and whose word weighs what."""

    trust: dict[str, float] = {}  # weight of each provider's vote; 1.0 where none is given
    increment: float = 0.01  # price increment; claims within one increment agree
    relative: float = 2e-4  # and so do claims within this share of the price
    stale_sessions: int = 3  # this many equal bars in a row make a series stale
    freshness: Objectives = Objectives()  # how soon what is due
    watch_s: float = 60.0  # between two looks at what is late
    simulated: bool = False
