"""What it means when a folder of LEAN's has no files for a question."""

from __future__ import annotations

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import by_status, cut

_ZIP = {b"P": b"\0"}


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` holds no files: none there (404), not readable (410), too large (413), or no zip."""
    missing = by_status(answer, special={404: FailureClass.EMPTY})
    return missing or (None if answer.body.startswith(b"PK") else cut(answer, ends=_ZIP))
