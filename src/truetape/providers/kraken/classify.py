"""What Kraken's refusals mean: it says them with status 200."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

_BY_WORDS: Final = {
    "rate limit exceeded": FailureClass.THROTTLED,
    "too many requests": FailureClass.THROTTLED,
    "throttled": FailureClass.THROTTLED,
    "temporary lockout": FailureClass.BLOCKED,
    "permission denied": FailureClass.ENTITLEMENT,
    "feature disabled": FailureClass.ENTITLEMENT,
    "egeneral:internal error": FailureClass.TRANSIENT,
    "eservice:": FailureClass.TRANSIENT,
    "eapi:": FailureClass.AUTH,
}


class _Said(msgspec.Struct):
    error: list[str]


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or cut(answer, ends={b"{": b"}"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        return by_words(_SAID.decode(body).error)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def by_words(said: list[str]) -> Failure | None:
    """Return the failure that Kraken means by its list of errors; None if all of them are warnings."""
    errors = [words for words in said if not words.startswith("W")]
    if not errors:
        return None
    words = ", ".join(errors)
    found = (failure for known, failure in _BY_WORDS.items() if known in words.lower())
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(words.encode()) or "no words")
