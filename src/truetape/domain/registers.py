"""Lists that a provider keeps as a whole, and how often they are fetched."""

from __future__ import annotations

from typing import Final

import msgspec

LISTS: Final = ("listings", "venues", "currencies", "issuers", "identifiers")  # record kinds that a list can be of

Place = tuple[str, str, str]  # provider, kind and symbol


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """One list of one provider, and how often it is fetched."""

    provider: str
    kind: str  # of LISTS
    symbol: str = ""  # what it is about, in our spelling; "" for the whole list
    every_s: float = 86_400.0
