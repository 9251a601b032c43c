"""OpenFIGI: which FIGIs, tickers and venues an ISIN, CUSIP, SEDOL, FIGI or ticker stands for."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.openfigi import decode
from truetape.providers.openfigi.classify import classify
from truetape.providers.openfigi.client import DEFAULT_URL, JOBS, Client

DECLARATION: Final = Declaration(
    name="openfigi",
    title="OpenFIGI mapping",
    offers=(Offer(kind="identifiers", symbols=JOBS),),
    basis="raw",
    zone="UTC",
    feed="openfigi",
    needs_key=False,
    key_variable="OPENFIGI_API_KEY",  # ten times as many jobs in a request, and a higher pace
    calls_per_second=0.4,
    redistribution="free",
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return OpenFIGI, asked over `http` at `base_url`, with `key` if there is one.

    Several things may be asked about at once, with commas between them.
    """
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key),
        classify=classify,
        decode={"identifiers": decode.identifiers},
        spell=spell,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as Bloomberg writes tickers: "BRK.B" is BRK/B."""
    return symbol.upper().replace(".", "/")
