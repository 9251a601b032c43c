"""Massive's pages: what is kept of `next_url`, and questions that take two endpoints one after the other.

A mark never holds more of an address than its cursor, and of bars the start that the next page has in its path.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from truetape.domain.asks import Answer, Ask
from truetape.providers.massive.classify import SOUND

STAGES: Final = {"actions": ("splits", "dividends"), "listings": ("active", "delisted")}
RANGES: Final = ("bars", "index_levels", "fx_rates")  # kinds that are read from aggregates
LONGEST: Final = 4096  # characters of a mark

_START: Final = re.compile(r"/range/\d+/[a-z]+/(\d{1,15}|\d{4}-\d\d-\d\d)/")


class _Page(msgspec.Struct):
    status: str
    next_url: str | None = None


_PAGE: Final = msgspec.json.Decoder(_Page)


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the page after `answer`; None after the last one, and after one that names itself again."""
    try:
        page = _PAGE.decode(answer.body)
        parts = urlsplit(page.next_url or "")
        cursor = parse_qs(parts.query).get("cursor", [""])[0]
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
        return None
    if page.status not in SOUND:
        return None
    mark = _mark(ask, parts.path, cursor) if cursor else _next_stage(ask)
    if not mark or mark == ask.page or len(mark) > LONGEST:
        return None
    return msgspec.structs.replace(ask, page=mark)


def place(ask: Ask) -> tuple[str, str]:
    """Return where the page of `ask` lies: a stage of its kind, or the moved start of a range, and the cursor."""
    before, _, cursor = ask.page.partition(":")
    if ask.kind in STAGES:
        stages = STAGES[ask.kind]
        return before if before in stages else stages[0], cursor
    return before, cursor


def _mark(ask: Ask, path: str, cursor: str) -> str:
    if ask.kind in STAGES:
        return f"{place(ask)[0]}:{cursor}"
    if ask.kind in RANGES:
        start = _START.search(path)
        return f"{start[1] if start else ''}:{cursor}"
    return cursor


def _next_stage(ask: Ask) -> str:
    if ask.kind not in STAGES or (ask.kind == "listings" and ask.symbol):
        return ""
    first, second = STAGES[ask.kind]
    return f"{second}:" if place(ask)[0] == first else ""
