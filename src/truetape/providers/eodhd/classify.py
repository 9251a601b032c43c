"""What EODHD's refusals mean, and what its headers say of the minute's requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Allowance
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

PROVIDER: Final = "eodhd"
NOT_AVAILABLE: Final = "NA"  # in place of a number
_BY_WORDS: Final = {
    "daily api requests limit": FailureClass.QUOTA,
    "payment required": FailureClass.QUOTA,
    "too many": FailureClass.THROTTLED,
    "free users": FailureClass.ENTITLEMENT,
    "subscription": FailureClass.ENTITLEMENT,
    "your plan": FailureClass.ENTITLEMENT,
    "forbidden": FailureClass.ENTITLEMENT,
    "unauthenticated": FailureClass.AUTH,
    "unauthorized": FailureClass.AUTH,
    "token": FailureClass.AUTH,
    "not found": FailureClass.PERMANENT,
    "server error": FailureClass.TRANSIENT,
}
_BY_CODE: Final = {
    401: FailureClass.AUTH,
    402: FailureClass.QUOTA,
    403: FailureClass.ENTITLEMENT,
    429: FailureClass.THROTTLED,
}
_SERVER_ERROR: Final = 500
_LONGEST_TEXT: Final = 1_000  # bytes of a refusal that is no JSON


class _Said(msgspec.Struct):
    error: str | None = None
    message: str | None = None
    code: int | str | None = None  # of a quote: its symbol
    timestamp: int | str | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had.

    A spent day ends at midnight GMT, counted from the header Date.
    """
    failure = by_body(answer.body)
    if failure is not None:
        return _until_midnight(with_headers(failure, answer), answer)
    failure = by_status(answer)
    return _until_midnight(failure, answer) if failure else cut(answer, ends={b"{": b"}", b"[": b"]"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain.

    Refusals are plain text or JSON. A quote that is not available is EODHD's answer to a symbol that it does not know.
    """
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        said = _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _by_text(body)
    if said.timestamp == NOT_AVAILABLE:
        return Failure(failure_class=FailureClass.PERMANENT, words="a quote of NA: the symbol is not known")
    words = said.error or said.message
    if not words:
        return None
    code = said.code if isinstance(said.code, int) else 0
    failure_class = _by_words(words) or _BY_CODE.get(code)
    custom = FailureClass.TRANSIENT if code >= _SERVER_ERROR else FailureClass.PERMANENT
    return Failure(failure_class=failure_class or custom, words=plain(words.encode()))


def _by_text(body: bytes) -> Failure | None:
    if body[:64].lstrip()[:1] in (b"[", b"{") or len(body) > _LONGEST_TEXT:
        return None
    words = plain(body)
    failure_class = _by_words(words)
    return Failure(failure_class=failure_class, words=words) if failure_class else None


def _by_words(words: str) -> FailureClass | None:
    lowered = words.lower()
    return next((failure for known, failure in _BY_WORDS.items() if known in lowered), None)


def _until_midnight(failure: Failure, answer: Answer) -> Failure:
    if failure.retry_after_s is not None or failure.failure_class is not FailureClass.QUOTA:
        return failure
    try:
        now = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return failure
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return msgspec.structs.replace(failure, retry_after_s=(midnight - now).total_seconds())


def allowances(headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Return how many requests of the minute are left, if `headers` say so."""
    limit, left = (headers.get(f"x-ratelimit-{name}", "").strip() for name in ("limit", "remaining"))
    if not re.fullmatch(r"\d{1,9}", left):
        return ()
    known = float(limit) if re.fullmatch(r"\d{1,9}", limit) else None
    return (Allowance(unit="calls", period="minute", left=float(left), limit=known),)
