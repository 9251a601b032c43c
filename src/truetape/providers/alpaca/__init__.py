"""Alpaca's market data: consolidated bars, trades and quotes as traded, corporate actions, coins and rates."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.alpaca import decode
from truetape.providers.alpaca.actions import actions
from truetape.providers.alpaca.classify import allowances, classify
from truetape.providers.alpaca.client import ACTION_ROWS, DEFAULT_URL, FEED, ROWS, Client, follow
from truetape.providers.alpaca.feed import make
from truetape.providers.alpaca.sales import SALES
from truetape.providers.alpaca.symbols import spell

DECLARATION: Final = Declaration(
    name="alpaca",
    title="Alpaca market data v2",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo"),
            rows=ROWS,
            symbols=100,
        ),
        Offer(kind="trades", rows=ROWS, symbols=100),
        Offer(kind="quotes", rows=ROWS, symbols=100),
        Offer(kind="actions", rows=ACTION_ROWS, symbols=100),
        Offer(kind="listings"),
        Offer(kind="fx_rates", rows=ROWS),
    ),
    basis="raw",
    zone="America/New_York",
    feed=FEED,
    needs_key=True,
    key_variable="APCA_API_KEY_ID",
    secret_variable="APCA_API_SECRET_KEY",  # noqa: S106 - the name of a variable
    calls_per_second=3.0,
    assets=("equity", "etf", "crypto", "fx"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "", secret: str = "", feed: str = FEED) -> Provider:
    """Return Alpaca, asked over `http` at `base_url` with both halves of the key, for the tape `feed`."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key, secret=secret, feed=feed),
        classify=classify,
        decode={
            "bars": decode.bars,
            "trades": decode.trades,
            "quotes": decode.quotes,
            "actions": actions,
            "listings": decode.listings,
            "fx_rates": decode.fx_rates,
        },
        spell=spell,
        feed=lambda: make(base_url=base_url, key=key, secret=secret, tape=f"v2/{feed}"),  # its repr shows no key
        sales=SALES,
        follow=follow,
        allowances=allowances,
    )
