"""The checks: a registry of pure functions that judge evidence, and what examines records by all of them at once."""

from truetape.services.quality.checks.barring import broken_rules, quiet
from truetape.services.quality.checks.check import (
    FAMILIES,
    FINDINGS,
    RECORD_KINDS,
    REPAIRS,
    SEVERITIES,
    Broken,
    Check,
    Tuning,
)
from truetape.services.quality.checks.evidence import prepare
from truetape.services.quality.checks.examine import examine, find
from truetape.services.quality.checks.registry import CHECKS, needed, of_single_rows, standing
from truetape.services.quality.checks.shared import SHARED
from truetape.services.quality.checks.surroundings import Surroundings
from truetape.services.quality.checks.tuning import CheckSetting, Scoped

__all__ = [
    "CHECKS",
    "FAMILIES",
    "FINDINGS",
    "RECORD_KINDS",
    "REPAIRS",
    "SEVERITIES",
    "SHARED",
    "Broken",
    "Check",
    "CheckSetting",
    "Scoped",
    "Surroundings",
    "Tuning",
    "broken_rules",
    "examine",
    "find",
    "needed",
    "of_single_rows",
    "prepare",
    "quiet",
    "standing",
]
