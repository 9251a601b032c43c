"""The register of markets, read: CSV in UTF-8 or Windows-1252, with dates without dashes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from truetape.domain import tables
from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.drift import names_differ, words
from truetape.domain.errors import ProviderRefused
from truetape.providers.iso10383.classify import by_body

PROVIDER: Final = "iso10383"
STATES: Final = {
    "ACTIVE": "active",
    "UPDATED": "updated",
    "MODIFIED": "updated",
    "EXPIRED": "expired",
    "DELETED": "expired",
}
COLUMNS: Final = {  # of the register, today's name first; others are those of older forms
    "mic": ("MIC",),
    "operating_mic": ("OPERATING MIC",),
    "is_segment": ("OPRT/SGMT", "O/S"),
    "name": ("MARKET NAME-INSTITUTION DESCRIPTION", "NAME-INSTITUTION DESCRIPTION"),
    "entity": ("LEGAL ENTITY NAME",),
    "lei": ("LEI",),
    "category": ("MARKET CATEGORY CODE",),
    "acronym": ("ACRONYM",),
    "country": ("ISO COUNTRY CODE (ISO 3166)",),
    "city": ("CITY",),
    "website": ("WEBSITE",),
    "status": ("STATUS",),
    "created": ("CREATION DATE",),
    "updated": ("LAST UPDATE DATE", "STATUS DATE"),
    "expired": ("EXPIRY DATE",),
    "comment": ("COMMENTS",),
}
NEEDED: Final = ("mic", "operating_mic", "is_segment", "name", "country", "status")
_SEGMENTS: Final = {"SGMT": True, "S": True, "OPRT": False, "O": False}
_DATES: Final = ("created", "updated", "expired")
_MIC: Final = r"^[A-Z0-9]{4}$"
_MARK: Final = b"\xef\xbb\xbf"


def venues(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the register holds all markets
    """Return schema DECODED["venues"], in the order of the register.

    Dates that are written in words ("before June 2005") are missing.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor the register, or its last line was cut.
    """
    payload = _in_utf_8(Payload(provider=PROVIDER, kind="venues", body=body))
    found = _columns(payload)
    segment = found["is_segment"].replace_strict(_SEGMENTS, default=None, return_dtype=pl.Boolean)
    status = found["status"].str.to_uppercase().replace_strict(STATES, default=None, return_dtype=pl.String)
    for name, column in (("OPRT/SGMT", segment), ("STATUS", status)):
        if column.null_count():
            raise payload.defect(f"a value of {name} was unknown")
    for name in ("mic", "operating_mic"):
        wrong = ~found[name].str.contains(_MIC).fill_null(value=False)
        if wrong.any():
            raise payload.defect(f"a value of {name} was {str(found[name].filter(wrong)[0])[:40]!r}, no MIC")
    dates = {name: found[name].str.to_date("%Y%m%d", strict=False) for name in _DATES}
    columns: dict[str, Column] = {**found, "is_segment": segment, "status": status, **dates}
    return decoded("venues", columns)


def _columns(payload: Payload) -> dict[str, pl.Series]:
    """Return the register's columns by our names; one that its form has not is null."""
    if not tables.ends_whole(payload.body):
        raise payload.defect("its last line was cut")
    frame = tables.rows(payload)
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(frame))
    names = {ours: next((one for one in known if one in frame.columns), "") for ours, known in COLUMNS.items()}
    missing = [COLUMNS[ours][0] for ours in NEEDED if not names[ours]]
    if missing:
        known = tuple(one[0] for one in COLUMNS.values())
        raise payload.defect(f"the column {missing[0]} was missing{words(names_differ(known, frame.columns))}")
    return {ours: frame[name] if name else nothing for ours, name in names.items()}


def _in_utf_8(payload: Payload) -> Payload:
    """Return `payload` in UTF-8: the register was written in Windows-1252 for long."""
    payload.bounded()
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    body = payload.body.removeprefix(_MARK)
    try:
        body.decode()
    except UnicodeDecodeError:
        return replace(payload, body=body.decode("cp1252", errors="replace").encode())
    return replace(payload, body=body)
