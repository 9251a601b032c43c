"""Settings of the quality room."""

from __future__ import annotations

import msgspec


class QualityConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How much claims may differ, and whose word weighs what."""

    trust: dict[str, float] = {}  # weight of each provider's vote; 1.0 where none is given
    increment: float = 0.01  # price increment; claims within one increment agree
    relative: float = 2e-4  # and so do claims within this share of the price
    stale_sessions: int = 3  # this many equal bars in a row make a series stale
