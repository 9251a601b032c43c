"""The steps in which a venue lets prices move, and prices put back on them that 32-bit numbers pushed off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

Steps = Sequence[
    tuple[float, float]
]  # from which price, inclusive and ascending, and how wide the steps are from there

USUAL: Final[Steps] = ((0.0, 0.0001), (1.0, 0.01))  # US shares (Regulation NMS, rule 612)
ARTEFACT: Final = 2.0**-24  # share of a number by which the nearest 32-bit one may miss it
_TEN_THOUSAND: Final = 1e4
CLEAR: Final = 0.25  # of a step: where artefacts may be greater, nobody can tell which price was meant


def on_steps(price: pl.Expr, *, steps: Steps = USUAL) -> pl.Expr:
    """Return `price` on its step where it is a 32-bit number that misses the step by no more than such numbers must.

    Every other price is left as it is: 187.14999389648438 becomes 187.15; 187.1499 and 187.145 stay.

    Args:
        price: 64-bit, not below 0.
        steps: The first begins at 0.
    """
    single = price.cast(pl.Float32).cast(pl.Float64) == price
    nearest = pl.lit(None, pl.Float64)
    width = pl.lit(None, pl.Float64)
    for begin, step in reversed(steps):
        reached = nearest.is_null() & (price >= begin * (1 - ARTEFACT))
        nearest = pl.when(reached).then(_multiple(price, step)).otherwise(nearest)
        width = pl.when(reached).then(pl.lit(step)).otherwise(width)
    missed = price * ARTEFACT
    is_artefact = single & ((nearest - price).abs() <= missed) & (missed < width * CLEAR)
    return pl.when(is_artefact).then(nearest).otherwise(price)


def may_be_off(prices: pl.Series) -> bool:
    """Return whether any of `prices` is a 32-bit number with more than four decimals: only such ones may be artefacts.

    It takes far less time than to look for the steps themselves.
    """
    values = prices.to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32) == values
        parts = values[single] * _TEN_THOUSAND
    return bool((parts != np.rint(parts)).any())


def _multiple(price: pl.Expr, step: float) -> pl.Expr:
    """Return the multiple of `step` that is nearest to `price`: of whole parts of one, the nearest number to it."""
    each = round(1 / step)
    if step < 1 and abs(each * step - 1) < ARTEFACT:
        return (price * each).round() / each
    return (price / step).round() * step
