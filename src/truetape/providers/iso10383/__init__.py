"""The register of market identifier codes, ISO 10383: which markets there are, and whose."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.iso10383 import decode
from truetape.providers.iso10383.classify import classify
from truetape.providers.iso10383.client import DEFAULT_URL, Client

DECLARATION: Final = Declaration(
    name="iso10383",
    title="ISO 10383 market identifier codes",
    offers=(Offer(kind="venues"),),
    basis="raw",
    zone="UTC",
    feed="iso",
    needs_key=False,
    key_variable="",
    calls_per_second=0.2,
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return the register, asked over `http` at `base_url`; no `key` is needed."""
    del key
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL),
        classify=classify,
        decode={"venues": decode.venues},
        spell=str.upper,
    )
