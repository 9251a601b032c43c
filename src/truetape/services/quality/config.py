"""Settings of the quality room."""

from __future__ import annotations

from typing import Literal

import msgspec

from truetape.services.quality.checks import CheckSetting
from truetape.services.quality.objectives import Objectives


class QualityConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How much claims may differ, and whose word weighs what."""

    trust: dict[str, float] = {}  # weight of each provider's vote before anything is learnt; 1.0 where none is given
    sources: dict[str, str] = {}  # whose numbers a provider passes on, where they are not its own
    increment: float = 0.01  # price increment; claims within one increment agree
    increments: dict[str, float] = {}  # by instrument or currency, where they are known
    relative: float = 2e-4  # and so do claims within this share of the price
    quorum: int = 1  # providers that must agree
    quorum_weight: float = 0.0  # and what they must weigh together
    below_quorum: Literal["flag", "withhold"] = "flag"  # what becomes of a bar that fewer agree on
    stale_sessions: int = 3  # this many equal bars in a row make a series stale
    checks: dict[str, CheckSetting] = {}  # how checks are tuned, by their names
    freshness: Objectives = Objectives()  # how soon what is due
    watch_s: float = 60.0  # between two looks at what is late
    simulated: bool = False
