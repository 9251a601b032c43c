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
    result: dict[str, msgspec.Raw] | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data. A result without rows is the answer without rows."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or cut(answer, ends={b"{": b"}"}) or _without_rows(answer.body)


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None:
        return page
    said = _said(body)
    return by_words(said.error) if said else None


def by_words(said: list[str]) -> Failure | None:
    """Return the failure that Kraken means by its list of errors; None if all of them are warnings."""
    errors = [words for words in said if not words.startswith("W")]
    if not errors:
        return None
    words = ", ".join(errors)
    found = (failure for known, failure in _BY_WORDS.items() if known in words.lower())
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(words.encode()) or "no words")


def _said(body: bytes) -> _Said | None:
    if len(body) > LOOKED_AT:
        return None
    try:
        return _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _without_rows(body: bytes) -> Failure | None:
    said = _said(body)
    if said is None or said.result is None:
        return None
    if any(bytes(rows).strip() != b"[]" for name, rows in said.result.items() if name != "last"):
        return None
    return Failure(failure_class=FailureClass.EMPTY, words="a result without rows")
