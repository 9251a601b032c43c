"""What IEX Cloud's refusals mean: a status and one line of plain text."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import WORDS, by_page, by_status, cut, plain, with_headers

_BY_WORDS: Final = {
    "unknown symbol": FailureClass.PERMANENT,
    "message quota": FailureClass.QUOTA,
    "pay-as-you-go": FailureClass.QUOTA,
    "too many requests": FailureClass.THROTTLED,
    "api key": FailureClass.AUTH,
    "token": FailureClass.AUTH,
    "permission": FailureClass.ENTITLEMENT,
    "entitle": FailureClass.ENTITLEMENT,
    "forbidden": FailureClass.AUTH,
    "unauthorized": FailureClass.AUTH,
    "invalid values": FailureClass.PERMANENT,
    "not found": FailureClass.PERMANENT,
    "internal server error": FailureClass.TRANSIENT,
}
_BY_STATUS: Final = {403: FailureClass.AUTH}


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer, special=_BY_STATUS) or cut(answer, ends={b"[": b"]", b"{": b"}"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None:
        return page
    text = body.strip()
    if len(text) > WORDS or text[:1] in (b"[", b"{", b""):
        return None
    words = plain(text)
    found = (failure for known, failure in _BY_WORDS.items() if known in words.lower())
    failure_class = next(found, None)
    return Failure(failure_class=failure_class, words=words) if failure_class else None
