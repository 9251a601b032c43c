"""Massive's spelling: a prefix names the asset class of all but stocks, "I:SPX", "C:EURUSD" and "X:BTCUSD"."""

from __future__ import annotations

from typing import Final

from truetape.domain.pairs import halves as our_halves
from truetape.domain.pairs import is_fx
from truetape.providers.massive.pairs import PREFIXES, hyphened

INDICES: Final = {
    "^GSPC": "I:SPX",
    "^DJI": "I:DJI",
    "^IXIC": "I:COMP",
    "^NDX": "I:NDX",
    "^RUT": "I:RUT",
    "^VIX": "I:VIX",
}


def spell(symbol: str) -> str:
    """Return our `symbol` as Massive writes it: "EUR/USD" is C:EURUSD, "^GSPC" is I:SPX; "BRK.B" stays."""
    if symbol.startswith("^"):
        return INDICES.get(symbol, f"I:{symbol[1:]}")
    if our_halves(symbol) is None:
        return symbol
    return f"{'C' if is_fx(symbol) else 'X'}:{symbol.replace('/', '')}"


def halves(symbol: str) -> tuple[str, str] | None:
    """Return base and quote of a pair of Massive's; None for a symbol that is none."""
    if not symbol.startswith(PREFIXES):
        return None
    base, hyphen, quote = hyphened(symbol)[2:].partition("-")
    return (base, quote) if hyphen and base and quote else None


def is_stock(symbol: str) -> bool:
    """Return whether `symbol` is listed at an exchange: it has no prefix."""
    return symbol[1:2] != ":"


def currency(symbol: str) -> str | None:
    """Return what `symbol` is priced in: a pair in its second half, an index in nothing that is told."""
    pair = halves(symbol)
    if pair is not None:
        return pair[1]
    return "USD" if symbol and (is_stock(symbol) or symbol.startswith("O:")) else None
