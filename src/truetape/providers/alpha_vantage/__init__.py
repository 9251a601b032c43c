"""Alpha Vantage's series: raw bars with dividends and splits, every number a string, every refusal a success."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.alpha_vantage import decode
from truetape.providers.alpha_vantage.classify import classify
from truetape.providers.alpha_vantage.client import DEFAULT_FUNCTION, DEFAULT_URL, Client

DECLARATION: Final = Declaration(
    name="alpha_vantage",
    title="Alpha Vantage time series",
    offers=(
        Offer(kind="bars", timeframes=("1d", "1w", "1mo")),
        Offer(kind="actions", with_bars=True),
    ),
    basis="raw",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="ALPHAVANTAGE_API_KEY",
    calls_per_second=1.0,
)


def provider(http: Http, *, base_url: str = DEFAULT_URL, key: str = "", function: str = DEFAULT_FUNCTION) -> Provider:
    """Return Alpha Vantage, asked over `http` at `base_url` with `key`.

    `function` is how daily bars are asked for: TIME_SERIES_DAILY_ADJUSTED, or TIME_SERIES_DAILY for plans without it.
    """
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url or DEFAULT_URL, key=key, function=function),
        classify=classify,
        decode={"bars": decode.bars, "actions": decode.actions},
        spell=spell,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as Alpha Vantage writes it: a share class after a dash ("BRK.B" is BRK-B)."""
    return symbol.replace(".", "-")
