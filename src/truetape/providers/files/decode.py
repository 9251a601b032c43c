"""Prices and actions in files, read: columns recognised by their names, and the basis by whose names they are."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain import price_tables
from truetape.domain.asks import Ask
from truetape.domain.cells import days, numbers, texts
from truetape.domain.decoding import Payload, decoded
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.price_tables import habits, recognized
from truetape.domain.schema import ACTION_TYPES
from truetape.providers.files.table import ACTION_COLUMNS, table

PROVIDER: Final = "files"


class _Names(msgspec.Struct):
    files: list[str]


_NAMES: Final = msgspec.json.Decoder(_Names)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the bars of a file: schema DECODED["bars"], ascending; times without a zone are UTC, Stooq's of Warsaw.

    The basis is that of a column of this name, else what the maker of such a file uses: domain.price_tables.habits.

    Raises:
        ProviderRefused: The file has a column of symbols, but no row of the symbol.
        UndecodablePayload: It is no table of bars, or they are of another timeframe.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    found = table(payload)
    return price_tables.bars(payload, found, ask, habits=habits(found.columns))


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the actions of a file: schema DECODED["actions"], ascending.

    They are rows of ex_date, type and value, or stand beside prices in columns of dividends and splits.

    Raises:
        ProviderRefused: The file has a column of symbols, but no row of the symbol.
        UndecodablePayload: It is no table, or a value is not readable.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    found = table(payload)
    own = {name.strip().lower(): name for name in found.columns}
    if not all(name in own for name in ACTION_COLUMNS):
        return price_tables.actions(payload, found, ask, habits=habits(found.columns))
    if "symbol" in own and ask.symbol:
        found = found.filter(texts(payload, found[own["symbol"]]).str.to_uppercase() == ask.symbol.upper())
    types = texts(payload, found[own["type"]]).str.to_lowercase()
    wrong = types.filter(~types.is_in(ACTION_TYPES).fill_null(value=False))
    if len(wrong):
        raise payload.defect(f"a type was {str(wrong[0])[:40]!r}, none of {', '.join(ACTION_TYPES)}")
    rows = pl.DataFrame(
        {
            "ex_date": days(payload, found[own["ex_date"]]),
            "type": types,
            "value": numbers(payload, found[own["value"]]),
            "currency": texts(payload, found[own["currency"]]) if "currency" in own else None,
        },
        schema_overrides={"currency": pl.String()},
    ).sort("ex_date", "type", maintain_order=True)
    return decoded("actions", rows.to_dict(), symbol=ask.symbol or None, basis="raw")


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body is about all symbols
    """Return the symbols that there are files of, or that a file's column of symbols names: by symbol.

    Raises:
        ProviderRefused: The file has no column of symbols.
        UndecodablePayload: It is neither a list of files nor a table.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    if body.startswith(b"{"):
        return decoded("listings", {"symbol": payload.parse(_NAMES).files})
    found = table(payload)
    name = recognized(found.columns).get("symbol")
    if name is None:
        failure = Failure(failure_class=FailureClass.PERMANENT, words="the file has no column of symbols")
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    return decoded("listings", {"symbol": texts(payload, found[name]).drop_nulls().unique().sort()})
