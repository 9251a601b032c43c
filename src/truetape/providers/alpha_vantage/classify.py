"""What Alpha Vantage's refusals mean: all come with status 200 and say it in words."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import LOOKED_AT, by_page, by_status, cut, plain, with_headers

_CLASSES: Final = (
    # In this order: the long refusals name the pace first, then the day's quota, then what the premium plans unlock.
    ("spreading out|per second|per minute", FailureClass.THROTTLED),
    ("per day|daily rate limit", FailureClass.QUOTA),
    ("rate limit|higher api call frequency", FailureClass.THROTTLED),
    ("premium", FailureClass.ENTITLEMENT),
    ("api ?key|demo", FailureClass.AUTH),
)
_CSV: Final = (b"timestamp", b"symbol,name")  # how data begin that are no JSON
_NO_QUOTE: Final = re.compile(rb'\s*\{\s*"Global Quote[^"]{0,80}"\s*:\s*\{\s*\}\s*\}\s*')
_KEY_SHOWN: Final = re.compile(r"(api key as )\S+", re.IGNORECASE)


class _Notice(msgspec.Struct, rename={"error": "Error Message", "note": "Note", "information": "Information"}):
    error: str | None = None
    note: str | None = None
    information: str | None = None


_NOTICE: Final = msgspec.json.Decoder(_Notice)


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data, in JSON or CSV."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    csv = answer.body[:16].lower().startswith(_CSV)
    return by_status(answer) or (None if csv else cut(answer, ends={b"{": b"}"}))


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    page = by_page(body)
    if page is not None or len(body) > LOOKED_AT:
        return page
    if _NO_QUOTE.fullmatch(body):
        return by_nothing()
    try:
        notice = _NOTICE.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    said = notice.error or notice.note or notice.information
    return by_words(said) if said else None


def by_words(said: str) -> Failure:
    """Return the failure that Alpha Vantage means by a sentence; a key that the sentence repeats is hidden."""
    lowered = said.lower()
    found = (failure for words, failure in _CLASSES if re.search(words, lowered))
    words = plain(_KEY_SHOWN.sub(r"\1***", said).encode())
    return Failure(failure_class=next(found, FailureClass.PERMANENT), words=words)


def by_nothing() -> Failure:
    """Return the failure that Alpha Vantage means by an empty quote."""
    return Failure(failure_class=FailureClass.PERMANENT, words="a quote without fields: the symbol is not known")
