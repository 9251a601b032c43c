"""The conformance kit: numbered checks that every provider must stand, found and chosen by its declaration."""

from __future__ import annotations

from truetape.app.conformance import asked, daily_rows, declared, failing, hostile, other_rows, paging, streams
from truetape.app.conformance.registry import CHECKS, Check
from truetape.app.conformance.run import Outcome, Result, examine, stand
from truetape.app.conformance.subject import Subject, of_module, registered

PARTS = (
    declared,
    asked,
    daily_rows,
    other_rows,
    paging,
    failing,
    hostile,
    streams,
)  # importing them registers their checks

__all__ = ["CHECKS", "PARTS", "Check", "Outcome", "Result", "Subject", "examine", "of_module", "registered", "stand"]
