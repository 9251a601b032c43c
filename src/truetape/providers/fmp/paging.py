"""What follows a page of Financial Modeling Prep's: the next list, splits after dividends."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask
from truetape.providers.fmp.client import CHANGES, DELISTED, LISTS

MOST_PAGES: Final = 1_000  # of companies that are gone, a hundred each


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the page after `answer`, which may be an empty list; None after the last one, or no list."""
    page = ""
    if answer.body.lstrip()[:1] != b"[":
        return None
    if ask.kind == "actions":
        page = {"": "splits", "splits": "" if ask.symbol else CHANGES}.get(ask.page, "")
    elif ask.kind == "listings" and not ask.symbol:
        page = _next_list(ask.page or LISTS[0], answer.body)
    return msgspec.structs.replace(ask, page=page) if page else None


def _next_list(here: str, body: bytes) -> str:
    path, _, number = here.partition("/")
    if path != DELISTED:
        return dict(pairwise(LISTS)).get(here, "")
    going_on = number.isascii() and number.isdigit() and int(number) < MOST_PAGES and body.strip() != b"[]"
    return f"{path}/{int(number) + 1}" if going_on else ""
