"""What Stooq's refusals mean, though they come with status 200."""

from __future__ import annotations

import pytest

from truetape.domain.asks import Answer
from truetape.domain.failures import FailureClass
from truetape.providers.stooq.classify import classify

EMPTY, QUOTA, AUTH = FailureClass.EMPTY, FailureClass.QUOTA, FailureClass.AUTH
BLOCKED, TRANSIENT, PERMANENT = FailureClass.BLOCKED, FailureClass.TRANSIENT, FailureClass.PERMANENT
CHECK = b"<!DOCTYPE html><script>work()</script><p>This site requires JavaScript to verify your browser</p>"


def answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(url="https://stooq.com/q/d/l/", status=status, content_type="", headers=headers or {}, body=body)


@pytest.mark.parametrize(
    ("body", "status", "failure_class"),
    [
        (b"No data", 200, EMPTY),
        (b"Brak danych\r\n", 200, EMPTY),
        (b"Exceeded the daily hits limit", 200, QUOTA),
        (b"Przekroczony dzienny limit wywolan", 200, QUOTA),
        (b"<html>Exceeded the daily hits limit. Retype the code: <img></html>", 200, QUOTA),
        (b"Get your apikey: ...", 200, AUTH),
        (CHECK, 200, BLOCKED),
        (b"<html><script>x</script></html>", 200, BLOCKED),
        (b"<p>hello</p>" + b"x" * 70_000, 200, BLOCKED),
        (b"<html>Bad Gateway</html>", 200, TRANSIENT),
        (b"<html>Service Unavailable</html>", 503, TRANSIENT),
        (b"<html>hello</html>", 502, TRANSIENT),
        (b"<html>hello</html>", 403, BLOCKED),
        (b"", 200, TRANSIENT),
        (b"x" * 70_000, 200, TRANSIENT),
        (b"something that nobody knows", 200, TRANSIENT),
        (b"Date,Open\r\n2024-03-08,1", 200, TRANSIENT),
        (b"there is no file of 'nope.us'", 404, PERMANENT),
        (b"acme.us.txt has more than 9 bytes", 413, PERMANENT),
        (b"Symbol,Date,Time,Open,High,Low,Close\nX,N/D,N/D,N/D,N/D,N/D,N/D\n", 200, PERMANENT),
    ],
)
def test_refusals(body: bytes, status: int, failure_class: FailureClass) -> None:
    """Words decide, then whether it is a page, then the status."""
    failure = classify(answer(body, status))
    assert failure is not None
    assert failure.failure_class is failure_class
    assert failure.words


@pytest.mark.parametrize(
    "body",
    [
        b"Date,Open,High,Low,Close\r\n",
        b"Data,Otwarcie\r\n",
        b"\xef\xbb\xbfDate,Open\r\n",
        b"<TICKER>,<PER>,<DATE>\n",
        b"Symbol,Date,Time,Open,High,Low,Close\na,1\nX,N/D,N/D,N/D,N/D,N/D,N/D\n",
        b'{"listings":[]}',
        b"\x1f\x8b",
    ],
)
def test_tables_are_no_failure(body: bytes) -> None:
    """A body whose first line is that of a table is for the decoder to judge; a bulk file's is no markup."""
    assert classify(answer(body)) is None


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Date": "Fri, 08 Mar 2024 22:00:00 GMT"}, 3600.0),
        ({"Date": "Fri, 08 Mar 2024 23:00:00 GMT"}, 86_400.0),
        ({"date": "Sat, 30 Mar 2024 23:00:00 GMT"}, 23 * 3600.0),
        ({"Date": "Fri, 08 Mar 2024 22:00:00 GMT", "Retry-After": "9"}, 9.0),
        ({"Date": "soon"}, None),
        ({}, None),
    ],
)
def test_a_spent_budget_waits_for_midnight_in_warsaw(headers: dict[str, str], wait: float | None) -> None:
    """23:00 in Warsaw is 22:00 UTC in winter; the day on which the clocks go forward is an hour shorter."""
    failure = classify(answer(b"Exceeded the daily hits limit", headers=headers))
    assert failure is not None
    assert failure.retry_after_s == wait
