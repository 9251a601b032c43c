"""The European Central Bank's reference rates for the euro, and the series of its data portal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.ecb import decode
from truetape.providers.ecb.classify import classify
from truetape.providers.ecb.client import Client

DECLARATION: Final = Declaration(
    name="ecb",
    title="European Central Bank, reference rates and data portal",
    offers=(Offer(kind="fx_rates"), Offer(kind="observations")),
    basis="raw",
    zone="Europe/Berlin",
    feed="ecb",
    needs_key=False,
    key_variable="",
    calls_per_second=1.0,
    assets=("fx",),
    redistribution="free",
)


def provider(
    http: Http, *, base_url: str = "", key: str = "", today: Callable[[], date] = lambda: datetime.now(UTC).date()
) -> Provider:
    """Return the bank, asked over `http` at its own two hosts, or at `base_url` for both; no `key` is needed."""
    del key
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url, today=today),
        classify=classify,
        decode={"fx_rates": decode.fx_rates, "observations": decode.observations},
        spell=spell,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as it is: a pair is EUR/USD, a series of the data portal is EST/B.EU000A2X2A25.WT."""
    return symbol.upper()
