"""Settings of the distribution room."""

from __future__ import annotations

import msgspec

GROUPS = ("check", "severity", "provider", "instrument", "kind")


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings are worth telling whom, and how often. An empty tuple matches everything; `*` stands for any."""

    name: str
    channel: str
    checks: tuple[str, ...] = ()  # checks, and reasons of quarantined claims
    severity: str = "error"  # at least; note, warning (quarantined claims are that grave) or error
    providers: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()  # symbols
    kinds: tuple[str, ...] = ()  # timeframes of bars, trades or quotes
    count: int = 1  # so many findings of one group
    within_s: float = 3600.0  # in so long a time make an alert
    cool_down_s: float = 14_400.0  # in which more of the same are counted and not told
    resolve_after_s: float = 14_400.0  # without any more it is over; of what stands until it is ended, that counts
    newer_than_s: float = 604_800.0  # findings about older events alarm nobody: a backfill is no emergency
    group_by: tuple[str, ...] = ("check", "provider", "instrument")  # of GROUPS


class DistributionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept for readers and listeners, and who is alarmed when."""

    latest_ttl_s: float = 86_400.0  # a latest bar that nobody renewed for so long is forgotten
    capacity: int = 1024  # events that wait for one subscriber before the oldest is dropped
    rules: tuple[AlertRule, ...] = ()
    look_s: float = 5.0  # between two looks whether an alert is over
    simulated: bool = False
