"""Binance's spot market: candles, trades, tickers and symbols, public and without a key."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.domain.plans import Allowance
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.binance import decode
from truetape.providers.binance.classify import classify
from truetape.providers.binance.client import DEFAULT_URL, MOST_ROWS, Client, follow
from truetape.providers.binance.feed import make

USED_WEIGHT: Final = "x-mbx-used-weight-1m"
WEIGHT_PER_MINUTE: Final = 6_000.0
_NUMBER_LENGTH: Final = 9

DECLARATION: Final = Declaration(
    name="binance",
    title="Binance spot market data",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo"),
            rows=MOST_ROWS,
            endpoint="klines",
        ),
        Offer(kind="trades", rows=MOST_ROWS, endpoint="aggTrades"),
        Offer(kind="quotes", endpoint="ticker/24hr"),
        Offer(kind="listings", endpoint="exchangeInfo"),
    ),
    basis="raw",
    zone="UTC",
    feed="binance",
    needs_key=False,
    key_variable="",
    calls_per_second=20.0,
    assets=("crypto",),
)


def provider(
    http: Http, *, base_url: str = DEFAULT_URL, key: str = "", now: Callable[[], float] = time.time
) -> Provider:
    """Return Binance, asked over `http` at `base_url`; it wants no key. `now` is in Unix seconds."""
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
        allowances=allowances,
    )


def spell(symbol: str) -> str:
    """Return `symbol` ("BTC/USDT") as Binance writes it ("BTCUSDT")."""
    return symbol.replace("/", "")


def allowances(headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Return what is left of this minute's weight, which every answer counts; nothing without that header."""
    used = headers.get(USED_WEIGHT, "")
    if not (used.isascii() and used.isdigit() and len(used) <= _NUMBER_LENGTH):
        return ()
    left = max(0.0, WEIGHT_PER_MINUTE - int(used))
    return (Allowance(unit="credits", period="minute", left=left, limit=WEIGHT_PER_MINUTE),)
