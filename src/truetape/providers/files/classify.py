"""What it means when a file has no prices."""

from __future__ import annotations

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import by_status


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` holds no file: not there (404), too large (413), or empty, as one that is being written."""
    if answer.status == 200 and not answer.body:  # noqa: PLR2004 - found
        return Failure(failure_class=FailureClass.TRANSIENT, words="the file is empty")
    return by_status(answer)
