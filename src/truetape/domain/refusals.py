"""What a refused answer says on its outside: status, headers and the look of its body, the same for every provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass

LOOKED_AT: Final = 64 * 1024  # bytes of a body; no provider's error is longer
READ: Final = 8 * 1024  # bytes that words are taken from
WORDS: Final = 500

_BY_STATUS: Final = {
    401: FailureClass.AUTH,
    402: FailureClass.QUOTA,
    403: FailureClass.ENTITLEMENT,
    408: FailureClass.TRANSIENT,
    409: FailureClass.CONFLICT,
    425: FailureClass.TRANSIENT,
    429: FailureClass.THROTTLED,
    451: FailureClass.ENTITLEMENT,
    999: FailureClass.BLOCKED,
}
_PAGES: Final = {
    "captcha": FailureClass.BLOCKED,
    "unusual traffic": FailureClass.BLOCKED,
    "access denied": FailureClass.BLOCKED,
    "are you a robot": FailureClass.BLOCKED,
    "attention required": FailureClass.BLOCKED,
    "too many requests": FailureClass.THROTTLED,
    "will be right back": FailureClass.TRANSIENT,
    "service unavailable": FailureClass.TRANSIENT,
    "bad gateway": FailureClass.TRANSIENT,
    "gateway time": FailureClass.TRANSIENT,
    "internal server error": FailureClass.TRANSIENT,
}
_FORBIDDEN: Final = 403
_SUCCESS: Final = range(200, 300)
_CLIENT_ERRORS: Final = range(400, 500)


def plain(body: bytes) -> str:
    """Return what `body` says in one line of at most 500 characters, without markup."""
    text = body[:READ].decode("utf-8", errors="replace")
    if looks_like_html(body):
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^<>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:WORDS]


def looks_like_html(body: bytes) -> bool:
    """Return whether `body` begins as a page of markup does."""
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def by_page(body: bytes) -> Failure | None:
    """Return the failure that the words of a page of markup stand for; None for other words, and for no page."""
    if not looks_like_html(body):
        return None
    words = plain(body)
    found = (failure for known, failure in _PAGES.items() if known in words.lower())
    failure_class = next(found, None)
    return Failure(failure_class=failure_class, words=words) if failure_class else None


def by_status(answer: Answer, *, special: Mapping[int, FailureClass] | None = None) -> Failure | None:
    """Return the failure that the status stands for; None for a success. A forbidding page of markup means blocked.

    Args:
        answer: What came back.
        special: What this provider means by a status, where it differs from custom.
    """
    if answer.status in _SUCCESS:
        return None
    known = {**_BY_STATUS, **(special or {})}
    custom = FailureClass.PERMANENT if answer.status in _CLIENT_ERRORS else FailureClass.TRANSIENT
    words = plain(answer.body) or "no words"
    barred = answer.status == _FORBIDDEN and looks_like_html(answer.body)
    return Failure(
        failure_class=FailureClass.BLOCKED if barred else known.get(answer.status, custom),
        words=f"HTTP {answer.status}: {words}"[:WORDS],
        retry_after_s=retry_after_s(answer.headers),
    )


def cut(answer: Answer, *, ends: Mapping[bytes, bytes]) -> Failure | None:
    """Return a transient failure if the body is not whole: `ends` maps each allowed first byte to its last."""
    body = answer.body
    first, last = body[:64].lstrip()[:1], body[-64:].rstrip()[-1:]
    if first and ends.get(first) == last:
        return None
    return Failure(failure_class=FailureClass.TRANSIENT, words=f"the body of {len(body)} bytes was cut or no data")


def with_headers(failure: Failure, answer: Answer) -> Failure:
    """Return `failure` with the wait that the headers of `answer` ask for."""
    wait = retry_after_s(answer.headers)
    if wait is None:
        return failure
    return Failure(failure_class=failure.failure_class, words=failure.words, retry_after_s=wait)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or as a date after the header Date; None without."""
    values = {name.lower(): value.strip() for name, value in headers.items()}
    asked = values.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", asked):
        return float(asked)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(values.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
