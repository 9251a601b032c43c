"""Permanent names: instruments, rounds and payloads."""

from __future__ import annotations

import base64
import hashlib
from datetime import date


def instrument_id(*, mic: str, symbol: str, valid_from: date | None) -> str:
    """Return the permanent id of the instrument first listed as `symbol` on `mic` from `valid_from`.

    The id is 60 bits of a hash, written in 12 characters of base 32: it never changes, whatever the ticker does later.
    """
    first = f"{mic}:{symbol}:{valid_from.isoformat() if valid_from else ''}"
    return f"ins_{_short(first)}"


def round_id(*, instrument: str, kind: str, timeframe: str, start: date, end: date) -> str:
    """Return the id of the round that asks all providers about this range; the same question has the same id."""
    return f"rnd_{_short(f'{instrument}:{kind}:{timeframe}:{start}:{end}')}"


def job_id(*, symbols: tuple[str, ...], kind: str, timeframe: str, start: date, end: date, ts_known: int) -> str:
    """Return the id of the backfill that was asked for at `ts_known`, UTC nanoseconds."""
    named = ",".join(symbols)
    return f"job_{_short(f'{named}:{kind}:{timeframe}:{start}:{end}:{ts_known}')}"


def payload_key(body: bytes) -> str:
    """Return the sha256 of `body` in hexadecimal: its name in the archive."""
    return hashlib.sha256(body).hexdigest()


def _short(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.b32encode(digest[:8]).decode().lower()[:12]
