"""The SEC's lists of tickers and pages of issuers, read: JSON as the SEC writes it, and tables made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain import tables
from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.providers.sec.classify import by_body, is_table

PROVIDER: Final = "sec"
MICS: Final = {"nasdaq": "XNAS", "nyse": "XNYS", "cboe": "BATS", "otc": "OTCM"}
NONE: Final = ("None", "null", "")  # where there is no exchange, in tables that programs wrote
DAY: Final = len("YYYY-MM-DD")
CIK_DIGITS: Final = 10
NEEDED: Final = ("cik", "symbol")
_CIK: Final = r"^\d{1,10}$"
_NAMES: Final = {  # of the columns, in the SEC's JSON and in tables made of it
    "cik": ("cik", "cik_str"),
    "symbol": ("ticker", "symbol"),
    "name": ("name", "title"),
    "exchange": ("exchange",),
}


class _Named(msgspec.Struct):
    cik_str: int | str
    ticker: str
    title: str | None = None


class _Table(msgspec.Struct):
    fields: list[str]
    data: list[list[int | str | None]]


class _Former(msgspec.Struct, rename={"since": "from", "until": "to"}):
    name: str
    since: str | None = None
    until: str | None = None


class _Issuer(msgspec.Struct, rename="camel"):
    cik: int | str
    name: str
    tickers: list[str | None]
    exchanges: list[str | None]
    entity_type: str | None = None
    sic: str | None = None
    sic_description: str | None = None
    lei: str | None = None
    category: str | None = None
    fiscal_year_end: str | None = None
    state_of_incorporation: str | None = None
    former_names: list[_Former] = []


_LIST: Final[msgspec.json.Decoder[dict[str, _Named] | list[_Named]]] = msgspec.json.Decoder(
    dict[str, _Named] | list[_Named]
)
_FIELDS: Final = msgspec.json.Decoder(_Table)
_ISSUER: Final = msgspec.json.Decoder(_Issuer)


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the rows name their symbols
    """Return schema DECODED["listings"] of a list of tickers, in its order: all are active.

    Both lists are read, company_tickers.json without exchanges and company_tickers_exchange.json, and tables in CSV
    with their columns. A ticker named NA or NAN is a ticker.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor such a list.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    columns = _from_table(payload) if is_table(body) else _from_json(payload)
    symbol = payload.series(columns["symbol"], pl.String(), field="ticker")
    if symbol.null_count() or (symbol == "").any():
        raise payload.defect("a row had no ticker")
    exchange = payload.series(columns["exchange"], pl.String(), field="exchange")
    exchange = exchange.set(exchange.is_in(list(NONE)), None)
    named: dict[str, Column] = {
        "symbol": symbol,
        "name": columns["name"],
        "exchange": exchange,
        "mic": exchange.str.to_lowercase().replace_strict(MICS, default=None, return_dtype=pl.String),
        "cik": _ciks(payload, columns["cik"]),
    }
    return decoded("listings", named, status="active")


def issuers(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the page names its issuer
    """Return schema DECODED["issuers"] of the page of an issuer: its name now, and those before, the newest first.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor such a page.
    """
    payload = Payload(provider=PROVIDER, kind="issuers", body=body)
    page = payload.parse_or_refuse(_ISSUER, by_body)
    begins = [(one.since or "")[:DAY] for one in page.former_names]
    ends = [(one.until or "")[:DAY] for one in page.former_names]
    columns: dict[str, Column] = {
        "name": [page.name, *(one.name for one in page.former_names)],
        "valid_from": payload.dates([max(ends, default=""), *begins], field="formerNames.from", missing=("",)),
        "valid_to": payload.dates(["", *ends], field="formerNames.to", missing=("",)),
    }
    return decoded(
        "issuers",
        columns,
        cik=_ciks(payload, [str(page.cik)])[0],
        lei=page.lei or None,
        sic=page.sic or None,
        industry=page.sic_description or None,
        category=page.category or page.entity_type or None,
        country=page.state_of_incorporation or None,
        fiscal_year_end=page.fiscal_year_end or None,
    )


def identifiers(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the page names its issuer
    """Return schema DECODED["identifiers"] of the page of an issuer: a row for each of its tickers.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor such a page.
    """
    payload = Payload(provider=PROVIDER, kind="identifiers", body=body)
    page = payload.parse_or_refuse(_ISSUER, by_body)
    cik = _ciks(payload, [str(page.cik)])[0]
    places = [*page.exchanges, *[None] * (len(page.tickers) - len(page.exchanges))]
    pairs = [(ticker, place) for ticker, place in zip(page.tickers, places, strict=False) if ticker]
    columns: dict[str, Column] = {
        "symbol": pl.Series([ticker for ticker, _ in pairs], dtype=pl.String),
        "exchange": pl.Series([place for _, place in pairs], dtype=pl.String),
    }
    told = {"asked_type": "cik", "asked": cik, "cik": cik, "lei": page.lei or None, "name": page.name}
    return decoded("identifiers", columns, **told)


def _from_json(payload: Payload) -> dict[str, Sequence[Any] | pl.Series]:
    head = payload.body[:64].lstrip()
    if head.startswith(b'{"fields"'):
        table = payload.parse_or_refuse(_FIELDS, by_body)
        places = {name: _place(payload, table.fields, name) for name in _NAMES}
        if any(len(row) != len(table.fields) for row in table.data):
            raise payload.defect("a row had another number of cells than there are fields")
        return {
            name: [None if place is None or row[place] is None else str(row[place]) for row in table.data]
            for name, place in places.items()
        }
    found = payload.parse_or_refuse(_LIST, by_body)
    rows = list(found.values()) if isinstance(found, dict) else found
    if not rows:
        raise payload.defect("it named no ticker")
    return {
        "cik": [str(one.cik_str) for one in rows],
        "symbol": [one.ticker for one in rows],
        "name": [one.title for one in rows],
        "exchange": [None] * len(rows),
    }


def _from_table(payload: Payload) -> dict[str, Sequence[Any] | pl.Series]:
    if not tables.ends_whole(payload.body):
        raise payload.defect("its last line was cut")
    frame = tables.rows(payload)
    lowered = {name.lower(): name for name in frame.columns}
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(frame))
    found = {name: next((lowered[one] for one in known if one in lowered), "") for name, known in _NAMES.items()}
    missing = [name for name in NEEDED if not found[name]]
    if missing:
        raise payload.defect(f"the column {missing[0]} was missing in {','.join(frame.columns)[:200]!r}")
    return {name: frame[column] if column else nothing for name, column in found.items()}


def _place(payload: Payload, fields: list[str], wanted: str) -> int | None:
    """Return the place of a field; None where one is missing that the lists of funds do not have."""
    place = next((fields.index(name) for name in _NAMES[wanted] if name in fields), None)
    if place is None and wanted in NEEDED:
        raise payload.defect(f"the field {wanted} was missing in {','.join(fields)[:200]!r}")
    return place


def _ciks(payload: Payload, texts: Column) -> pl.Series:
    column = payload.series(texts, pl.String(), field="cik")
    wrong = ~column.str.contains(_CIK).fill_null(value=False)
    if wrong.any():
        raise payload.defect(f"a value of cik was {str(column.filter(wrong)[0])[:40]!r}, no number of ten digits")
    return column.str.zfill(CIK_DIGITS)
