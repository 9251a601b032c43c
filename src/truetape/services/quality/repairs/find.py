"""Find the faults of one price series, each with its correction, until nothing is left to correct."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Final

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.amounts import wrong_amounts
from truetape.services.quality.repairs.disagreements import disagreements, odd_adjustments
from truetape.services.quality.repairs.gains import gains_counted_twice
from truetape.services.quality.repairs.missing import missing_dividends
from truetape.services.quality.repairs.phantoms import phantom_dividends
from truetape.services.quality.repairs.record import Repair, apply
from truetape.services.quality.repairs.splits import split_faults
from truetape.services.quality.repairs.unadjusted import unadjusted_dividends
from truetape.services.quality.repairs.units import unit_flips

MOST_ROUNDS: Final = 200

FINDERS: tuple[Callable[[PriceSeries], Sequence[Repair]], ...] = (
    unit_flips,
    split_faults,
    phantom_dividends,
    gains_counted_twice,
    disagreements,
    unadjusted_dividends,
    wrong_amounts,
    odd_adjustments,
    missing_dividends,
)


def find_repairs(series: PriceSeries) -> tuple[Repair, ...]:
    """Return the repairs that `series` needs, in the order in which they must be applied.

    Prices come first, since dividends are judged by them. After every repair the finders start again from the first,
    until none finds more, so that the repaired series needs no repair. What one of several repairs of a finder changes,
    another does not: it is judged again once the first is made.
    """
    found: list[Repair] = []
    left = [series]
    for made in takewhile(bool, (_apart(_first_found(left[-1])) for _ in range(MOST_ROUNDS))):
        left.append(apply(left[-1], made))
        found.extend(made)
    return tuple(found)


def _apart(made: Sequence[Repair]) -> Sequence[Repair]:
    """Return those of `made` that change no cell which one before them changes."""
    taken: set[tuple[str, int]] = set()
    apart = []
    for one in made:
        cells = {(change.column, row) for change in one.changes for row in change.rows}
        if not cells & taken:
            apart.append(one)
            taken |= cells
    return apart


def _first_found(series: PriceSeries) -> Sequence[Repair]:
    """Return what the first finder that finds something found."""
    return next((made for finder in FINDERS if (made := finder(series))), ())
