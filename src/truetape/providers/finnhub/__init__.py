"""Finnhub's candles, quotes, ticks, actions and symbols: split-adjusted daily bars in parallel arrays."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.domain.pairs import NATIONAL, halves, is_fx
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.finnhub import decode
from truetape.providers.finnhub.classify import allowances, classify
from truetape.providers.finnhub.client import DEFAULT_URL, MOST_TICKS, Client, follow
from truetape.providers.finnhub.feed import make

DECLARATION: Final = Declaration(
    name="finnhub",
    title="Finnhub candles, quotes, ticks and symbols",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo"),
            span_days={"1m": 30, "5m": 30, "15m": 30, "30m": 30, "1h": 30},
            basis_intraday="raw",
        ),
        Offer(kind="actions"),
        Offer(kind="quotes"),
        Offer(kind="trades", rows=MOST_TICKS),
        Offer(kind="listings"),
        Offer(kind="fx_rates"),
    ),
    basis="split",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="FINNHUB_API_KEY",
    calls_per_second=1.0,
    assets=("equity", "etf", "fund", "fx", "crypto"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Finnhub, asked over `http` at `base_url` with `key`."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key),
        classify=classify,
        decode={
            "bars": decode.bars,
            "actions": decode.actions,
            "quotes": decode.quotes,
            "trades": decode.trades,
            "listings": decode.listings,
            "fx_rates": decode.fx_rates,
        },
        spell=spell,
        follow=follow,
        allowances=allowances,
        feed=lambda: make(base_url=base_url, key=key),  # its repr shows no key
    )


def spell(symbol: str) -> str:
    """Return `symbol` as Finnhub writes it.

    Shares and share classes are as ours ("BRK.B"); a pair is that of one venue: "EUR/USD" is OANDA:EUR_USD, "BTC/USD"
    COINBASE:BTC-USD and "BTC/USDT" BINANCE:BTCUSDT.
    """
    pair = halves(symbol)
    if pair is None:
        return symbol
    if is_fx(symbol):
        return f"OANDA:{pair[0]}_{pair[1]}"
    return f"COINBASE:{pair[0]}-{pair[1]}" if pair[1] in NATIONAL else f"BINANCE:{pair[0]}{pair[1]}"
