"""The registry of checks, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from truetape.services.quality.checks import business, statistical
from truetape.services.quality.checks.check import Check

CHECKS: Final[dict[str, Check]] = {check.name: check for family in (business, statistical) for check in family.CHECKS}


def standing(kind: str) -> tuple[Check, ...]:
    """Return the checks of the registry that are for records of `kind`."""
    return tuple(check for check in CHECKS.values() if kind in check.kinds)


def needed(checks: Iterable[Check]) -> frozenset[str]:
    """Return the shared columns that `checks` need."""
    return frozenset(name for check in checks for name in check.needs)
