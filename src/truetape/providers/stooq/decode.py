"""Stooq's tables, read: bars of the site in English and Polish and of its bulk files, and quotes."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain import price_tables
from truetape.domain.asks import Ask
from truetape.domain.cells import instants, numbers
from truetape.domain.decoding import FIRST_DAY, Column, Payload, decoded, levels
from truetape.domain.errors import ProviderRefused
from truetape.domain.price_tables import STOOQ, recognized
from truetape.domain.tables import rows
from truetape.domain.unpacking import unpacked
from truetape.providers.stooq.classify import by_body, is_cut, is_data
from truetape.providers.stooq.names import currency, pair

PROVIDER: Final = "stooq"
SESSION: Final = ("open", "high", "low", "volume")
CLASSES: Final = {  # by what the name of a folder holds
    "stock": "equity",
    "etf": "etf",
    "indic": "index",
    "currenc": "fx",
    "crypto": "crypto",
    "bond": "bond",
    "future": "future",
    "commodit": "commodity",
}


class _Listing(msgspec.Struct):
    symbol: str
    market: str


class _Listings(msgspec.Struct):
    listings: list[_Listing]


_LISTINGS: Final = msgspec.json.Decoder(_Listings)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return bars: schema DECODED["bars"], ascending, in basis all; intraday stamps are Warsaw time.

    Days before 1800 are left out, as everywhere. The symbol is that of `ask`, since the site's tables name none.

    Raises:
        ProviderRefused: The body is an error, or a bulk file of other names.
        UndecodablePayload: It is neither an error nor a table of bars.
    """
    return _bars(Payload(provider=PROVIDER, kind="bars", body=body), ask)


def index_levels(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the daily closes of an index: schema DECODED["index_levels"], ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a table of bars.
    """
    return levels(_bars(Payload(provider=PROVIDER, kind="index_levels", body=body), ask))


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the daily closes of an exchange rate: schema DECODED["fx_rates"], ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a table of bars, or the symbol of `ask` names no two currencies.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    found = _bars(payload, ask)
    currencies = pair(ask.symbol)
    if currencies is None:
        raise payload.defect(f"the symbol {ask.symbol[:40]!r} names no two currencies")
    closed = found.filter(pl.col("close").is_not_null())
    columns = {"ts_event": closed["ts_event"], "rate": closed["close"]}
    return decoded("fx_rates", columns, base=currencies[0], quote=currencies[1])


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body names its symbols
    """Return the quotes of a table: schema DECODED["quotes"], in its order; stamps are Warsaw time.

    Raises:
        ProviderRefused: The body is an error, or the symbol is not known.
        UndecodablePayload: It is neither an error nor a table of quotes.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    table = _table(payload)
    names = recognized(table.columns)
    missing = [name for name in ("symbol", "when", "clock", "close") if name not in names]
    if missing:
        raise payload.defect(f"the column of {missing[0]} was missing")
    known = table.filter(pl.col(names["when"]).ne_missing("N/D"))
    symbols = known[names["symbol"]].str.to_lowercase()
    columns: dict[str, Column] = {
        **{str(one): numbers(payload, known[names[one]]) for one in SESSION if one in names},
        "symbol": symbols,
        "ts_event": instants(payload, known[names["when"]], zone=STOOQ.zone, clock=known[names["clock"]]),
        "price": numbers(payload, known[names["close"]]),
        "currency": pl.Series([currency(one or "") for one in symbols], dtype=pl.String),
    }
    return decoded("quotes", columns)


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body is about all names
    """Return the names that a folder of bulk files has: schema DECODED["listings"], by name.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list of names.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    found = payload.parse_or_refuse(_LISTINGS, by_body).listings
    columns: dict[str, Column] = {
        "symbol": [one.symbol for one in found],
        "exchange": [one.market or None for one in found],
        "asset_class": [_asset_class(one.market.lower()) for one in found],
        "currency": [currency(one.symbol) for one in found],
    }
    return decoded("listings", columns)


def _bars(payload: Payload, ask: Ask) -> pl.DataFrame:
    plain = unpacked(payload)
    table = _table(plain)
    when = recognized(table.columns).get("when")
    if when is not None:
        table = table.filter(pl.col(when).str.slice(0, 4).ge(str(FIRST_DAY.year)).fill_null(value=True))
    found = price_tables.bars(plain, table, ask, habits=STOOQ)
    return found.with_columns(pl.lit(currency(ask.symbol), dtype=pl.String).alias("currency"))


def _table(payload: Payload) -> pl.DataFrame:
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    if not is_data(payload.body):
        raise payload.defect("it began as none of its tables does")
    if is_cut(payload.body):
        raise payload.defect("its last line was cut")
    return rows(payload)


def _asset_class(market: str) -> str | None:
    return next((asset_class for word, asset_class in CLASSES.items() if word in market), None)
