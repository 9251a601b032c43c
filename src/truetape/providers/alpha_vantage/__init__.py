"""Alpha Vantage's series: raw bars with dividends and splits, every number a string, every refusal a success."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from msgspec.structs import replace

from truetape.domain.capability import Declaration, Offer
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.alpha_vantage import decode
from truetape.providers.alpha_vantage.classify import classify
from truetape.providers.alpha_vantage.client import DEFAULT_FUNCTION, DEFAULT_URL, Client, follow

DECLARATION: Final = Declaration(
    name="alpha_vantage",
    title="Alpha Vantage time series, quotes and listings",
    offers=(
        Offer(kind="bars", timeframes=("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo")),
        Offer(kind="actions", with_bars=True),
        Offer(kind="quotes"),
        Offer(kind="fx_rates"),
        Offer(kind="listings"),
    ),
    basis="raw",
    zone="America/New_York",
    feed="consolidated",
    needs_key=True,
    key_variable="ALPHAVANTAGE_API_KEY",
    calls_per_second=1.0,
    assets=("equity", "etf", "fund", "fx", "crypto"),
)
SUFFIXES: Final = {  # of exchanges, as others write them and as Alpha Vantage does
    "BO": "BSE",
    "DE": "DEX",
    "F": "FRK",
    "L": "LON",
    "SS": "SHH",
    "SZ": "SHZ",
    "TO": "TRT",
    "V": "TRV",
}


def provider(
    http: Http,
    *,
    base_url: str = DEFAULT_URL,
    key: str = "",
    function: str = DEFAULT_FUNCTION,
    today: Callable[[], date] | None = None,
) -> Provider:
    """Return Alpha Vantage, asked over `http` at `base_url` with `key`.

    `function` is how daily bars are asked for: TIME_SERIES_DAILY_ADJUSTED, which brings the actions along, or
    TIME_SERIES_DAILY for plans without it; actions are then asked for by themselves. `today` tells the date that the
    short answers end with; without it, the present one in UTC.
    """
    apart = tuple(Offer(kind="actions") if offer.with_bars else offer for offer in DECLARATION.offers)
    return Provider(
        declaration=DECLARATION if function == DEFAULT_FUNCTION else replace(DECLARATION, offers=apart),
        client=Client(http, today=today or _today, base_url=base_url or DEFAULT_URL, key=key, function=function),
        classify=classify,
        decode={
            "bars": decode.bars,
            "actions": decode.actions,
            "quotes": decode.quotes,
            "fx_rates": decode.fx_rates,
            "listings": decode.listings,
        },
        spell=spell,
        follow=follow,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as Alpha Vantage writes it.

    A share class stands after a dash ("BRK.B" is BRK-B), an exchange has the provider's own suffix ("TSCO.L" is
    TSCO.LON), and pairs are as ours.
    """
    stem, dot, suffix = symbol.rpartition(".")
    if dot and suffix in SUFFIXES:
        return f"{stem.replace('.', '-')}.{SUFFIXES[suffix]}"
    if dot and suffix in SUFFIXES.values():
        return symbol
    return symbol.replace(".", "-")


def _today() -> date:
    return datetime.now(UTC).date()
