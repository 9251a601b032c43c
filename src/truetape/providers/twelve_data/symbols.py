"""How Twelve Data spells symbols."""

from __future__ import annotations

from typing import Final

INDICES: Final = {"^GSPC": "SPX"}  # that are called otherwise than by our name without its caret


def spell(symbol: str) -> str:
    """Return `symbol` as Twelve Data writes it: ours ("BRK.B", "EUR/USD"), an index without its caret (^DJI is DJI)."""
    return INDICES.get(symbol) or symbol.removeprefix("^")
