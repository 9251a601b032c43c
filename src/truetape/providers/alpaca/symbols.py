"""Alpaca's spelling: ours, but of exchange rates, which it writes without the slash."""

from __future__ import annotations

from truetape.domain.pairs import is_fx


def spell(symbol: str) -> str:
    """Return our `symbol` as Alpaca writes it: "EUR/USD" is EURUSD; "BRK.B" and "BTC/USD" stay."""
    return symbol.replace("/", "") if is_fx(symbol) else symbol
