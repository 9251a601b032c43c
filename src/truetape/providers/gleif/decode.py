"""The register's records, read: entities, and the ISINs of an entity."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.providers.gleif.classify import by_body

PROVIDER: Final = "gleif"


class _Name(msgspec.Struct):
    name: str


class _Form(msgspec.Struct):
    id: str | None = None
    other: str | None = None


class _Entity(msgspec.Struct, rename="camel"):
    legal_name: _Name
    legal_form: _Form | None = None
    status: str | None = None
    jurisdiction: str | None = None
    category: str | None = None


class _Registration(msgspec.Struct):
    status: str | None = None


class _Attributes(msgspec.Struct):
    lei: str
    entity: _Entity
    registration: _Registration | None = None


class _Record(msgspec.Struct):
    attributes: _Attributes


class _Records(msgspec.Struct):
    data: _Record | list[_Record]


class _Pair(msgspec.Struct):
    lei: str
    isin: str


class _Isin(msgspec.Struct):
    attributes: _Pair


class _Isins(msgspec.Struct):
    data: list[_Isin]


_RECORDS: Final = msgspec.json.Decoder(_Records)
_ISINS: Final = msgspec.json.Decoder(_Isins)


def issuers(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the records name their entities
    """Return schema DECODED["issuers"]: each entity under its legal name; since when it has it is not told.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor records.
    """
    payload = Payload(provider=PROVIDER, kind="issuers", body=body)
    data = payload.parse_or_refuse(_RECORDS, by_body).data
    found = [one.attributes for one in (data if isinstance(data, list) else [data])]
    entities = [one.entity for one in found]
    columns: dict[str, Column] = {
        "lei": pl.Series([one.lei for one in found], dtype=pl.String),
        "name": pl.Series([one.legal_name.name for one in entities], dtype=pl.String),
        "status": pl.Series([one.status for one in entities], dtype=pl.String),
        "registration": pl.Series([_registered(one) for one in found], dtype=pl.String),
        "legal_form": pl.Series([_form(one) for one in entities], dtype=pl.String),
        "country": pl.Series([one.jurisdiction for one in entities], dtype=pl.String),
        "category": pl.Series([one.category for one in entities], dtype=pl.String),
    }
    return decoded("issuers", columns)


def identifiers(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return schema DECODED["identifiers"]: a row for each ISIN of the entity that was asked about.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor such a list.
    """
    payload = Payload(provider=PROVIDER, kind="identifiers", body=body)
    pairs = [one.attributes for one in payload.parse_or_refuse(_ISINS, by_body).data]
    columns: dict[str, Column] = {
        "isin": pl.Series([one.isin for one in pairs], dtype=pl.String),
        "lei": pl.Series([one.lei for one in pairs], dtype=pl.String),
    }
    return decoded("identifiers", columns, asked_type="lei", asked=ask.symbol or None)


def _registered(one: _Attributes) -> str | None:
    return one.registration.status if one.registration is not None else None


def _form(entity: _Entity) -> str | None:
    form = entity.legal_form
    return (form.id or form.other) if form is not None else None
