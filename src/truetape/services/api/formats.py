"""In which form an answer goes out: by the parameter `format`, or by the header Accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from truetape.domain.errors import BadInput

MEDIA_TYPES: Final = {
    "json": "application/json",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "text": "text/plain",
}
TABLE_FORMATS: Final = ("json", "csv", "arrow", "parquet", "ndjson")
STREAM_FORMATS: Final = ("arrow", "csv", "ndjson")
PAGE_FORMATS: Final = ("json", "text")
LONGEST_ACCEPT: Final = 1024


class NotAcceptable(BadInput):
    """The header Accept names no form in which the answer can be given."""


def choose_format(given: Mapping[str, str], accept: str, offered: Sequence[str]) -> str:
    """Return one of `offered`: the parameter `format`, or the one that `accept` weighs most; the first at a tie.

    Raises:
        NotAcceptable: `accept` allows none of them.
    """
    if "format" in given:
        return given["format"]
    if not accept.strip() or accept == "*/*":
        return offered[0]
    ranges = [_media_range(part) for part in accept[:LONGEST_ACCEPT].split(",")]
    weights = {name: _weight(MEDIA_TYPES[name], ranges) for name in offered}
    best = max(offered, key=lambda name: weights[name])
    if weights[best] <= 0:
        types = ", ".join(MEDIA_TYPES[name] for name in offered)
        fix = f"Accept one of {types}, or give format={'|'.join(offered)}."
        raise NotAcceptable(parameter="Accept", value=accept[:100], fix=fix)
    return best


def _media_range(part: str) -> tuple[str, float]:
    name, *options = (piece.strip().lower() for piece in part.split(";"))
    weight = 1.0
    for option in options:
        if option.startswith("q="):
            try:
                weight = float(option[2:])
            except ValueError:
                weight = 0.0
    return name, weight


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the weight of the most specific range that holds `media_type`; 0 if none does."""
    for pattern in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        found = [weight for name, weight in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0
