"""A folder of QuantConnect LEAN's data on US equities: trade bars as traded, map files and factor files."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.lean import decode
from truetape.providers.lean.classify import classify
from truetape.providers.lean.client import Client

DECLARATION: Final = Declaration(
    name="lean",
    title="LEAN data folder",
    offers=(
        Offer(kind="bars", timeframes=("1m", "1h", "1d"), span_days={"1m": 31}),
        Offer(kind="actions", with_bars=True),
        Offer(kind="listings"),
    ),
    basis="raw",
    zone=decode.ZONE,
    feed="lean",
    needs_key=False,
    key_variable="",
    calls_per_second=1000.0,
    assets=("equity", "etf"),
    redistribution="none",
)


def provider(http: Http, *, base_url: str = "", key: str = "") -> Provider:
    """Return the data of the folder that `base_url` names as file:///folder or as a path.

    Neither `http` nor a `key` is needed.
    """
    del http, key
    return Provider(
        declaration=DECLARATION,
        client=Client(base_url),
        classify=classify,
        decode={"bars": decode.bars, "actions": decode.actions, "listings": decode.listings},
        spell=str.upper,
    )
