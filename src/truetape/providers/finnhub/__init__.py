"""Finnhub's candles and quotes: split-adjusted daily bars in parallel arrays."""

from __future__ import annotations

from functools import partial
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.finnhub import decode
from truetape.providers.finnhub.classify import classify
from truetape.providers.finnhub.client import DEFAULT_URL, Client
from truetape.providers.finnhub.feed import make

DECLARATION: Final = Declaration(
    name="finnhub",
    title="Finnhub stock candles and quotes",
    offers=(
        Offer(kind="bars", timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo"), basis_intraday="raw"),
        Offer(kind="quotes"),
    ),
    basis="split",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="FINNHUB_API_KEY",
    calls_per_second=1.0,
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Finnhub, asked over `http` at `base_url` with `key`."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key),
        classify=classify,
        decode={"bars": decode.bars, "quotes": decode.quotes},
        spell=spell,
        feed=partial(make, base_url=base_url, key=key),
    )


def spell(symbol: str) -> str:
    """Return `symbol` as Finnhub writes it, which is ours ("BRK.B")."""
    return symbol
