"""What is wrong with the listings that the settings name, beyond single values."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any


def listing_problems(listings: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what single values do not show: unknown venues, listings that are there twice, dates that end too early."""
    from truetape.services.reference.calendars import follows_calendar, known_mics

    seen: dict[tuple[object, ...], int] = {}
    for number, one in enumerate(listings):
        where = f"instruments[{number}]"
        key = (one.get("symbol"), one.get("mic"), one.get("valid_from"))
        if "mic" in one and not follows_calendar(one["mic"]):
            yield f"{where}.mic was {one['mic']!r}, which has no calendar; {_nearest(one['mic'], known_mics())}"
        if seen.setdefault(key, number) != number and None not in key[:2]:
            yield f"{where} is the same listing as instruments[{seen[key]}]; keep one of them."
        first, last = one.get("valid_from"), one.get("valid_to")
        yield from (f"{where}.{words}" for words in _wrong_identifiers(one))
        if first is not None and last is not None and first >= last:
            yield f"{where}.valid_to was {last}; write a date after valid_from ({first}), from which on it is gone."


def _wrong_identifiers(listing: dict[str, Any]) -> Iterator[str]:
    from truetape.domain.errors import BadInput
    from truetape.domain.identifiers import SCHEMES, normalized

    for scheme in SCHEMES:
        text = listing.get(scheme)
        if text:
            try:
                normalized(scheme, text)
            except BadInput as error:
                yield f"{scheme} was {text!r}. {error.fix}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
