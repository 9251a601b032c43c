"""Twelve Data's series, quotes and lists: bars as traded, exchange rates and corporate actions for credits."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.twelve_data import decode, reference
from truetape.providers.twelve_data.classify import allowances, classify
from truetape.providers.twelve_data.client import DEFAULT_URL, INTERVALS, ROWS, Client
from truetape.providers.twelve_data.paging import follow
from truetape.providers.twelve_data.symbols import spell

SINCE_2020: Final = 2_500  # days: minutes begin in 2020

DECLARATION: Final = Declaration(
    name="twelve_data",
    title="Twelve Data time series",
    offers=(
        Offer(
            kind="bars",
            timeframes=tuple(INTERVALS),
            depth_days={name: SINCE_2020 for name in INTERVALS if name.endswith(("m", "h"))},
            rows=ROWS,
        ),
        Offer(kind="quotes", symbols=8),
        Offer(kind="actions"),
        Offer(kind="listings"),
        Offer(kind="fx_rates", rows=ROWS),
        Offer(kind="index_levels", rows=ROWS),
    ),
    basis="raw",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="TWELVE_DATA_API_KEY",
    calls_per_second=0.13,
    assets=("equity", "etf", "fund", "index", "fx", "crypto"),
    redistribution="display",
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Twelve Data, asked over `http` at `base_url` with `key`."""
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
        allowances=allowances,
    )
