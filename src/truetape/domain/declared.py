"""What an operator's settings say of a listing; domain.messages tells it to the rooms."""

from __future__ import annotations

from datetime import date

import msgspec


class DeclaredListing(msgspec.Struct, frozen=True, kw_only=True):
    """One listing as the operator's configuration names it."""

    symbol: str
    mic: str
    name: str = ""
    currency: str = "USD"
    asset_class: str = "equity"
    valid_from: date | None = None
    valid_to: date | None = None
    instrument_id: str = ""  # of the instrument that goes on under this ticker; "" for the one that it first names
    isin: str = ""  # identifiers of the instrument: "" where none is told
    cusip: str = ""
    sedol: str = ""
    figi: str = ""
    lei: str = ""
    cik: str = ""
    lot: float | None = None  # shares of a round lot
    increment: float | None = None  # the least difference between two prices, in `currency`
