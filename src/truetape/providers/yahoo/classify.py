"""What Yahoo's refusals mean."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

THROTTLE: Final = "too many requests"

_BY_WORDS: Final = {
    "data doesn't exist for startdate": FailureClass.EMPTY,
    THROTTLE: FailureClass.THROTTLED,
    "invalid crumb": FailureClass.AUTH,
    "invalid cookie": FailureClass.AUTH,
    "unauthorized": FailureClass.AUTH,
    "unable to access": FailureClass.AUTH,
    "internal": FailureClass.TRANSIENT,
    "unavailable": FailureClass.TRANSIENT,
    "gateway": FailureClass.TRANSIENT,
}


class Refusal(msgspec.Struct, frozen=True):
    """The error object of a chart or finance envelope."""

    code: str | None = None
    description: str | None = None


class _Part(msgspec.Struct):
    error: Refusal | None = None


_ENVELOPES: Final = msgspec.json.Decoder(dict[str, _Part])


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no chart; None for one with data."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or cut(answer, ends={b"{": b"}"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    if looks_throttled(body):
        return Failure(failure_class=FailureClass.THROTTLED, words=plain(body))
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        parts = _ENVELOPES.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return next((by_refusal(part.error) for part in parts.values() if part.error), None)


def looks_throttled(body: bytes) -> bool:
    """Return whether `body` is the edge's plain text for too many requests."""
    return len(body) < 100 and THROTTLE.encode() in body.lower()  # noqa: PLR2004


def by_refusal(refusal: Refusal) -> Failure:
    """Return the failure that Yahoo's error object stands for."""
    said = f"{refusal.code or ''}: {refusal.description or ''}".strip(": ")
    lowered = said.lower()
    found = (failure for words, failure in _BY_WORDS.items() if words in lowered)
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(said.encode()) or "an error")
