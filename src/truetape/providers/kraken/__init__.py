"""Kraken's spot market: candles, trades, spreads and pairs, public and without a key."""

from __future__ import annotations

from functools import partial
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.kraken import decode
from truetape.providers.kraken.classify import classify
from truetape.providers.kraken.client import DEFAULT_URL, MOST_CANDLES, MOST_TRADES, Client, follow
from truetape.providers.kraken.feed import make

DECLARATION: Final = Declaration(
    name="kraken",
    title="Kraken spot market data",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "30m", "1h", "1d"),  # its weeks begin on Thursday, and it has no months
            depth_days={"1m": 0, "5m": 1, "15m": 6, "30m": 14, "1h": 29, "1d": 719},  # 720 candles
            rows=MOST_CANDLES,
        ),
        Offer(kind="trades", rows=MOST_TRADES),
        Offer(kind="quotes"),
        Offer(kind="listings"),
    ),
    basis="raw",
    zone="UTC",
    feed="kraken",
    needs_key=False,
    key_variable="",
    calls_per_second=1.0,
    assets=("crypto",),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Kraken, asked over `http` at `base_url`; it wants no key."""
    del key
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL),
        classify=classify,
        decode={
            "bars": decode.bars,
            "trades": decode.trades,
            "quotes": decode.quotes,
            "listings": decode.listings,
        },
        spell=spell,
        feed=partial(make, base_url=base_url),
        follow=follow,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as Kraken's newer interfaces write it, which is ours ("BTC/USD")."""
    return symbol
