"""The record kinds of registers: venues, currencies, issuers and the identifiers that name one thing."""

from __future__ import annotations

from typing import Final

import polars as pl

VENUE_COLUMNS: Final = {
    "mic": pl.String(),  # ISO 10383
    "operating_mic": pl.String(),  # of the exchange that it is a market of; its own, if it is the exchange
    "is_segment": pl.Boolean(),
    "name": pl.String(),
    "entity": pl.String(),  # the legal person that runs it
    "lei": pl.String(),
    "category": pl.String(),  # as MiFID names it: RMKT, MLTF, OTFS, SINT ...
    "acronym": pl.String(),
    "country": pl.String(),  # ISO 3166, two letters; ZZ: none
    "city": pl.String(),
    "website": pl.String(),
    "status": pl.String(),  # active, updated or expired
    "created": pl.Date(),
    "updated": pl.Date(),
    "expired": pl.Date(),  # the first day on which it is no more
    "comment": pl.String(),
}
CURRENCY_COLUMNS: Final = {
    "code": pl.String(),  # ISO 4217, three letters
    "numeric": pl.String(),  # its number, three digits
    "name": pl.String(),
    "country": pl.String(),  # one row for each country or body that uses it, in the words of the list
    "minor_units": pl.UInt32(),  # decimals; null: the list says N.A. (gold, SDR), or it is withdrawn
    "is_fund": pl.Boolean(),  # a unit of account, that nobody pays with
    "withdrawn": pl.String(),  # YYYY-MM, or the years in which it was; null: it is in use
}
ISSUER_COLUMNS: Final = {
    "cik": pl.String(),  # ten digits
    "lei": pl.String(),
    "name": pl.String(),
    "valid_from": pl.Date(),  # of the name, inclusive; null: not told
    "valid_to": pl.Date(),  # exclusive; null: it is the present name
    "status": pl.String(),  # ACTIVE or INACTIVE
    "registration": pl.String(),  # of the LEI: ISSUED, LAPSED, RETIRED, MERGED ...
    "legal_form": pl.String(),
    "country": pl.String(),  # of the law that it is under: ISO 3166, or the SEC's code
    "sic": pl.String(),  # four digits
    "industry": pl.String(),  # what the SIC code means
    "category": pl.String(),  # of filer or entity
    "fiscal_year_end": pl.String(),  # MMDD
}
IDENTIFIER_COLUMNS: Final[dict[str, pl.DataType]] = {
    "asked_type": pl.String(),  # isin, cusip, sedol, figi, ticker, lei or cik: what was asked about
    "asked": pl.String(),
    "symbol": pl.String(),
    "exchange": pl.String(),  # in the provider's code
    "name": pl.String(),
    "security_type": pl.String(),  # in the provider's words
    "isin": pl.String(),
    "figi": pl.String(),  # of the listing on one venue
    "composite_figi": pl.String(),  # of its listings in one country
    "share_class_figi": pl.String(),  # of the security everywhere
    "lei": pl.String(),
    "cik": pl.String(),  # ten digits
}
REGISTERS: Final[dict[str, dict[str, pl.DataType]]] = {
    "venues": VENUE_COLUMNS,
    "currencies": CURRENCY_COLUMNS,
    "issuers": ISSUER_COLUMNS,
    "identifiers": IDENTIFIER_COLUMNS,
}
