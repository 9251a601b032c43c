"""The factors themselves: what adjusts the bars of an instrument, ex-date by ex-date, as known at any time."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from truetape.domain.schema import INSTANT
from truetape.services.api.answers import Page
from truetape.services.api.endpoint import Endpoint, form_of
from truetape.services.api.formats import TABLE_FORMATS
from truetape.services.api.parameters import Parameter
from truetape.services.api.query import ActionsQuery
from truetape.services.api.reading import Reading
from truetape.services.api.shelf import Shelf

FACTORS: Final = {
    "symbol": pl.String(),  # as asked for
    "ex_date": pl.Date(),
    "split": pl.Float64(),  # new shares for one old on this day
    "dividend": pl.Float64(),  # what stays of the price on this day
    "volume_multiplier": pl.Float64(),  # what volumes before the ex-date are multiplied by, for later ones too
    "price_multiplier": pl.Float64(),  # what prices before it are multiplied by, for later ones too
    "version": pl.UInt32(),
    "ts_known": INSTANT,  # when the last of the facts that it follows from was known
}


async def factors(reading: Reading, shelf: Shelf, query: ActionsQuery) -> Page:
    """Return the factors of some symbols, symbol by symbol in the order of the question, each by ex-date: FACTORS.

    The two cumulated factors are those of all ex-dates from this one on, whatever range is asked for.

    Raises:
        UnknownSymbol, BadInput: A symbol means nothing, or too much.
        StoreUnavailable: The store cannot be read now.
    """
    directory = await shelf.directory(reading)
    shares, kept = (pl.col(name).cum_prod(reverse=True) for name in ("split", "dividend"))
    within = pl.col("ex_date").is_between(query.start or date.min, query.end or date.max)
    parts = []
    for symbol in query.symbols:
        listing = directory.find(symbol, start=query.start, end=query.end)
        rows = await shelf.factors(reading, listing.instrument_id)
        told = rows.with_columns(
            pl.lit(symbol).alias("symbol"), shares.alias("volume_multiplier"), (kept / shares).alias("price_multiplier")
        )
        parts.append(told.filter(within).select(list(FACTORS)))
    return Page(pl.concat(parts))


def factors_endpoint(*, symbols: Parameter, days: tuple[Parameter, ...], known: tuple[Parameter, ...]) -> Endpoint:
    """Return the endpoint of factors."""
    return Endpoint(
        name="factors",
        path="/v1/factors",
        title="Adjustment factors",
        about=(
            "What adjusts bars before each ex-date: new shares for one old, and what stays of the price; and, "
            "multiplied with those of later ex-dates, what volumes and prices before it are multiplied by. Each is "
            "known since the last of the actions and closes that it follows from."
        ),
        example="/v1/factors?symbols=AAPL",
        parameters=(symbols, *days, *known, form_of(TABLE_FORMATS)),
        formats=TABLE_FORMATS,
        columns=FACTORS,
    )
