"""IEX Cloud's charts: raw, split-adjusted and fully adjusted prices at once. Retired, still readable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.iex_cloud import decode
from truetape.providers.iex_cloud.classify import classify
from truetape.providers.iex_cloud.client import DEFAULT_URL, Client, follow
from truetape.providers.iex_cloud.feed import make

DECLARATION: Final = Declaration(
    name="iex_cloud",
    title="IEX Cloud charts, quotes and symbols",
    offers=(
        Offer(kind="bars", timeframes=("1m", "1d"), depth_days={"1m": 30, "1d": 5479}, span_days={"1m": 1}),
        Offer(kind="actions", depth_days={"": 1826}),
        Offer(kind="quotes"),
        Offer(kind="trades", streamed=True),
        Offer(kind="listings"),
        Offer(kind="fx_rates"),
    ),
    basis="raw",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="IEX_TOKEN",
    calls_per_second=5.0,
    assets=("equity", "etf", "fund", "fx"),
    retired=(
        "IEX Cloud ended on 2024-08-31. Tiingo, Massive (Polygon) and Alpaca offer the same daily bars; "
        "IEX itself still publishes its exchange's own feed files (HIST)."
    ),
)


def provider(
    http: Http, *, base_url: str = DEFAULT_URL, key: str = "", today: Callable[[], date] | None = None
) -> Provider:
    """Return IEX Cloud, asked over `http` at `base_url` with the token `key`.

    `today` tells the date that the provider's ranges count back from; without it, the present one in UTC.
    """
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key, today=today or _today),
        classify=classify,
        decode={
            "bars": decode.bars,
            "actions": decode.actions,
            "quotes": decode.quotes,
            "listings": decode.listings,
            "fx_rates": decode.fx_rates,
        },
        spell=spell,
        follow=follow,
        feed=lambda: make(base_url=base_url, key=key),  # its repr shows no key
    )


def spell(symbol: str) -> str:
    """Return `symbol` as IEX writes it: shares as ours ("BRK.B"), a pair without its slash ("EUR/USD" is EURUSD)."""
    return symbol.replace("/", "")


def _today() -> date:
    return datetime.now(UTC).date()
