"""Tiingo's spelling: share classes after a dash, pairs of currencies in small letters without a slash."""

from __future__ import annotations

from typing import Final

from truetape.domain.pairs import NATIONAL

_CODE: Final = 3  # letters of ISO 4217


def spell(symbol: str) -> str:
    """Return our `symbol` as Tiingo writes it: "BRK.B" is BRK-B, "EUR/USD" is eurusd."""
    return symbol.replace("/", "").lower() if "/" in symbol else symbol.replace(".", "-")


def is_pair(symbol: str) -> bool:
    """Return whether a symbol of Tiingo's is a pair of currencies, coins among them."""
    return symbol.islower()


def is_fx(symbol: str) -> bool:
    """Return whether a symbol of Tiingo's is a pair of national currencies."""
    return is_pair(symbol) and len(symbol) == 2 * _CODE and NATIONAL.issuperset(halves(symbol))


def halves(symbol: str) -> tuple[str, str]:
    """Return the ISO codes that a pair of national currencies is made of."""
    return symbol[:_CODE].upper(), symbol[_CODE:].upper()


def currency(symbol: str) -> str | None:
    """Return what prices of `symbol` are in, as far as the symbol tells: of shares US dollars, of Chinese ones not."""
    if is_fx(symbol):
        return halves(symbol)[1]
    return "USD" if symbol[:1].isalpha() and not is_pair(symbol) else None
