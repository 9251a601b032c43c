"""Stooq's names: lower case, with the market as a suffix."""

from __future__ import annotations

from typing import Final

from truetape.domain.pairs import halves, is_fx

INDICES: Final = {
    "^GSPC": "^spx",
    "^IXIC": "^ndq",
    "^GDAXI": "^dax",
    "^FTSE": "^ukx",
    "^FCHI": "^cac",
    "^N225": "^nkx",
    "^HSI": "^hsi",
}
MARKETS: Final = {"L": ".uk", "DE": ".de", "T": ".jp", "HK": ".hk", "BD": ".hu", "WA": ""}
CURRENCIES: Final = {"us": "USD", "de": "EUR", "jp": "JPY", "hk": "HKD", "hu": "HUF"}  # London's are pence or pounds
PAIR_LENGTH: Final = len("eurusd")


def spell(symbol: str) -> str:
    """Return `symbol` as Stooq names it: AAPL is aapl.us, BRK.B brk-b.us, VOD.L vod.uk, ^GSPC ^spx, EUR/USD eurusd.

    Cryptocurrencies in dollars are of the form btc.v.
    """
    pair = halves(symbol)
    if pair is not None:
        return "".join(pair).lower() if is_fx(symbol) or pair[1] != "USD" else f"{pair[0].lower()}.v"
    if symbol.startswith("^"):
        return INDICES.get(symbol, symbol.lower())
    name, _, market = symbol.rpartition(".")
    if name and market in MARKETS:
        return f"{name.lower()}{MARKETS[market]}"
    return f"{symbol.replace('.', '-').lower()}.us"


def currency(symbol: str) -> str | None:
    """Return the currency of a name of Stooq's, where the name tells it."""
    return CURRENCIES.get(symbol.rpartition(".")[2].lower()) if "." in symbol else None


def pair(symbol: str) -> tuple[str, str] | None:
    """Return base and quote of an exchange rate's name; None for any other name."""
    upper = symbol.upper()
    base, quote = upper[:3], upper[3:]
    return (base, quote) if len(upper) == PAIR_LENGTH and is_fx(f"{base}/{quote}") else None
