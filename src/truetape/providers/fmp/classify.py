"""What Financial Modeling Prep's refusals mean."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

PROVIDER: Final = "fmp"
_BY_WORDS: Final = {  # in this order: a limit that is reached is worded like a plan's
    "bandwidth": FailureClass.QUOTA,
    "daily limit": FailureClass.QUOTA,
    "limit reach": FailureClass.THROTTLED,
    "too many requests": FailureClass.THROTTLED,
    "api key": FailureClass.AUTH,
    "apikey": FailureClass.AUTH,
    "legacy endpoint": FailureClass.PERMANENT,
    "exclusive endpoint": FailureClass.ENTITLEMENT,
    "special endpoint": FailureClass.ENTITLEMENT,
    "premium": FailureClass.ENTITLEMENT,
    "upgrade": FailureClass.ENTITLEMENT,
    "subscription": FailureClass.ENTITLEMENT,
}
_BY_STATUS: Final = {402: FailureClass.ENTITLEMENT}
_LONGEST_TEXT: Final = 1_000  # bytes of a refusal that is no JSON


class _Said(msgspec.Struct, rename={"words": "Error Message", "wait_ms": "X-Rate-Limit-Retry-After-Milliseconds"}):
    words: str | None = None
    error: str | None = None
    wait_ms: float | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer, special=_BY_STATUS) or cut(answer, ends={b"{": b"}", b"[": b"]"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells, whatever its status; None for data, or for what it does not explain.

    Plans are refused in plain text as well as in JSON.
    """
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        said = _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _by_text(body)
    words = said.words or said.error
    if not words:
        return None
    wait = None if said.wait_ms is None else max(0.0, said.wait_ms) / 1000
    return Failure(
        failure_class=_class_of(words) or FailureClass.PERMANENT, words=plain(words.encode()), retry_after_s=wait
    )


def _by_text(body: bytes) -> Failure | None:
    if body[:64].lstrip()[:1] in (b"[", b"{") or len(body) > _LONGEST_TEXT:
        return None
    words = plain(body)
    failure_class = _class_of(words)
    return Failure(failure_class=failure_class, words=words) if failure_class else None


def _class_of(words: str) -> FailureClass | None:
    lowered = words.lower()
    return next((failure for known, failure in _BY_WORDS.items() if known in lowered), None)
