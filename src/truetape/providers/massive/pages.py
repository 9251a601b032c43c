"""What all of Massive's bodies have in common: a status that says whether they hold data."""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec
import polars as pl

from truetape.domain.decoding import Payload
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import INSTANT
from truetape.providers.massive.classify import SOUND, by_body

PROVIDER: Final = "massive"
MILLISECOND: Final = 1_000_000  # nanoseconds

Number = float | None
Text = str | None
# Since 1970, of the years from 1800 to 2199.
Milliseconds = Annotated[int, msgspec.Meta(ge=-5_364_662_400_000, le=7_258_118_400_000)]
Nanoseconds = Annotated[int, msgspec.Meta(ge=-5_364_662_400_000_000_000, le=7_258_118_400_000_000_000)]


class Page(msgspec.Struct):
    """A body of Massive's."""

    status: str


P = TypeVar("P", bound=Page)

_PLAIN: Final = frozenset({"status", "request_id", "count", "queryCount", "resultsCount", "adjusted", "next_url"})
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def sound(payload: Payload, decoder: msgspec.json.Decoder[P]) -> P:
    """Return the body as `decoder` reads it.

    A page without results has none; one that has something else in their place is another page.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor what `decoder` expects.
    """
    page = payload.parse_or_refuse(decoder, by_body)
    if page.status in SOUND:
        if getattr(page, "results", ()) is None:
            _nothing_else(payload, page)
        return page
    failure = by_body(payload.body)
    if failure is None:
        raise payload.defect(f"the status was {page.status[:40]!r}, none of {', '.join(SOUND)}")
    raise ProviderRefused(provider=PROVIDER, failure=failure)


def _nothing_else(payload: Payload, page: Page) -> None:
    others = payload.parse(_FIELDS).keys() - _PLAIN - {"results", *page.__struct_fields__}
    if others:
        raise payload.defect(f"the field results was missing, and {min(others)[:40]} was there")


def from_ms(stamps: list[int]) -> pl.Series:
    """Return Unix milliseconds as instants."""
    return (pl.Series(stamps, dtype=pl.Int64) * MILLISECOND).cast(INSTANT)


def from_ns(stamps: list[int]) -> pl.Series:
    """Return Unix nanoseconds as instants."""
    return pl.Series(stamps, dtype=pl.Int64).cast(INSTANT)
