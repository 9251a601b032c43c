"""What Massive's refusals mean."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

SOUND: Final = ("OK", "DELAYED", "success")  # of answers with data, or with none to be had

_BY_WORDS: Final = {
    "maximum requests": FailureClass.THROTTLED,
    "too many requests": FailureClass.THROTTLED,
    "max_connections": FailureClass.CONFLICT,
    "not entitled": FailureClass.ENTITLEMENT,
    "not authorized": FailureClass.ENTITLEMENT,
    "not_authorized": FailureClass.ENTITLEMENT,
    "upgrade your plan": FailureClass.ENTITLEMENT,
    "api key": FailureClass.AUTH,
    "apikey": FailureClass.AUTH,
    "auth_failed": FailureClass.AUTH,
    "internal": FailureClass.TRANSIENT,
    "timeout": FailureClass.TRANSIENT,
    "timed out": FailureClass.TRANSIENT,
    "try again": FailureClass.TRANSIENT,
}


class _Said(msgspec.Struct):
    status: str
    error: str | None = None
    message: str | None = None


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
        said = _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if said.status in SOUND:
        return None
    words = said.error or said.message or said.status
    lowered = f"{said.status} {words}".lower()
    found = (failure for known, failure in _BY_WORDS.items() if known in lowered)
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(words.encode()) or "no words")
