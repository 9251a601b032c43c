"""The registry of checks, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from truetape.services.quality.checks import action_aware, business, cross_provider, statistical, temporal
from truetape.services.quality.checks.check import Check

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
