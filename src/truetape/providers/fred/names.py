"""FRED's names of series that are indices or exchange rates."""

from __future__ import annotations

from typing import Final

INDICES: Final = {"^GSPC": "SP500", "^DJI": "DJIA", "^IXIC": "NASDAQCOM", "^NDX": "NASDAQ100", "^VIX": "VIXCLS"}

_PLACES: Final = {
    "AL": "AUD",
    "BZ": "BRL",
    "CA": "CAD",
    "CH": "CNY",
    "DN": "DKK",
    "EU": "EUR",
    "HK": "HKD",
    "IN": "INR",
    "JP": "JPY",
    "KO": "KRW",
    "MA": "MYR",
    "MX": "MXN",
    "NO": "NOK",
    "NZ": "NZD",
    "SD": "SEK",
    "SF": "ZAR",
    "SI": "SGD",
    "SL": "LKR",
    "SZ": "CHF",
    "TA": "TWD",
    "TH": "THB",
    "UK": "GBP",
    "US": "USD",
}
_LONGEST_RATE: Final = len("DEXUSEU")


def spell(symbol: str) -> str:
    """Return `symbol` as FRED names it: ^GSPC is SP500, EUR/USD is DEXUSEU; a series is its own name in capitals."""
    base, slash, quote = symbol.partition("/")
    if not slash:
        return INDICES.get(symbol, symbol.upper())
    places = {currency: place for place, currency in _PLACES.items()}
    return f"DEX{places.get(quote, quote)}{places.get(base, base)}"


def pair(series: str) -> tuple[str, str] | None:
    """Return base and quote currency of an exchange rate's series; None for any other series.

    DEXJPUS is yen for a dollar: base USD, quote JPY.
    """
    quote, base = _PLACES.get(series[3:5]), _PLACES.get(series[5:])
    if not series.startswith("DEX") or len(series) != _LONGEST_RATE or quote is None or base is None:
        return None
    return base, quote
