"""Price increments: how far apart two claims of one price may lie and still mean the same.

Where nobody knows the increment of an instrument, it is learnt from the decimals of the claims: the coarsest that any
provider's whole series is written in. That takes the place of the usual increment where this would be too coarse, more
than a hundredth of the price, or too fine for a series that is written in greater steps throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from truetape.services.quality.vote import INCREMENT

MOST_DECIMALS: Final = 8
ARTEFACT: Final = 2e-7  # share of a price by which a 32-bit float may miss the decimals that were meant
TELLING: Final = 20  # claims of one provider from which coarse decimals are a habit and no chance
COARSE: Final = 0.01  # share of the price that an increment may be before it is too coarse to be believed
WIDEST: Final = 0.005  # share of the price that a learnt increment may be

_SERIES: Final = ["instrument_id", "timeframe"]
_KNOWN: Final = ("instrument_id", "currency")


def decimals(price: pl.Expr) -> pl.Expr:
    """Return the fewest decimals that write `price`, but for a 32-bit artefact; at most MOST_DECIMALS."""
    found = pl.lit(MOST_DECIMALS)
    for places in reversed(range(MOST_DECIMALS)):
        found = pl.when((price - price.round(places)).abs() <= price.abs() * ARTEFACT).then(places).otherwise(found)
    return found.cast(pl.Int8)


def with_increments(claims: pl.DataFrame, *, usual: float, known: Mapping[str, float]) -> pl.DataFrame:
    """Return `claims` with the price increment of each in the column `increment`.

    Args:
        claims: `instrument_id`, `timeframe`, `ts_event`, `provider`, `close` (finite, above 0), `currency`.
        usual: The increment where nothing else is known and nothing can be learnt.
        known: By instrument_id or by currency; what is known of an instrument stands above the rest.
    """
    learnt = _learnt(claims, usual=usual)
    rows = claims if learnt is None else claims.join(learnt, on=_SERIES, how="left", maintain_order="left")
    found = pl.lit(usual)
    if learnt is not None:
        price = pl.col("close")
        wider = pl.when(pl.col("learnt").is_not_null()).then(pl.min_horizontal("learnt", price * WIDEST))
        fitting = pl.when(price * COARSE < usual).then(pl.col("finest")).otherwise(pl.max_horizontal(wider, usual))
        found = fitting.fill_null(usual)
    if known:
        told = [pl.col(name).replace_strict(dict(known), default=None, return_dtype=pl.Float64()) for name in _KNOWN]
        found = pl.coalesce(*told, found)
    return rows.with_columns(found.alias(INCREMENT)).select(*claims.columns, INCREMENT)


def _learnt(claims: pl.DataFrame, *, usual: float) -> pl.DataFrame | None:
    """Return `learnt` (null where claims are too few to tell a habit) and `finest` of the series worth a look."""
    dear = pl.col("close") * COARSE >= usual
    looked = claims
    if claims["ts_event"].n_unique() < TELLING:  # no series is long enough to tell a habit
        looked = claims.join(claims.filter(~dear), on=_SERIES, how="semi")
    if looked.is_empty():
        return None
    by_provider = looked.group_by(*_SERIES, "provider").agg(
        decimals(pl.col("close")).max().alias("places"), pl.len().alias("rows")
    )
    step = pl.lit(10.0).pow(-pl.col("places"))
    return by_provider.group_by(_SERIES).agg(
        step.filter(pl.col("rows") >= TELLING).max().alias("learnt"),
        pl.min_horizontal(step.max(), usual).alias("finest"),
    )
