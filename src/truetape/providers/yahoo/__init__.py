"""Yahoo's chart: split-adjusted bars of the world's exchanges, with dividends and splits. No key, no promise."""

from __future__ import annotations

from functools import partial
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.yahoo import decode
from truetape.providers.yahoo.classify import classify
from truetape.providers.yahoo.client import DEFAULT_URL, Client
from truetape.providers.yahoo.feed import make
from truetape.providers.yahoo.spelling import spell

DECLARATION: Final = Declaration(
    name="yahoo",
    title="Yahoo Finance chart v8",
    offers=(
        Offer(
            kind="bars",
            timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo"),
            depth_days={"1m": 30, "5m": 60, "15m": 60, "30m": 60, "1h": 730},
            span_days={"1m": 7},
        ),
        Offer(kind="actions", with_bars=True),
        Offer(kind="quotes"),
        Offer(kind="index_levels"),
    ),
    basis="split",
    zone="America/New_York",
    feed="consolidated",
    needs_key=False,
    key_variable="",
    calls_per_second=1.0,
    assets=("equity", "etf", "fund", "index", "fx", "crypto", "future"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:  # noqa: ARG001 - Yahoo takes no key
    """Return Yahoo, asked over `http` at `base_url`; `key` is not used."""
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL),
        classify=classify,
        decode={
            "bars": decode.bars,
            "actions": decode.actions,
            "quotes": decode.quotes,
            "index_levels": decode.index_levels,
        },
        spell=spell,
        feed=partial(make, base_url=base_url),
    )
