"""What the SEC's refusals mean: pages of markup, and XML where a file is not there."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import by_page, by_status, cut, looks_like_html, plain, with_headers

_HEADER: Final = 256  # bytes in which the header of a table ends
_COLUMNS: Final = frozenset({b"cik", b"cik_str", b"ticker", b"symbol", b"name", b"title", b"exchange"})
_BY_WORDS: Final = {
    "undeclared automated tool": FailureClass.AUTH,
    "request rate threshold": FailureClass.THROTTLED,
    "nosuchkey": FailureClass.PERMANENT,
}


def classify(answer: Answer) -> Failure | None:
    """Return why `answer` brought no data; None for one with data."""
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(failure, answer)
    return by_status(answer) or (None if is_table(answer.body) else cut(answer, ends={b"{": b"}", b"[": b"]"}))


def by_body(body: bytes) -> Failure | None:
    """Return the failure that `body` alone tells; None for data, or for what it does not explain."""
    if not looks_like_html(body):
        return None
    words = plain(body)
    found = (failure for known, failure in _BY_WORDS.items() if known in words.lower())
    failure_class = next(found, None)
    return Failure(failure_class=failure_class, words=words) if failure_class else by_page(body)


def is_table(body: bytes) -> bool:
    """Return whether `body` is one of the SEC's lists that somebody made a table of, in any order of its columns."""
    heading = body[:_HEADER].partition(b"\n")[0].lower()
    names = {cell.strip(b'\r" ') for cell in heading.split(b",")}
    return not names.isdisjoint({b"cik", b"cik_str"}) and names <= _COLUMNS
