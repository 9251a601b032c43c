"""The instrument master: what the operator declares, as instruments and dated listings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.identifiers import SCHEMES, normalized
from truetape.domain.identity import instrument_id
from truetape.domain.messages import DeclaredListing
from truetape.domain.schema import INSTANT, TABLES

SETTINGS: Final = "settings"  # the source of what an operator declares


def identify(listing: DeclaredListing) -> str:
    """Return the permanent id of the instrument that `listing` names: its own, or that of its first listing."""
    return listing.instrument_id or instrument_id(mic=listing.mic, symbol=listing.symbol, valid_from=listing.valid_from)


def instruments(declared: Sequence[DeclaredListing], *, ts_known: int, simulated: bool) -> pl.DataFrame:
    """Return the rows of the instruments table for `declared`, all known since `ts_known`."""
    columns = {
        "instrument_id": [identify(one) for one in declared],
        "name": [one.name or one.symbol for one in declared],
        "asset_class": [one.asset_class for one in declared],
        "currency": [one.currency for one in declared],
    }
    return _rows("instruments", columns, ts_known=ts_known, simulated=simulated)


def listings(declared: Sequence[DeclaredListing], *, ts_known: int, simulated: bool) -> pl.DataFrame:
    """Return the rows of the listings table for `declared`, all known since `ts_known`."""
    columns: dict[str, Sequence[object]] = {
        "instrument_id": [identify(one) for one in declared],
        "symbol": [one.symbol for one in declared],
        "mic": [one.mic for one in declared],
        "valid_from": [one.valid_from for one in declared],
        "valid_to": [one.valid_to for one in declared],
    }
    return _rows("listings", columns, ts_known=ts_known, simulated=simulated)


def identifiers(
    declared: Sequence[DeclaredListing], known: pl.DataFrame, *, ts_known: int, simulated: bool
) -> pl.DataFrame:
    """Return the rows of the identifiers table for `declared`; another one of a scheme ends what was declared before.

    Args:
        declared: What the operator names.
        known: Rows of identifiers of the same instruments, current ones.
        ts_known: Since when it is known, UTC nanoseconds.
        simulated: Of the rows.

    Raises:
        BadInput: One has a wrong check digit.
    """
    told = {
        (identify(one), scheme, _checked(one, scheme)): None
        for one in declared
        for scheme in SCHEMES
        if getattr(one, scheme)
    }
    columns: dict[str, Sequence[object]] = {
        name: [row[place] for row in told] for place, name in enumerate(("instrument_id", "scheme", "value"))
    }
    nothing = [None] * len(told)
    rows = _rows(
        "identifiers",
        {**columns, "valid_from": nothing, "valid_to": nothing, "source": [SETTINGS] * len(told)},
        ts_known=ts_known,
        simulated=simulated,
    )
    before = known.filter(pl.col("source") == SETTINGS, pl.col("valid_to").is_null())
    gone = before.join(rows, on=["instrument_id", "scheme"], how="semi").join(
        rows, on=["instrument_id", "scheme", "value"], how="anti"
    )
    ended = gone.with_columns(
        pl.lit(ts_known).cast(INSTANT).dt.date().alias("valid_to"), pl.lit(ts_known).cast(INSTANT).alias("ts_known")
    )
    return pl.concat([rows, ended])


def listing_details(declared: Sequence[DeclaredListing], *, ts_known: int, simulated: bool) -> pl.DataFrame:
    """Return the rows of the table listing_details for those of `declared` that tell a lot or an increment."""
    told = [one for one in declared if one.lot is not None or one.increment is not None]
    names = ("symbol", "mic", "valid_from", "valid_to", "currency", "lot", "increment")
    columns: dict[str, Sequence[object]] = {
        "instrument_id": [identify(one) for one in told],
        **{name: [getattr(one, name) for one in told] for name in names},
        "status": [None] * len(told),
        "board": [None] * len(told),
        "source": [SETTINGS] * len(told),
    }
    return _rows("listing_details", columns, ts_known=ts_known, simulated=simulated)


def _checked(listing: DeclaredListing, scheme: str) -> str:
    try:
        return normalized(scheme, getattr(listing, scheme))
    except BadInput as error:
        parameter = f"{scheme} of {listing.symbol} on {listing.mic}"
        raise BadInput(parameter=parameter, value=error.value, fix=error.fix) from None


def refuse_conflicts(listed: pl.DataFrame) -> None:
    """Accept `listed` (rows of the listings table) if at no time two of them claim one ticker on one venue.

    Raises:
        BadInput: Two claims overlap, or one ends before it begins.
    """
    claims = listed.sort("mic", "symbol", pl.col("valid_from").fill_null(date.min), "valid_to", nulls_last=True)
    rows = claims.select("mic", "symbol", "valid_from", "valid_to").rows()
    for mic, symbol, begins, ends in rows:
        if begins is not None and ends is not None and begins >= ends:
            raise BadInput(
                parameter=f"valid_to of {symbol} on {mic}",
                value=str(ends),
                fix=f"The listing begins on {begins}; valid_to is the first day after it, so write a later date.",
            )
    for (mic, symbol, begins, ends), (next_mic, next_symbol, next_begins, _) in pairwise(rows):
        same = (mic, symbol) == (next_mic, next_symbol)
        if same and (ends is None or next_begins is None or next_begins < ends):
            raise BadInput(
                parameter="instruments",
                value=f"{symbol} on {mic}",
                fix=(
                    f"Two instruments claim it at once: one {_span(begins, ends)}, the next from "
                    f"{next_begins or 'ever'}. Give the earlier a valid_to no later than the other's valid_from."
                ),
            )


def _span(begins: date | None, ends: date | None) -> str:
    return f"from {begins or 'ever'} until {ends or 'today'}"


def _rows(table: str, columns: Mapping[str, Sequence[object]], **origin: object) -> pl.DataFrame:
    schema = {name: dtype for name, dtype in TABLES[table].columns.items() if name in columns}
    constants = [
        pl.lit(value).cast(TABLES[table].columns[name]).alias(name) for name, value in {**origin, "version": 1}.items()
    ]
    return pl.DataFrame(columns, schema=schema).with_columns(constants).select(list(TABLES[table].columns))
