"""Coinbase Exchange: candles, trades, tickers and products of crypto pairs, public and without a key."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.coinbase import decode
from truetape.providers.coinbase.classify import classify
from truetape.providers.coinbase.client import DEFAULT_URL, Client
from truetape.providers.coinbase.feed import make
from truetape.providers.coinbase.paging import MOST_CANDLES, MOST_TRADES, follow

DECLARATION: Final = Declaration(
    name="coinbase",
    title="Coinbase Exchange market data",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "1h", "1d"),
            span_days={"1m": 1, "5m": 1, "15m": 3, "1h": 12, "1d": 300},
            rows=MOST_CANDLES,
        ),
        Offer(kind="trades", rows=MOST_TRADES),
        Offer(kind="quotes"),
        Offer(kind="listings"),
    ),
    basis="raw",
    zone="UTC",
    feed="coinbase",
    needs_key=False,
    key_variable="",
    calls_per_second=10.0,
    assets=("crypto",),
)


def provider(
    http: Http, *, base_url: str = DEFAULT_URL, key: str = "", now: Callable[[], float] = time.time
) -> Provider:
    """Return Coinbase Exchange, asked over `http` at `base_url`; it wants no key. `now` is in Unix seconds."""
    del key
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, now=now),
        classify=classify,
        decode={
            "bars": decode.bars,
            "trades": decode.trades,
            "quotes": decode.quotes,
            "listings": decode.listings,
        },
        spell=spell,
        feed=partial(make, base_url=base_url),
        follow=partial(follow, now=now),
    )


def spell(symbol: str) -> str:
    """Return `symbol` ("BTC/USD") as Coinbase writes it ("BTC-USD")."""
    return symbol.replace("/", "-")
