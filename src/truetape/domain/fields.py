"""The types of fields that the frames of live feeds share: bounded, so that no server can fill the memory."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Final

import msgspec

from truetape.domain.instants import LAST_NS, MILLISECOND

LONGEST_SYMBOL: Final = 64
LONGEST_TEXT: Final = 256
LONGEST_CODE: Final = 16
MOST_CODES: Final = 32

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=LAST_NS // MILLISECOND)]  # since 1970 in UTC
Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=LAST_NS)]
Number = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)]  # finite, also where it is written as text
Count = Annotated[int, msgspec.Meta(ge=0, le=LAST_NS)]  # a sequence number or an id
Symbol = Annotated[str, msgspec.Meta(max_length=LONGEST_SYMBOL)]
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
Code = Annotated[str, msgspec.Meta(max_length=LONGEST_CODE)]
Codes = Annotated[tuple[Code, ...], msgspec.Meta(max_length=MOST_CODES)]
CodeNumbers = Annotated[tuple[Count, ...], msgspec.Meta(max_length=MOST_CODES)]


@lru_cache(maxsize=4096)
def listed(codes: tuple[str, ...] | tuple[int, ...]) -> str:
    """Return condition codes, comma separated, in their order."""
    return ",".join(map(str, codes))
