"""Financial Modeling Prep's prices, quotes, actions and lists: split-adjusted days, minutes as traded."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.fmp import decode, reference
from truetape.providers.fmp.classify import classify
from truetape.providers.fmp.client import DEFAULT_URL, INTERVALS, Client
from truetape.providers.fmp.paging import follow
from truetape.providers.fmp.symbols import spell

SPANS: Final = {
    "1m": 3,
    "5m": 10,
    "15m": 20,
    "30m": 30,
    "1h": 90,
    "1d": 4_900,
}  # an answer has about 5,000 rows at most

DECLARATION: Final = Declaration(
    name="fmp",
    title="Financial Modeling Prep stable API",
    offers=(
        Offer(kind="bars", timeframes=(*INTERVALS, "1d"), span_days=SPANS, basis_intraday="raw"),
        Offer(kind="quotes", symbols=50),
        Offer(kind="actions"),
        Offer(kind="listings"),
        Offer(kind="fx_rates", span_days={"": SPANS["1d"]}),
        Offer(kind="index_levels", span_days={"": SPANS["1d"]}),
    ),
    basis="split",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="FMP_API_KEY",
    calls_per_second=5.0,
    assets=("equity", "etf", "fund", "index", "fx", "crypto", "commodity"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Financial Modeling Prep, asked over `http` at `base_url` with `key`."""
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
    )
