"""What Coinbase Exchange's refusals mean."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

_BY_WORDS: Final = {
    "rate limit": FailureClass.THROTTLED,
    "too many requests": FailureClass.THROTTLED,
    "unauthorized": FailureClass.AUTH,
    "api key": FailureClass.AUTH,
    "forbidden": FailureClass.ENTITLEMENT,
    "internal server error": FailureClass.TRANSIENT,
    "unavailable": FailureClass.TRANSIENT,
    "maintenance": FailureClass.TRANSIENT,
    "timed out": FailureClass.TRANSIENT,
    "try again": FailureClass.TRANSIENT,
}


class _Said(msgspec.Struct):
    message: str


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or cut(answer, ends={b"{": b"}", b"[": b"]"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        words = _SAID.decode(body).message
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    lowered = words.lower()
    found = (failure for known, failure in _BY_WORDS.items() if known in lowered)
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(words.encode()) or "no words")
