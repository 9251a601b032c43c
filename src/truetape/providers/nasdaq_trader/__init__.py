"""Nasdaq Trader's symbol directory: what is listed in the United States today, as the exchange that keeps it says."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.nasdaq_trader import decode
from truetape.providers.nasdaq_trader.classify import classify
from truetape.providers.nasdaq_trader.client import DEFAULT_URL, Client

DECLARATION: Final = Declaration(
    name="nasdaq_trader",
    title="Nasdaq Trader symbol directory",
    offers=(Offer(kind="listings"),),
    basis="raw",
    zone="America/New_York",
    feed="listings of the United States",
    needs_key=False,
    key_variable="",
    calls_per_second=0.5,
    assets=("equity", "etf"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return the directory, asked over `http` at `base_url`; no `key` is needed."""
    del key
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL),
        classify=classify,
        decode={"listings": decode.listings},
        spell=spell,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as the directory writes it: a class after a point, as ours is."""
    return symbol.upper()
