"""Checks of what is unlikely: statistics of the series, of its market and of its volume."""

from __future__ import annotations

from typing import Final

from truetape.services.quality.checks.check import Check

CHECKS: Final[tuple[Check, ...]] = ()
