"""What the symbol directory's refusals mean."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import by_page, by_status, plain, with_headers

HEADERS: Final = (b"Symbol|", b"ACT Symbol|", b"Nasdaq Traded|")  # how the three files begin
TRAILER: Final = b"File Creation Time"  # how the last line of a whole file begins
_TAIL: Final = 1024


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no list; None for one with a list, whole or not."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    failure = by_status(answer)
    if failure is not None or answer.body.startswith(HEADERS):
        return failure
    words = plain(answer.body) or "an empty body"
    return Failure(failure_class=FailureClass.TRANSIENT, words=f"no list of symbols: {words}"[:500])


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    return None if body.startswith(HEADERS) else by_page(body)


def is_whole(body: bytes) -> bool:
    """Return whether the list ends with the line that stands at the end of whole ones only."""
    return body[-_TAIL:].rstrip().rpartition(b"\n")[2].startswith(TRAILER)
