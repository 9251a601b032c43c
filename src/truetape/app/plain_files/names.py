"""Which column of a file of prices is which field of a price series: the headers of Yahoo, Stooq, Alpaca and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from truetape.domain import price_tables

_OURS: Final = {"when": "moment", "timeframe": "period", "dividend": "dividends", "split": "splits"}


def recognized(headers: Sequence[str]) -> dict[str, str]:
    """Return the header of each field, and of `moment`, `clock`, `symbol` and `period`, as far as they are there.

    They are spelt in any of the ways of price_tables.SPELLINGS. A column `time` is the moment where there is no other.
    """
    return {_OURS.get(name, name): own for name, own in price_tables.recognized(headers).items()}
