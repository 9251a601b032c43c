"""What Twelve Data's refusals mean, and what its headers say of the credits left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Allowance
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

PROVIDER: Final = "twelve_data"
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_SPENT: Final = "run out of api credits"
_PLANS: Final = ("available starting with", "upgrad", "your plan", "your current plan")


class _Said(msgspec.Struct):
    code: int | None = None
    message: str | None = None


_SAID: Final = msgspec.json.Decoder(_Said)
_BATCH: Final = msgspec.json.Decoder(dict[str, _Said])


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data.

    Spent credits come back at the next full minute, a spent day's at 00:00 UTC, both counted from the header Date.
    """
    failure = by_body(answer.body)
    if failure is not None:
        return _until_reset(with_headers(failure, answer), answer)
    failure = by_status(answer)
    return _until_reset(failure, answer) if failure else cut(answer, ends={b"{": b"}", b"[": b"]"})


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain.

    The code in the body decides, whatever the status. A batch fails if every part of it does.
    """
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    try:
        said = _SAID.decode(body)
        parts = list(_BATCH.decode(body).values()) if said.code is None else [said]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    failures = [by_code(part.code, part.message or "") for part in parts if part.code is not None]
    return failures[0] if failures and len(failures) == len(parts) else None


def refuse(body: bytes) -> None:
    """Raise what `body` says if it is an error; do nothing about anything else.

    Raises:
        ProviderRefused: The body is an error.
    """
    failure = by_body(body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)


def by_code(code: int, message: str) -> Failure:
    """Return the failure that a code and its sentence stand for."""
    words = plain(f"{code}: {message}".encode())
    return Failure(failure_class=_class_of(code, message.lower()), words=words)


def _class_of(code: int, message: str) -> FailureClass:
    if code == _TOO_MANY or _SPENT in message:
        return FailureClass.QUOTA if "for the day" in message or "daily" in message else FailureClass.THROTTLED
    if code == _UNAUTHORIZED:
        return FailureClass.AUTH
    if code == _FORBIDDEN or any(words in message for words in _PLANS):
        return FailureClass.ENTITLEMENT
    if "no data is available" in message:
        return FailureClass.EMPTY
    return FailureClass.TRANSIENT if code >= _SERVER_ERROR else FailureClass.PERMANENT


def _until_reset(failure: Failure, answer: Answer) -> Failure:
    if failure.retry_after_s is not None or failure.failure_class not in (FailureClass.THROTTLED, FailureClass.QUOTA):
        return failure
    try:
        now = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return failure
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    reset = minute if failure.failure_class is FailureClass.THROTTLED else day
    return msgspec.structs.replace(failure, retry_after_s=(reset - now).total_seconds())


def allowances(headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Return how many credits of the minute are left, if `headers` say so."""
    used, left = (headers.get(f"api-credits-{name}", "").strip() for name in ("used", "left"))
    if not re.fullmatch(r"\d{1,9}", left):
        return ()
    limit = float(int(used) + int(left)) if re.fullmatch(r"\d{1,9}", used) else None
    return (Allowance(unit="credits", period="minute", left=float(left), limit=limit),)
