"""The SEC's lists of tickers and its pages of issuers: names then and now, industry, tickers and exchanges by CIK."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.sec import decode
from truetape.providers.sec.classify import classify
from truetape.providers.sec.client import Client

DECLARATION: Final = Declaration(
    name="sec",
    title="US Securities and Exchange Commission, tickers and issuers",
    offers=(
        Offer(kind="listings"),
        Offer(kind="issuers", endpoint="submissions"),
        Offer(kind="identifiers", endpoint="submissions"),
    ),
    basis="raw",
    zone="America/New_York",
    feed="sec",
    needs_key=True,
    key_variable="SEC_USER_AGENT",  # the name and e-mail address of who asks: no secret, but private
    calls_per_second=8.0,
    assets=("equity", "etf"),
    redistribution="free",
)


def provider(http: Http, *, base_url: str = "", key: str = "") -> Provider:
    """Return the SEC, asked over `http` at its two hosts, or at `base_url` for both.

    `key` is who asks, as the SEC's terms want it declared: "Sample Company AdminContact@example.com".
    """
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url, key=key),
        classify=classify,
        decode={"listings": decode.listings, "issuers": decode.issuers, "identifiers": decode.identifiers},
        spell=spell,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as the SEC writes it: "BRK.B" is BRK-B. Issuers are asked for by their CIK."""
    return symbol.upper().replace(".", "-")
