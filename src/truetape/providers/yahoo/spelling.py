"""How Yahoo writes symbols."""

from __future__ import annotations

from typing import Final

from truetape.domain.pairs import halves, is_fx

_CODES: Final = (
    "AE AS AT AX BA BE BK BO BR CA CN CO CR DE DU F HA HE HK HM IC IL IR IS JK JO KL KQ KS L LS MC ME MI MU MX NE NS "
    "NZ OL PA PR PS QA RG RO SA SAU SG SI SN SR SS ST SW SZ T TA TI TL TO TW TWO V VI VN VS WA XA XC"
)
SUFFIXES: Final = frozenset(_CODES.split())  # of exchanges; any other ending is a share class


def spell(symbol: str) -> str:
    """Return `symbol` as Yahoo writes it.

    A share class stands after a dash ("BRK.B" is BRK-B), the suffix of an exchange after its dot (VOD.L), currencies
    together ("EUR/USD" is EURUSD=X) and coins after a dash ("BTC/USD" is BTC-USD). Indices begin with ^ as ours.
    """
    pair = halves(symbol)
    if pair:
        return f"{pair[0]}{pair[1]}=X" if is_fx(symbol) else f"{pair[0]}-{pair[1]}"
    stem, dot, suffix = symbol.rpartition(".")
    if symbol.startswith("^") or not dot:
        return symbol
    return f"{stem.replace('.', '-')}.{suffix}" if suffix in SUFFIXES else symbol.replace(".", "-")
