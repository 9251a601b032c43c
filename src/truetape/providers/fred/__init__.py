"""FRED and ALFRED of the St. Louis Fed: observations with every vintage, index levels and exchange rates."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.fred import decode
from truetape.providers.fred.classify import classify
from truetape.providers.fred.client import DEFAULT_URL, ROWS, Client, follow
from truetape.providers.fred.names import spell

DECLARATION: Final = Declaration(
    name="fred",
    title="FRED and ALFRED, Federal Reserve Bank of St. Louis",
    offers=(
        Offer(kind="observations", rows=ROWS),
        Offer(kind="index_levels", rows=ROWS),
        Offer(kind="fx_rates", rows=ROWS),
    ),
    basis="raw",
    zone="America/New_York",
    feed="fred",
    needs_key=True,
    key_variable="FRED_API_KEY",
    calls_per_second=1.6,
    assets=("index", "fx"),
    redistribution="derived",
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return FRED, asked over `http` at `base_url` with `key`."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key),
        classify=classify,
        decode={
            "observations": decode.observations,
            "index_levels": decode.index_levels,
            "fx_rates": decode.fx_rates,
        },
        spell=spell,
        follow=follow,
    )
