"""What Finnhub's refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Allowance
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

LONGEST: Final = 12  # digits of a number in a header

_BY_WORDS: Final = {
    "limit reached": FailureClass.THROTTLED,
    "too many requests": FailureClass.THROTTLED,
    "have access": FailureClass.ENTITLEMENT,
    "too many symbols": FailureClass.ENTITLEMENT,
    "api key": FailureClass.AUTH,
    "token": FailureClass.AUTH,
    "internal": FailureClass.TRANSIENT,
}


class _Said(msgspec.Struct):
    error: str | None = None
    msg: str | None = None
    c: float | None = None
    d: float | None = None
    pc: float | None = None
    t: float | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had."""
    failure = by_body(answer.body)
    failure = by_status(answer) if failure is None else with_headers(failure, answer)
    if failure is None:
        return cut(answer, ends={b"{": b"}", b"[": b"]"})
    return _until_reset(failure, answer.headers)


def allowances(headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Return how many calls the headers of an answer leave in this minute; nothing if they do not tell."""
    left, limit = headers.get("x-ratelimit-remaining", ""), headers.get("x-ratelimit-limit", "")
    if not left.isdecimal() or len(left) > LONGEST:
        return ()
    return (
        Allowance(
            unit="calls",
            period="minute",
            left=float(left),
            limit=float(limit) if limit.isdecimal() and len(limit) <= LONGEST else None,
            resets_at_s=_reset_s(headers),
        ),
    )


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain.

    A quote of zeros without changes is Finnhub's answer to a symbol that it does not know.
    """
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        said = _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if said.c == 0 and said.pc == 0 and said.d is None and not said.t:
        return Failure(failure_class=FailureClass.PERMANENT, words="a quote of zeros: the symbol is not known")
    words = said.error or said.msg
    return by_words(words) if words else None


def _reset_s(headers: Mapping[str, str]) -> float | None:
    reset = headers.get("x-ratelimit-reset", "")
    return float(reset) if reset.isdecimal() and len(reset) <= LONGEST else None


def _until_reset(failure: Failure, headers: Mapping[str, str]) -> Failure:
    """Return `failure`, if it is a throttle without a wait, with the seconds from the header Date to the reset."""
    named = {name.lower(): value for name, value in headers.items()}
    reset = _reset_s(named)
    throttled = failure.failure_class is FailureClass.THROTTLED and failure.retry_after_s is None
    if not throttled or reset is None:
        return failure
    try:
        sent = parsedate_to_datetime(named.get("date", "")).timestamp()
    except ValueError:
        return failure
    return replace(failure, retry_after_s=max(0.0, reset - sent))


def by_words(said: str) -> Failure:
    """Return the failure that Finnhub means by a sentence."""
    lowered = said.lower()
    found = (failure for words, failure in _BY_WORDS.items() if words in lowered)
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(said.encode()))
