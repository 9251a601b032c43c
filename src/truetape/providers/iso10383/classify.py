"""What the registration authority's refusals mean."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import by_page, by_status, plain, with_headers
from truetape.domain.tables import ends_whole

HEADINGS: Final = (b'"MIC"', b"MIC,", b'"COUNTRY"', b"COUNTRY,")  # the older form begins with the country
_MARK: Final = b"\xef\xbb\xbf"
_CUT: Final = Failure(failure_class=FailureClass.TRANSIENT, words="the last line of the register was cut")


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no register, or not all of it; None for a whole one."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    failure = by_status(answer)
    if failure is not None:
        return failure
    if answer.body.removeprefix(_MARK).startswith(HEADINGS):
        return None if ends_whole(answer.body) else _CUT
    words = plain(answer.body) or "an empty body"
    return Failure(failure_class=FailureClass.TRANSIENT, words=f"no register of markets: {words}"[:500])


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    return by_page(body)
