"""The lists of currencies, ISO 4217: codes, countries and decimals of those in use, and those withdrawn."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.iso4217 import decode
from truetape.providers.iso4217.classify import classify
from truetape.providers.iso4217.client import DEFAULT_URL, Client, follow

DECLARATION: Final = Declaration(
    name="iso4217",
    title="ISO 4217 currency codes, lists one and three",
    offers=(Offer(kind="currencies"),),
    basis="raw",
    zone="UTC",
    feed="iso",
    needs_key=False,
    key_variable="",
    calls_per_second=0.2,
    assets=("fx",),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return the maintenance agency, asked over `http` at `base_url`; no `key` is needed."""
    del key
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL),
        classify=classify,
        decode={"currencies": decode.currencies},
        spell=str.upper,
        follow=follow,
    )
