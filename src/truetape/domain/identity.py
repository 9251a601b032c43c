"""Permanent names: instruments, rounds and payloads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = tuple(first + second for first in _LETTERS for second in _LETTERS)


def instrument_id(*, mic: str, symbol: str, valid_from: date | None) -> str:
    """Return the permanent id of the instrument first listed as `symbol` on `mic` from `valid_from`.

    The id is 60 bits of a hash, written in 12 characters of base 32: it never changes, whatever the ticker does later.
    """
    first = f"{mic}:{symbol}:{valid_from.isoformat() if valid_from else ''}"
    return f"ins_{_short(first)}"


def round_id(*, instrument: str, kind: str, timeframe: str, start: date, end: date) -> str:
    """Return the id of the round that asks all providers about this range; the same question has the same id."""
    return f"rnd_{_short(f'{instrument}:{_question(kind, timeframe, start, end)}')}"


@lru_cache(maxsize=64)
def _question(kind: str, timeframe: str, start: date, end: date) -> str:
    return f"{kind}:{timeframe}:{start}:{end}"


def job_id(*, symbols: tuple[str, ...], kind: str, timeframe: str, start: date, end: date, ts_known: int) -> str:
    """Return the id of the backfill that was asked for at `ts_known`, UTC nanoseconds."""
    named = ",".join(symbols)
    return f"job_{_short(f'{named}:{kind}:{timeframe}:{start}:{end}:{ts_known}')}"


def claim_id(*, instrument: str, timeframe: str, ts_event: int, provider: str, values: Iterable[float | None]) -> str:
    """Return the id of a quarantined claim: what one provider said about one bar has one id, however often it is said.

    The instrument's own letters stand in it, so that a claim is found by its id alone.
    """
    said = ",".join("" if value is None else repr(float(value)) for value in values)
    return f"qua_{instrument.removeprefix('ins_')}_{_short(f'{timeframe}:{ts_event}:{provider}:{said}')}"


def repair_id(*, instrument: str, series: str, kind: str, edits: bytes) -> str:
    """Return the id of the repair that makes `edits` in one provider's `series`: the same repair has the same id."""
    digest = hashlib.sha256(edits).hexdigest()
    return f"rep_{instrument.removeprefix('ins_')}_{_short(f'{series}:{kind}:{digest}')}"


def decision_id(*, target: str, action: str, actor: str, ts_known: int) -> str:
    """Return the id of what `actor` decided at `ts_known`, UTC nanoseconds."""
    return f"dec_{_short(f'{target}:{action}:{actor}:{ts_known}')}"


def question_id(*, kind: str, about: tuple[str, ...]) -> str:
    """Return the id of a question of the instrument master: the same question has the same id, whenever it comes up."""
    named = chr(31).join(about)
    return f"que_{_short(f'{kind}:{named}')}"


def payload_key(body: bytes) -> str:
    """Return the sha256 of `body` in hexadecimal: its name in the archive."""
    return hashlib.sha256(body).hexdigest()


def _short(text: str) -> str:
    """Return the first 60 bits of the sha256 of `text` in base 32 (RFC 4648, small letters), two letters at a time."""
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 4
    pairs = _PAIRS
    return (
        pairs[bits >> 50]
        + pairs[bits >> 40 & 1023]
        + pairs[bits >> 30 & 1023]
        + pairs[bits >> 20 & 1023]
        + pairs[bits >> 10 & 1023]
        + pairs[bits & 1023]
    )
