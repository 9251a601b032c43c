"""Settings of the distribution room."""

from __future__ import annotations

import msgspec


class DistributionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept for readers and listeners."""

    latest_ttl_s: float = 86_400.0  # a latest bar that nobody renewed for so long is forgotten
    capacity: int = 1024  # events that wait for one subscriber before the oldest is dropped
