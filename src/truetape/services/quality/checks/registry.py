"""The registry of checks, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from truetape.services.quality.checks import action_aware, business, cross_provider, statistical, temporal
from truetape.services.quality.checks.check import Check
from truetape.services.quality.checks.shared import SHARED

HISTORY: Final = ("previous_close", "previous_price", "previous_ts", "previous_place", "usual_turnover", "usual_move")

_FAMILIES: Final = (business, temporal, statistical, action_aware, cross_provider)
CHECKS: Final[dict[str, Check]] = {check.name: check for family in _FAMILIES for check in family.CHECKS}


def standing(kind: str, *, timeframe: str | None = None) -> tuple[Check, ...]:
    """Return the checks of the registry that are for records of `kind`, and of `timeframe` if one is named."""
    return tuple(
        check
        for check in CHECKS.values()
        if kind in check.kinds and (timeframe is None or not check.timeframes or timeframe in check.timeframes)
    )


def needed(checks: Iterable[Check]) -> frozenset[str]:
    """Return the shared columns that `checks` need."""
    return frozenset(name for check in checks for name in check.needs)


def of_single_rows(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return those of `checks` that can find something in series of one row each: they need nothing before it."""
    return tuple(check for check in checks if not _needs_history(check.needs))


def _needs_history(names: Iterable[str]) -> bool:
    return any(name in HISTORY or _needs_history(SHARED[name].rests_on) for name in names if name in SHARED)
