"""What OpenFIGI's refusals mean: statuses that fit, and words for each job with status 200."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

NOTHING: Final = "no identifier found"
_BY_WORDS: Final = {
    NOTHING: FailureClass.EMPTY,
    "too many requests": FailureClass.THROTTLED,
    "api key": FailureClass.AUTH,
    "too many mapping jobs": FailureClass.PERMANENT,
}


class _Job(msgspec.Struct):
    data: list[msgspec.Raw] | None = None
    error: str | None = None
    warning: str | None = None


class _Said(msgspec.Struct):
    error: str | None = None
    message: str | None = None


_JOBS: Final = msgspec.json.Decoder(list[_Job])
_SAID: Final = msgspec.json.Decoder(_Said)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no mapping; None where at least one job has one."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or cut(answer, ends={b"[": b"]"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells: an error, or jobs that all found nothing; None for data."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        said = _SAID.decode(body) if body.lstrip()[:1] == b"{" else None
        jobs = _JOBS.decode(body) if said is None else []
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if said is not None:
        told = said.error or said.message
        return by_words(told) if told else None
    if not jobs or any(job.data for job in jobs):
        return None
    words = [job.error or job.warning or "a job without an answer" for job in jobs]
    worst = next((one for one in words if NOTHING not in one.lower()), words[0])
    return by_words(worst)


def by_words(said: str) -> Failure:
    """Return the failure that OpenFIGI means by a sentence."""
    lowered = said.lower()
    found = (failure for words, failure in _BY_WORDS.items() if words in lowered)
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=plain(said.encode("utf-8", "replace")))
