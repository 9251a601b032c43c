"""Settings of the corporate actions room."""

from __future__ import annotations

import msgspec


class CorporateActionsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which closes a dividend is measured against."""

    timeframe: str = "1d"  # the golden bars whose close before the ex-date a dividend is divided by
