"""What Alpaca's refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Allowance
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

RESET: Final = "x-ratelimit-reset"  # Unix seconds

_BY_WORDS: Final = {
    "too many requests": FailureClass.THROTTLED,
    "rate limit": FailureClass.THROTTLED,
    "connection limit": FailureClass.CONFLICT,
    "subscription": FailureClass.ENTITLEMENT,
    "past 15 minutes": FailureClass.ENTITLEMENT,
    "not permitted": FailureClass.ENTITLEMENT,
    "unauthorized": FailureClass.AUTH,
    "forbidden": FailureClass.AUTH,
    "not authenticated": FailureClass.AUTH,
    "auth failed": FailureClass.AUTH,
    "access key": FailureClass.AUTH,
    "internal": FailureClass.TRANSIENT,
    "timeout": FailureClass.TRANSIENT,
}


class _Said(msgspec.Struct):
    message: str


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had.

    Who asked too fast waits until the window begins anew, which the provider tells by its own clock.
    """
    failure = by_body(answer.body) or by_status(answer)
    if failure is None:
        return cut(answer, ends={b"{": b"}", b"[": b"]"})
    if failure.failure_class is FailureClass.THROTTLED:
        failure = _until_reset(failure, answer.headers)
    return with_headers(failure, answer)


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        said = _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    lowered = said.message.lower()
    found = (failure for words, failure in _BY_WORDS.items() if words in lowered)
    words = plain(said.message.encode()) or "no words"
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=words)


def allowances(headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Return what is left of the minute's requests; nothing where the headers do not tell."""
    left = _number(headers.get("x-ratelimit-remaining"))
    if left is None:
        return ()
    limit, resets = _number(headers.get("x-ratelimit-limit")), _number(headers.get(RESET))
    return (Allowance(unit="calls", period="minute", left=left, limit=limit, resets_at_s=resets),)


def _until_reset(failure: Failure, headers: Mapping[str, str]) -> Failure:
    named = {name.lower(): value for name, value in headers.items()}
    resets = _number(named.get(RESET))
    try:
        now = parsedate_to_datetime(named.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return failure
    if resets is None:
        return failure
    wait = max(0.0, resets - now)
    return Failure(failure_class=failure.failure_class, words=failure.words, retry_after_s=wait)


def _number(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) <= 12 else None  # noqa: PLR2004
