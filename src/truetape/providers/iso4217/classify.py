"""What the maintenance agency's refusals mean."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import by_page, by_status, plain, with_headers

ROOT: Final = b"<ISO_4217"
_END: Final = b"</ISO_4217>"
_BEGINNING: Final = 1024


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no list; None for a whole one."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    failure = by_status(answer)
    if failure is not None:
        return failure
    if ROOT in answer.body[:_BEGINNING] and answer.body.rstrip().endswith(_END):
        return None
    words = plain(answer.body[:_BEGINNING]) or "an empty body"
    return Failure(failure_class=FailureClass.TRANSIENT, words=f"no whole list of currencies: {words}"[:500])


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    return None if ROOT in body[:_BEGINNING] else by_page(body)
