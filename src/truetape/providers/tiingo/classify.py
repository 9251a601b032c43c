"""What Tiingo's refusals mean."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

_BY_WORDS: Final = {
    "you have run over your": FailureClass.QUOTA,
    "request allocation": FailureClass.QUOTA,
    "symbol look up": FailureClass.QUOTA,
    "bandwidth": FailureClass.QUOTA,
    "throttled": FailureClass.THROTTLED,
    "too many requests": FailureClass.THROTTLED,
    "permission": FailureClass.ENTITLEMENT,
    "add-on": FailureClass.ENTITLEMENT,
    "are limited to": FailureClass.ENTITLEMENT,
    "token": FailureClass.AUTH,
    "authentication": FailureClass.AUTH,
    "server error": FailureClass.TRANSIENT,
    "not found": FailureClass.PERMANENT,
    "error": FailureClass.PERMANENT,
}
_ZIP: Final = b"PK"
_ZIP_END: Final = b"PK\x05\x06"
TABLES: Final = (b"date,", b"ticker,", _ZIP)  # how data begin that are no JSON
_HOUR_S: Final = 3600


class _Said(msgspec.Struct):
    detail: str


_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had.

    An hour's budget comes back with the next full hour, which the header Date tells the distance to.
    """
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(_until_the_hour(failure, answer), answer)
    return by_status(answer) or _cut(answer)


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells, in JSON or in plain text; None for data, or for other words."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        return by_words(_SAID.decode(body).detail)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _by_text(body)


def by_words(said: str) -> Failure:
    """Return the failure that Tiingo means by a sentence."""
    return Failure(failure_class=_known(said) or FailureClass.PERMANENT, words=plain(said.encode()))


def _by_text(body: bytes) -> Failure | None:
    if body.startswith(TABLES) or body.lstrip()[:1] in b"{[":
        return None
    said = plain(body)
    failure_class = _known(said)
    return Failure(failure_class=failure_class, words=said) if failure_class else None


def _known(said: str) -> FailureClass | None:
    lowered = said.lower()
    return next((failure for words, failure in _BY_WORDS.items() if words in lowered), None)


def _cut(answer: Answer) -> Failure | None:
    body = answer.body
    if not body.startswith(TABLES):
        return cut(answer, ends={b"{": b"}", b"[": b"]"})
    if not body.startswith(_ZIP) or _ZIP_END in body[-LOOKED_AT:]:
        return None
    return Failure(failure_class=FailureClass.TRANSIENT, words=f"the archive of {len(body)} bytes was cut")


def _until_the_hour(failure: Failure, answer: Answer) -> Failure:
    if "hourly" not in failure.words:
        return failure
    named = {name.lower(): value for name, value in answer.headers.items()}
    try:
        now = parsedate_to_datetime(named.get("date", ""))
    except (ValueError, TypeError):
        return failure
    wait = float(_HOUR_S - now.minute * 60 - now.second)
    return Failure(failure_class=failure.failure_class, words=failure.words, retry_after_s=wait)
