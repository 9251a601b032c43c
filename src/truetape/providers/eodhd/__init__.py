"""EODHD's days as traded, minutes, quotes, actions and lists of seventy exchanges, for weighted calls."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.eodhd import decode, reference
from truetape.providers.eodhd.classify import allowances, classify
from truetape.providers.eodhd.client import DEFAULT_URL, Client
from truetape.providers.eodhd.paging import follow
from truetape.providers.eodhd.symbols import spell

DECLARATION: Final = Declaration(
    name="eodhd",
    title="EODHD end of day, intraday and real-time APIs",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "1h", "1d"),
            span_days={"1m": 120, "5m": 600, "1h": 7_200},
            endpoint_intraday="bars_intraday",
        ),
        Offer(kind="quotes", symbols=15),
        Offer(kind="actions"),
        Offer(kind="listings"),
        Offer(kind="fx_rates"),
        Offer(kind="index_levels"),
    ),
    basis="raw",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="EODHD_API_TOKEN",
    calls_per_second=16.0,
    assets=("equity", "etf", "fund", "index", "bond", "fx", "crypto"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return EODHD, asked over `http` at `base_url` with `key`."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key),
        classify=classify,
        decode={
            "bars": decode.bars,
            "quotes": decode.quotes,
            "actions": reference.actions,
            "listings": reference.listings,
            "fx_rates": decode.fx_rates,
            "index_levels": decode.index_levels,
        },
        spell=spell,
        follow=follow,
        allowances=allowances,
    )
