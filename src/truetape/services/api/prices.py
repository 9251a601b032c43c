"""The prices of one bar, as they are told."""

from __future__ import annotations

import msgspec


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """Open to volume; null where it is missing."""

    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None
