"""What Finnhub's refusals mean."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

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
    """Return why `answer` brought neither candles nor a quote; None for one with data, or with none to be had."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or cut(answer, ends={b"{": b"}", b"[": b"]"})


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


def by_words(said: str) -> Failure:
    """Return the failure that Finnhub means by a sentence."""
    lowered = said.lower()
    found = (failure for words, failure in _BY_WORDS.items() if words in lowered)
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(said.encode()))
