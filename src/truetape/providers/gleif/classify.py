"""What the register's refusals mean: JSON:API errors, with statuses that fit."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

_BY_STATUS: Final = {
    "404": FailureClass.PERMANENT,
    "429": FailureClass.THROTTLED,
    "500": FailureClass.TRANSIENT,
    "503": FailureClass.TRANSIENT,
}


class _Error(msgspec.Struct):
    status: str | int | None = None
    title: str | None = None
    detail: str | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error]


_ERRORS: Final = msgspec.json.Decoder(_Errors)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, or with none to be had."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or cut(answer, ends={b"{": b"}"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        errors = _ERRORS.decode(body).errors
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not errors:
        return None
    first = errors[0]
    said = plain(f"{first.title or 'an error'}: {first.detail or ''}".encode("utf-8", "replace"))
    return Failure(failure_class=_BY_STATUS.get(str(first.status), FailureClass.PERMANENT), words=said)
