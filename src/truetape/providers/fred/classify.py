"""What FRED's refusals mean."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.markup import elements
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

_LOCKED: Final = 423
_ROOT: Final = b"<observations"
_BY_WORDS: Final = {
    "api_key": FailureClass.AUTH,
    "too many requests": FailureClass.THROTTLED,
    "rate limit": FailureClass.THROTTLED,
    "locked": FailureClass.BLOCKED,
    "internal server error": FailureClass.TRANSIENT,
}


class _Said(msgspec.Struct):
    error_message: str | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no observations; None for one with observations, or with none to be had."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    ends = {b"{": b"}"}
    if _ROOT in answer.body[:LOOKED_AT]:
        ends[b"<"] = b">"
    return by_status(answer, special={_LOCKED: FailureClass.BLOCKED}) or cut(answer, ends=ends)


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells, in JSON or XML; None for data, or for what it does not explain."""
    page = by_page(body[:LOOKED_AT])
    if page is not None or len(body) > LOOKED_AT:
        return page
    said = _in_xml(body) if body.lstrip()[:1] == b"<" else _in_json(body)
    return by_words(said) if said else None


def by_words(said: str) -> Failure:
    """Return the failure that FRED means by a sentence."""
    lowered = said.lower()
    found = (failure for words, failure in _BY_WORDS.items() if words in lowered)
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(said.encode("utf-8", "replace")))


def _in_json(body: bytes) -> str | None:
    try:
        return _SAID.decode(body).error_message
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _in_xml(body: bytes) -> str | None:
    try:
        found = elements(Payload(provider="fred", kind="error", body=body), names=("error",))
    except UndecodablePayload:
        return None
    return found[0][1].get("message") if found else None
