"""Settings of the reference room."""

from __future__ import annotations

import msgspec


class ReferenceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How venues find their calendars."""

    borrowed: dict[str, str] = {}  # MIC without a calendar of its own to the MIC whose calendar it keeps
