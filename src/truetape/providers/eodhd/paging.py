"""What follows a page of EODHD's: the next exchange, splits after dividends."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask
from truetape.providers.eodhd.client import LISTS

_NEXT: Final = {("actions", ""): "splits", ("listings", ""): LISTS[1]} | {
    ("listings", here): there for here, there in pairwise(LISTS)
}


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the page after `answer`, which may be an empty list; None after the last one, or no list."""
    page = _NEXT.get((ask.kind, ask.page)) if answer.body.lstrip()[:1] == b"[" else None
    return msgspec.structs.replace(ask, page=page) if page else None
