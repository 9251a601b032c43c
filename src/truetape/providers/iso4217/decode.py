"""The lists of currencies, read: XML with a row for each country, codes, and decimals that may not apply."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.errors import ProviderRefused
from truetape.domain.markup import flat_rows
from truetape.providers.iso4217.classify import ROOT, by_body

PROVIDER: Final = "iso4217"
ROWS: Final = ("CcyNtry", "HstrcCcyNtry")  # of currencies in use, and of withdrawn ones
NOT_APPLICABLE: Final = ("N.A.", "")
MOST_UNITS: Final = 8
_CODE: Final = r"^[A-Z]{3}$"
_BEGINNING: Final = 1024


def currencies(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - a list holds all currencies
    """Return schema DECODED["currencies"], in the order of the list: a row for each country.

    Decimals are missing where the list says N.A. Places without a currency (Antarctica) are left out.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list, a code is none, or decimals are none.
    """
    payload = Payload(provider=PROVIDER, kind="currencies", body=body)
    payload.bounded()
    failure = by_body(body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    if ROOT not in body[:_BEGINNING]:
        raise payload.defect("it was no list of currencies")
    rows = [row for name in ROWS for row in flat_rows(payload, name=name)]
    known = [row for row in rows if row.get("Ccy")]
    if not known:
        raise payload.defect("it names no currency in an element Ccy")
    codes = pl.Series([row["Ccy"] for row in known], dtype=pl.String)
    wrong = ~codes.str.contains(_CODE)
    if wrong.any():
        raise payload.defect(f"a value of Ccy was {codes.filter(wrong)[0][:40]!r}, no code of three letters")
    columns: dict[str, Column] = {
        "code": codes,
        "numeric": [row.get("CcyNbr") or None for row in known],
        "name": [row.get("CcyNm") or None for row in known],
        "country": [row.get("CtryNm") or None for row in known],
        "minor_units": _units(payload, [row.get("CcyMnrUnts", "") for row in known]),
        "is_fund": [row.get("CcyNm.IsFund", "").lower() == "true" for row in known],
        "withdrawn": [row.get("WthdrwlDt") or None for row in known],
    }
    return decoded("currencies", columns)


def _units(payload: Payload, texts: list[str]) -> pl.Series:
    numbers = payload.numbers(texts, field="CcyMnrUnts", missing=NOT_APPLICABLE)
    told = numbers.drop_nulls()
    if not (told.is_between(0, MOST_UNITS) & (told == told.floor())).all():
        raise payload.defect("a value of CcyMnrUnts was no number of decimals")
    return numbers.cast(pl.UInt8)
