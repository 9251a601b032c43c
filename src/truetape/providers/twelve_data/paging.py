"""What follows a page of Twelve Data's: older bars, the next list, dividends after splits."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask
from truetape.providers.twelve_data.client import LISTS, ROWS

_STAMP: Final = re.compile(rb'"datetime"\s*:\s*"(\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2})?)"')
_SERIES: Final = ("bars", "fx_rates", "index_levels")


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the page after `answer`; None after the last one.

    A series goes on while its pages are full, each ending before the oldest bar of the page before.
    """
    if ask.kind in _SERIES:
        page = _oldest(answer.body, ask)
    elif answer.body.lstrip()[:1] not in (b"{", b"["):
        page = ""
    elif ask.kind == "actions":
        page = "" if ask.page else "dividends"
    else:
        page = _next_list(ask) if ask.kind == "listings" else ""
    return msgspec.structs.replace(ask, page=page) if page else None


def _oldest(body: bytes, ask: Ask) -> str:
    """Return the oldest stamp of a full page, "" where nothing older can be asked for."""
    stamps = _STAMP.findall(body)
    if len(stamps) < ROWS:
        return ""
    oldest = min(stamps[0], stamps[-1]).decode()
    older = not ask.page or oldest < ask.page
    wanted = ask.start is None or oldest[:10] > ask.start.isoformat() or len(oldest) > len("YYYY-MM-DD")
    return oldest if older and wanted else ""


def _next_list(ask: Ask) -> str:
    known = [*LISTS, ""]
    here = ask.page or LISTS[0]
    return known[known.index(here) + 1] if here in known else ""
