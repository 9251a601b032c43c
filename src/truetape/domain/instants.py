"""Single instants as feeds write them, read fast: RFC 3339 text of up to nine decimals, and seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from truetape.domain.time import NANOSECONDS

MILLISECOND: Final = 1_000_000  # nanoseconds
LAST_NS: Final = 2**63 - 1
MINUTE: Final = len("2024-06-10T20:00")
SECONDS: Final = len("2024-06-10T20:00:00")
DECIMALS: Final = 9
YEARS: Final = range(1970, 2262)


def instant(text: str) -> int:
    """Return the UTC nanoseconds of an RFC 3339 `text`, such as 2024-06-10T20:00:00.123456789Z; decimals are cut to 9.

    Raises:
        ValueError: It is no such text, lacks a zone, or lies outside 1970 to 2262.
    """
    if not text.endswith("Z"):
        return _with_offset(text)
    decimals = text[SECONDS:-1]
    at = _minute(text[:MINUTE]) + _two(text[MINUTE:SECONDS]) * NANOSECONDS
    if not decimals:
        return at
    digits = decimals[1 : DECIMALS + 1]
    if decimals[0] != "." or not digits.isascii() or not digits.isdigit():
        raise ValueError(f"{text[:40]!r} was no instant")
    return at + int(digits.ljust(DECIMALS, "0"))


def from_seconds(seconds: float) -> int:
    """Return the nanoseconds of `seconds` since 1970, to the microsecond.

    Raises:
        ValueError: They lie outside 1970 to 2262.
        OverflowError: They are infinite.
    """
    at = round(seconds * 1e6) * 1000
    if not 0 <= at <= LAST_NS:
        raise ValueError(f"{seconds} lies outside 1970 to 2262")
    return at


@lru_cache(maxsize=4096)
def _minute(text: str) -> int:
    """Return the nanoseconds at which a minute begins; `text` is such as 2024-06-10T20:00."""
    at = datetime.strptime(text.replace(" ", "T"), "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    if at.year not in YEARS:
        raise ValueError(f"{text!r} lies outside 1970 to 2262")
    return int(at.timestamp()) * NANOSECONDS


def _two(text: str) -> int:
    """Return the seconds that ":07" names."""
    seconds = text[1:]
    if text[:1] != ":" or not seconds.isascii() or not seconds.isdigit():
        raise ValueError(f"{text!r} were no seconds")
    return int(seconds)


def _with_offset(text: str) -> int:
    """Return the nanoseconds of an instant that ends with an offset such as -04:00."""
    moment, sign, offset = text[:-6], text[-6:-5], text[-5:]
    if sign not in ("+", "-") or len(offset) != len("04:00") or offset[2] != ":":
        raise ValueError(f"{text[:40]!r} names no zone")
    ahead = (int(offset[:2]) * 60 + int(offset[3:])) * 60 * NANOSECONDS
    at = instant(f"{moment}Z") - (ahead if sign == "+" else -ahead)
    if at < 0:
        raise ValueError(f"{text!r} lies before 1970")
    return at
