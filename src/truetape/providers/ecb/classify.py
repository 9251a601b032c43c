"""What the bank's refusals mean."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, plain, with_headers
from truetape.domain.tables import ends_whole

PORTAL: Final = "/service/data/"
STARTS: Final = (b"KEY,", b"Date,", b"PK")
ROOT: Final = b"Envelope"

_BY_WORDS: Final = {
    "no results": FailureClass.EMPTY,
    "no data": FailureClass.EMPTY,
    "not acceptable": FailureClass.PERMANENT,
    "syntax": FailureClass.PERMANENT,
    "invalid": FailureClass.PERMANENT,
}
_ZIP: Final = b"PK"
_END_OF_ZIP: Final = b"PK\x05\x06"
_NOT_FOUND: Final = 404


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no rates; None for one with rates, or with none to be had.

    The data portal answers 404 where a valid series has no rows in the range.
    """
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    special = {_NOT_FOUND: FailureClass.EMPTY} if PORTAL in answer.url else {}
    return by_status(answer, special=special) or _unfinished(answer.body)


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    if _is_data(body):
        return None
    page = by_page(body)
    if page is not None:
        return page
    words = plain(body)
    found = (failure_class for known, failure_class in _BY_WORDS.items() if known in words.lower())
    failure_class = next(found, None)
    return Failure(failure_class=failure_class, words=words) if failure_class else None


def _is_data(body: bytes) -> bool:
    return body.startswith(STARTS) or ROOT in body[:LOOKED_AT]


def _unfinished(body: bytes) -> Failure | None:
    if body.startswith(_ZIP):
        whole = _END_OF_ZIP in body[-LOOKED_AT:]
    elif body.startswith(b"<"):
        whole = _is_data(body) and body.rstrip().endswith(b">")
    else:
        whole = _is_data(body) and ends_whole(body)
    if whole:
        return None
    return Failure(failure_class=FailureClass.TRANSIENT, words=f"the body of {len(body)} bytes was cut or no data")
