"""IEX Cloud's charts: raw, split-adjusted and fully adjusted prices at once. Retired, still readable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.iex_cloud import decode
from truetape.providers.iex_cloud.classify import classify
from truetape.providers.iex_cloud.client import DEFAULT_URL, Client
from truetape.providers.iex_cloud.feed import make

DECLARATION: Final = Declaration(
    name="iex_cloud",
    title="IEX Cloud stock charts",
    offers=(Offer(kind="bars", timeframes=("1d",), depth_days={"1d": 5479}),),
    basis="raw",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="IEX_TOKEN",
    calls_per_second=5.0,
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
        decode={"bars": decode.bars},
        spell=spell,
        feed=partial(make, base_url=base_url, key=key),
    )


def spell(symbol: str) -> str:
    """Return `symbol` as IEX writes it, which is ours ("BRK.B")."""
    return symbol


def _today() -> date:
    return datetime.now(UTC).date()
