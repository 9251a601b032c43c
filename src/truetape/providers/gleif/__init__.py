"""GLEIF's register of legal entity identifiers: who is who, and which securities are whose."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.gleif import decode
from truetape.providers.gleif.classify import classify
from truetape.providers.gleif.client import DEFAULT_URL, ROWS, Client, follow

DECLARATION: Final = Declaration(
    name="gleif",
    title="Global Legal Entity Identifier Foundation",
    offers=(Offer(kind="issuers", rows=ROWS), Offer(kind="identifiers", rows=ROWS)),
    basis="raw",
    zone="UTC",
    feed="gleif",
    needs_key=False,
    key_variable="",
    calls_per_second=1.0,
    redistribution="free",
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return the register, asked over `http` at `base_url`; no `key` is needed.

    What is asked about is named by its LEI or, for its issuer, by an ISIN.
    """
    del key
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL),
        classify=classify,
        decode={"issuers": decode.issuers, "identifiers": decode.identifiers},
        spell=str.upper,
        follow=follow,
    )
