"""Stooq's free prices: fully adjusted bars, indices and exchange rates, over CSV or from a folder of its bulk files."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Client as ClientPort
from truetape.ports.provider import Decode, Provider
from truetape.providers.stooq import decode
from truetape.providers.stooq.bulk import BulkClient
from truetape.providers.stooq.classify import classify
from truetape.providers.stooq.client import DEFAULT_URL, Client
from truetape.providers.stooq.names import spell

DECLARATION: Final = Declaration(
    name="stooq",
    title="Stooq, free historical prices",
    offers=(
        Offer(kind="bars", timeframes=("5m", "1h", "1d", "1w", "1mo"), depth_days={"5m": 30, "1h": 270}),
        Offer(kind="quotes", endpoint="quote"),
        Offer(kind="index_levels"),
        Offer(kind="fx_rates"),
    ),
    basis="all",
    zone="Europe/Warsaw",
    feed="consolidated",
    needs_key=False,
    key_variable="",
    calls_per_second=1.0,
    assets=("equity", "index", "fx", "crypto", "bond", "future"),
    trust=0.5,
)
BULK_PACE: Final = 100.0  # files a second
BULK_OFFERS: Final = (
    Offer(kind="bars", timeframes=("5m", "1h", "1d")),
    Offer(kind="index_levels"),
    Offer(kind="fx_rates"),
    Offer(kind="listings"),
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> Provider:
    """Return Stooq, asked over `http` at `base_url` with `key`, if there is one.

    A `base_url` of the form file:///folder, or a path, is a folder of bulk files, in which every subfolder is looked
    through: it offers what such files hold.
    """
    declaration = DECLARATION
    client: ClientPort = Client(http, base_url=base_url or DEFAULT_URL, key=key)
    if base_url and not base_url.startswith(("http://", "https://")):
        declaration = msgspec.structs.replace(DECLARATION, offers=BULK_OFFERS, calls_per_second=BULK_PACE)
        client = BulkClient(base_url)
    decoders: dict[str, Decode] = {
        "bars": decode.bars,
        "quotes": decode.quotes,
        "index_levels": decode.index_levels,
        "fx_rates": decode.fx_rates,
        "listings": decode.listings,
    }
    return Provider(
        declaration=declaration,
        client=client,
        classify=classify,
        decode={kind: decoders[kind] for kind in declaration.kinds},
        spell=spell,
    )
