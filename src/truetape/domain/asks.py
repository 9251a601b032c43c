"""What is asked of a provider, and what comes back: values that clients and decoders share."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

from truetape.domain.hiding import unshown

KINDS: Final = (
    "bars",
    "actions",
    "quotes",
    "trades",
    "listings",
    "fx_rates",
    "index_levels",
    "observations",
    "venues",
    "currencies",
    "issuers",
    "identifiers",
)
SIMULATED_HEADER: Final = "x-truetape-simulated"  # marks every answer of the sandbox; live data never mix with them


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question to one provider, in that provider's own spelling of the symbol.

    `start` and `end` are session dates, both inclusive. One question may take several requests: each page of the answer
    is asked for by an ask of its own.
    """

    kind: str  # what is wanted, of KINDS
    symbol: str  # "" where the kind has none: listings
    timeframe: str = "1d"
    start: date | None = None
    end: date | None = None
    page: str = ""  # the provider's mark of the page that is wanted; "" for the first


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider sent back, undecoded. `url` carries no secret."""

    url: str
    status: int
    content_type: str
    headers: dict[str, str]
    body: bytes
    elapsed_s: float = 0.0


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A GET that a client wants sent, or a POST if it has a body. `secrets` are added to the query and never shown."""

    url: str
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    secrets: dict[str, str] = {}
    secret_headers: dict[str, str] = {}
    body: bytes = b""  # JSON

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Request({told})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        hidden = {"secrets": unshown(self.secrets), "secret_headers": unshown(self.secret_headers)}
        return [(name, hidden.get(name, getattr(self, name))) for name in self.__struct_fields__]
