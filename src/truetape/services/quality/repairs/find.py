"""Find the faults of one price series, each with its correction, until nothing is left to correct."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.record import Repair, apply

MOST_ROUNDS: Final = 8

FINDERS: tuple[Callable[[PriceSeries], Sequence[Repair]], ...] = ()


def find_repairs(series: PriceSeries) -> tuple[Repair, ...]:
    """Return the repairs that `series` needs, in the order in which they must be applied.

    Each finder sees the series as the ones before it left it. They go round until none finds more, so that the
    repaired series needs no repair.
    """
    found: list[Repair] = []
    for _ in range(MOST_ROUNDS):
        before = len(found)
        for finder in FINDERS:
            made = finder(series)
            series = apply(series, made)
            found.extend(made)
        if len(found) == before:
            break
    return tuple(found)
