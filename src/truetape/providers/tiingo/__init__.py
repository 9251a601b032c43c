"""Tiingo: prices of shares and funds as traded, with their actions; minutes of IEX; currencies and coins."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.tiingo import decode
from truetape.providers.tiingo.classify import classify
from truetape.providers.tiingo.client import DEFAULT_URL, Client
from truetape.providers.tiingo.feed import make
from truetape.providers.tiingo.symbols import spell

# Minutes are asked for in spans that keep an answer below 2,000 rows of shares: longer ones may be cut without a word.
_SPANS: Final = {"1m": 5, "5m": 30, "15m": 90, "30m": 180, "1h": 365}

DECLARATION: Final = Declaration(
    name="tiingo",
    title="Tiingo end of day, IEX, currencies and coins",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo"),
            span_days=_SPANS,
            endpoint="prices",
            feed_intraday="IEX",
        ),
        Offer(kind="actions", with_bars=True),
        Offer(kind="quotes", symbols=100),
        Offer(kind="listings"),
        Offer(kind="fx_rates"),
    ),
    basis="raw",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="TIINGO_API_KEY",
    calls_per_second=2.0,
    assets=("equity", "etf", "fund", "fx", "crypto"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Tiingo, asked over `http` at `base_url` with `key`."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key),
        classify=classify,
        decode={
            "bars": decode.bars,
            "actions": decode.actions,
            "quotes": decode.quotes,
            "listings": decode.listings,
            "fx_rates": decode.fx_rates,
        },
        spell=spell,
        feed=lambda: make(base_url=base_url, key=key),  # its repr shows no key
    )
