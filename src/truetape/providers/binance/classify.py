"""What Binance's refusals mean: a code, a sentence, and bans that grow."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

BANNED: Final = 418
FIREWALL: Final = 403
_BY_CODE: Final = {
    -1000: FailureClass.TRANSIENT,  # unknown error
    -1001: FailureClass.TRANSIENT,  # disconnected within
    -1002: FailureClass.AUTH,
    -1003: FailureClass.THROTTLED,
    -1006: FailureClass.TRANSIENT,  # unexpected response
    -1007: FailureClass.TRANSIENT,  # time-out
    -1008: FailureClass.TRANSIENT,  # overloaded
    -1015: FailureClass.THROTTLED,
    -1016: FailureClass.TRANSIENT,  # shutting down
    -1022: FailureClass.AUTH,
    -2008: FailureClass.AUTH,
    -2014: FailureClass.AUTH,
    -2015: FailureClass.AUTH,
}
_BY_WORDS: Final = {"restricted location": FailureClass.ENTITLEMENT, "banned until": FailureClass.BLOCKED}
_UNTIL: Final = re.compile(r"banned until (\d{13})(?!\d)")


class _Said(msgspec.Struct):
    code: int
    msg: str = ""


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had.

    The wait is that of Retry-After, or lasts to the end of a ban that the words name.
    """
    failure = by_body(answer.body)
    if failure is not None:
        barred = answer.status in (BANNED, FIREWALL)
        failure_class = FailureClass.BLOCKED if barred else failure.failure_class
        named = Failure(failure_class=failure_class, words=failure.words, retry_after_s=_ban_s(failure.words, answer))
        return with_headers(named, answer)
    special = {BANNED: FailureClass.BLOCKED, FIREWALL: FailureClass.BLOCKED}
    return by_status(answer, special=special) or cut(answer, ends={b"{": b"}", b"[": b"]"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        said = _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    lowered = said.msg.lower()
    found = (failure for known, failure in _BY_WORDS.items() if known in lowered)
    failure_class = next(found, None) or _BY_CODE.get(said.code, FailureClass.PERMANENT)
    return Failure(failure_class=failure_class, words=plain(said.msg.encode()) or f"code {said.code}")


def _ban_s(words: str, answer: Answer) -> float | None:
    """Return how long a ban lasts from the answer's Date on; None if either is not told."""
    until = _UNTIL.search(words)
    if until is None:
        return None
    try:
        sent = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return None
    return max(0.0, int(until[1]) / 1_000 - sent)
