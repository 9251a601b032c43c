"""Massive, formerly Polygon: aggregates as traded, trades, quotes, splits, dividends, indices, currencies, coins."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.massive import decode, ticks
from truetape.providers.massive.classify import classify
from truetape.providers.massive.client import DEFAULT_URL, REFERENCE_ROWS, ROWS, SNAPSHOTS, Client
from truetape.providers.massive.feed import make
from truetape.providers.massive.paging import follow
from truetape.providers.massive.sales import SALES
from truetape.providers.massive.symbols import spell

DECLARATION: Final = Declaration(
    name="massive",
    title="Massive (formerly Polygon) REST",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo"),
            rows=ROWS,
        ),
        Offer(kind="trades", rows=ROWS),
        Offer(kind="quotes", rows=ROWS, symbols=SNAPSHOTS),
        Offer(kind="actions", rows=REFERENCE_ROWS),
        Offer(kind="listings", rows=REFERENCE_ROWS),
        Offer(kind="index_levels", rows=ROWS),
        Offer(kind="fx_rates", rows=ROWS),
    ),
    basis="raw",
    zone="America/New_York",
    feed="sip",
    needs_key=True,
    key_variable="MASSIVE_API_KEY",
    calls_per_second=5.0,
    assets=("equity", "etf", "index", "fx", "crypto"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Massive, asked over `http` at `base_url` with `key`."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key),
        classify=classify,
        decode={
            "bars": decode.bars,
            "trades": ticks.trades,
            "quotes": ticks.quotes,
            "actions": decode.actions,
            "listings": decode.listings,
            "index_levels": decode.index_levels,
            "fx_rates": decode.fx_rates,
        },
        spell=spell,
        follow=follow,
        feed=lambda: make(base_url=base_url, key=key),  # its repr shows no key
        sales=SALES,
    )
