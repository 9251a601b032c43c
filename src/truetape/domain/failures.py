"""How a provider's answer can fail: nine classes that every adapter maps to."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FailureClass(StrEnum):
    """What a failed answer means for the one who asked."""

    EMPTY = "empty"  # a valid question without rows
    THROTTLED = "throttled"  # too fast: wait seconds
    QUOTA = "quota"  # budget spent: wait for a named boundary
    ENTITLEMENT = "entitlement"  # this plan does not include it: ask elsewhere, no fault of the provider
    AUTH = "auth"  # key or session: refresh once, then stop
    PERMANENT = "permanent"  # bad symbol or parameter: never repeat
    TRANSIENT = "transient"  # 5xx, time-outs, cut or garbled bodies: back off and repeat
    BLOCKED = "blocked"  # anti-bot page or ban: stop for long, tell a human
    CONFLICT = "conflict"  # only one session allowed


REPEATABLE = frozenset({FailureClass.THROTTLED, FailureClass.TRANSIENT})


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A failed answer: its class, the provider's own words, and how long to wait if it said so."""

    failure_class: FailureClass
    words: str
    retry_after_s: float | None = None
