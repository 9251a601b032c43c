"""Pairs of currencies: "X:BTCUSD" in requests is "BTC-USD" in Massive's stream, "C:EURUSD" is "EUR/USD"."""

from __future__ import annotations

from typing import Final

QUOTED: Final = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "BTC", "ETH")  # what coins are priced in
PREFIXES: Final = ("X:", "C:")
CODE: Final = 3  # letters of a currency


def hyphened(symbol: str) -> str:
    """Return `symbol` as the stream is asked for it: X:BTC-USD, C:EUR-USD; what is no pair stays as it is."""
    prefix, pair = symbol[:2], symbol[2:]
    if prefix not in PREFIXES or "-" in pair:
        return symbol
    if prefix == "C:":
        return f"{prefix}{pair[:CODE]}-{pair[CODE:]}"
    quoted = next((code for code in QUOTED if pair.endswith(code) and pair != code), "")
    return f"{prefix}{pair.removesuffix(quoted)}-{quoted}" if quoted else symbol


def joined(prefix: str, pair: str) -> str:
    """Return the symbol of a `pair` that the stream names, such as BTC-USD, X:BTC-USD or EUR/USD."""
    return prefix + pair.removeprefix(prefix).replace("-", "").replace("/", "")
