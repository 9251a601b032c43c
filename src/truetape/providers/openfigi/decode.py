"""OpenFIGI's mappings, read: for each job what it found, or nothing."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.errors import ProviderRefused
from truetape.providers.openfigi.classify import by_body
from truetape.providers.openfigi.jobs import jobs

PROVIDER: Final = "openfigi"


class _Found(msgspec.Struct, rename="camel"):
    figi: str
    ticker: str | None = None
    name: str | None = None
    exch_code: str | None = None
    security_type: str | None = None
    composite_figi: str | None = msgspec.field(default=None, name="compositeFIGI")
    share_class_figi: str | None = msgspec.field(default=None, name="shareClassFIGI")


class _Job(msgspec.Struct):
    data: list[_Found] | None = None
    error: str | None = None
    warning: str | None = None


_JOBS: Final = msgspec.json.Decoder(list[_Job])


def identifiers(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return schema DECODED["identifiers"]: a row for each listing that was found, job by job.

    A job that found nothing, or that was wrong in itself, has no rows. What was asked is known from `ask`.

    Raises:
        ProviderRefused: The body is an error, or no job found anything.
        UndecodablePayload: It is neither, or has another number of jobs than was asked.
    """
    payload = Payload(provider=PROVIDER, kind="identifiers", body=body)
    found = payload.parse_or_refuse(_JOBS, by_body)
    failure = by_body(body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    asked = jobs(ask.symbol)
    if asked and len(asked) != len(found):
        raise payload.defect(f"{len(asked)} identifiers were asked about, and {len(found)} answered")
    nobody: tuple[str | None, str | None] = (None, None)
    told: list[tuple[str | None, str | None]] = [(job.name, job.value) for job in asked] or [nobody] * len(found)
    rows = [(of, one) for of, job in zip(told, found, strict=True) for one in job.data or ()]
    columns: dict[str, Column] = {
        "asked_type": pl.Series([name for (name, _), _ in rows], dtype=pl.String),
        "asked": pl.Series([value for (_, value), _ in rows], dtype=pl.String),
        "isin": pl.Series([value if name == "isin" else None for (name, value), _ in rows], dtype=pl.String),
        "symbol": pl.Series([one.ticker for _, one in rows], dtype=pl.String),
        "exchange": pl.Series([one.exch_code for _, one in rows], dtype=pl.String),
        "name": pl.Series([one.name for _, one in rows], dtype=pl.String),
        "security_type": pl.Series([one.security_type for _, one in rows], dtype=pl.String),
        "figi": pl.Series([one.figi for _, one in rows], dtype=pl.String),
        "composite_figi": pl.Series([one.composite_figi for _, one in rows], dtype=pl.String),
        "share_class_figi": pl.Series([one.share_class_figi for _, one in rows], dtype=pl.String),
    }
    return decoded("identifiers", columns)
