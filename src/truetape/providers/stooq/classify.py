"""What Stooq's refusals mean: nearly all of them come with status 200."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from zoneinfo import ZoneInfo

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, looks_like_html, plain, with_headers

ZONE: Final = "Europe/Warsaw"

_NAMES: Final = b'{"listings"'
_PACKED: Final = (b"\x1f\x8b", b"PK")
STARTS: Final = (b"Date,", b"Data,", b"<TICKER>", b"<DATE>", b"Symbol,", _NAMES, *_PACKED)

_BY_WORDS: Final = {
    "exceeded the daily hits limit": FailureClass.QUOTA,
    "dzienny limit": FailureClass.QUOTA,
    "retype the code": FailureClass.QUOTA,
    "no data": FailureClass.EMPTY,
    "brak danych": FailureClass.EMPTY,
    "apikey": FailureClass.AUTH,
}
_UNKNOWN: Final = b",N/D,N/D,N/D,N/D,N/D"
_MARK: Final = b"\xef\xbb\xbf"
_SUCCESS: Final = range(200, 300)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no prices; None for one with prices.

    A spent budget is renewed at midnight in Warsaw; how long that is follows from the header Date.
    """
    unreadable = looks_like_html(answer.body) and answer.status not in _SUCCESS
    failure = by_page(answer.body) if unreadable else by_body(answer.body)
    if failure is None:
        return by_status(answer) or _foreign(answer.body)
    told = with_headers(failure, answer)
    if told.retry_after_s is None and told.failure_class is FailureClass.QUOTA:
        return Failure(failure_class=told.failure_class, words=told.words, retry_after_s=_to_midnight(answer))
    return told


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain.

    A page of markup that says nothing else checks the browser: it is for a human, and never for us to solve.
    """
    if is_data(body):
        unknown = body.startswith(b"Symbol,") and body.count(b"\n") <= 2 and _UNKNOWN in body  # noqa: PLR2004 - one row
        return Failure(failure_class=FailureClass.PERMANENT, words="the symbol is not known") if unknown else None
    if not looks_like_html(body) and len(body) > LOOKED_AT:
        return None
    words = plain(body)
    found = (failure_class for known, failure_class in _BY_WORDS.items() if known in words.lower())
    failure_class = next(found, None)
    if failure_class is not None:
        return Failure(failure_class=failure_class, words=words)
    if looks_like_html(body):
        return by_page(body) or Failure(failure_class=FailureClass.BLOCKED, words=words or "a page without words")
    return None


def is_data(body: bytes) -> bool:
    """Return whether `body` begins as one of Stooq's tables does."""
    return body.removeprefix(_MARK).startswith(STARTS)


def is_cut(body: bytes) -> bool:
    """Return whether the last line of a table has no end; packed ones and lists of names tell that by themselves."""
    return not body.startswith((*_PACKED, _NAMES)) and not body.endswith(b"\n")


def _foreign(body: bytes) -> Failure | None:
    if is_data(body) and not is_cut(body):
        return None
    return Failure(failure_class=FailureClass.TRANSIENT, words=f"the body of {len(body)} bytes was cut or no data")


def _to_midnight(answer: Answer) -> float | None:
    """Return the seconds to the next midnight in Warsaw; None where the answer does not tell its time."""
    date = next((value for name, value in answer.headers.items() if name.lower() == "date"), "")
    try:
        now = parsedate_to_datetime(date).astimezone(ZoneInfo(ZONE))
    except (ValueError, TypeError):
        return None
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), tzinfo=ZoneInfo(ZONE))
    return (midnight.astimezone(UTC) - now.astimezone(UTC)).total_seconds()
