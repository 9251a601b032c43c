"""Spending a day's or a month's quota evenly: patient questions use no more of it than has passed of the period."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from truetape.domain.periods import period_ns
from truetape.domain.plans import Window

HEAD_START: Final = 0.1  # of a period: so much may be spent as soon as it begins
LONG: Final = frozenset({"day", "month"})


def may_go_ns(standings: Iterable[tuple[Window, float]], *, now_ns: int, head_start: float = HEAD_START) -> int:
    """Return from when, in UTC nanoseconds, a patient request keeps every long window even; `now_ns` or earlier: now.

    Of each calendar day and month no more is used than the share of it that has passed, and a head start. Rolling and
    shorter windows renew themselves all the time and are not looked at.

    Args:
        standings: Each window with what is used of it.
        now_ns: The present.
        head_start: Share of the period.
    """
    earliest = now_ns
    for window, used in standings:
        if window.rolling or window.period not in LONG or window.limit <= 0:
            continue
        start, end = period_ns(window, at_ns=now_ns)
        share = (used + 1.0) / window.limit - head_start
        earliest = max(earliest, min(end, start + int(share * (end - start))))
    return earliest
