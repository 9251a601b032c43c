"""What status, headers and markup say about a refused answer."""

from __future__ import annotations

import pytest

from truetape.domain.asks import Answer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.refusals import by_page, by_status, cut, plain, retry_after_s, with_headers


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


@pytest.mark.parametrize(
    ("status", "failure_class"),
    [
        (400, FailureClass.PERMANENT),
        (401, FailureClass.AUTH),
        (402, FailureClass.QUOTA),
        (403, FailureClass.ENTITLEMENT),
        (404, FailureClass.PERMANENT),
        (408, FailureClass.TRANSIENT),
        (409, FailureClass.CONFLICT),
        (422, FailureClass.PERMANENT),
        (429, FailureClass.THROTTLED),
        (451, FailureClass.ENTITLEMENT),
        (500, FailureClass.TRANSIENT),
        (503, FailureClass.TRANSIENT),
        (302, FailureClass.TRANSIENT),
        (999, FailureClass.BLOCKED),
    ],
)
def test_each_status_has_its_class(status: int, failure_class: FailureClass) -> None:
    """A status that is no success is a failure, with the body's words."""
    failure = by_status(answer(status, b"So  it\nis", Retry_After="7"))
    assert failure == Failure(failure_class=failure_class, words=f"HTTP {status}: So it is", retry_after_s=7.0)


def test_a_success_is_no_failure() -> None:
    """200 to 299 say nothing about the body."""
    assert by_status(answer(204)) is None


def test_a_provider_may_mean_a_status_differently() -> None:
    """A provider's own meaning of a status wins; without a body the words say so."""
    assert by_status(answer(403, b""), special={403: FailureClass.AUTH}) == Failure(
        failure_class=FailureClass.AUTH, words="HTTP 403: no words"
    )


def test_a_forbidding_page_means_blocked() -> None:
    """A page of markup with status 403 comes from a barrier before the provider."""
    failure = by_status(answer(403, b"<!doctype html><p>no</p>"))
    assert failure is not None
    assert failure.failure_class is FailureClass.BLOCKED


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:30 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:30"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After is seconds, or a date measured from the answer's own Date; nonsense is no wait."""
    assert retry_after_s(headers) == seconds


def test_a_failure_takes_its_wait_from_the_headers() -> None:
    """The class and the words stay."""
    failure = Failure(failure_class=FailureClass.QUOTA, words="enough")
    assert with_headers(failure, answer()) == failure
    expected = Failure(failure_class=FailureClass.QUOTA, words="enough", retry_after_s=60.0)
    assert with_headers(failure, answer(Retry_After="60")) == expected


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (b"<html><title>Access Denied</title></html>", FailureClass.BLOCKED),
        (b"\xef\xbb\xbf\r\n <HTML>Please solve this CAPTCHA", FailureClass.BLOCKED),
        (b"<html><h1>Will be right back...</h1>", FailureClass.TRANSIENT),
        (b"<h1>503 Service Unavailable</h1>", FailureClass.TRANSIENT),
        (b"<h1>Too Many Requests</h1>", FailureClass.THROTTLED),
        (b"<h1>Hello</h1>", None),
        (b"Access denied", None),
    ],
)
def test_pages(body: bytes, failure_class: FailureClass | None) -> None:
    """A page of markup is known by its words."""
    failure = by_page(body)
    assert (failure.failure_class if failure else None) == failure_class


def test_words_are_one_short_line_without_markup() -> None:
    """Scripts, tags, control characters and length go."""
    page = b"<html><script>var x = '<b>';</script><style>p{}</style><p>Be\x00 right\n\nback</p></html>"
    assert plain(page) == "Be right back"
    assert len(plain(b"x" * 2000)) == 500
    assert plain(b"\xff\xfe ok") == "\ufffd\ufffd ok"


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (b'{"a":1}', True),
        (b" \n[1]\r\n", True),
        (b'{"a":1', False),
        (b'[{"a":1}', False),
        (b"hello", False),
        (b"", False),
        (b"   ", False),
    ],
)
def test_a_cut_body_is_transient(body: bytes, whole: bool) -> None:
    """A body that does not end as it began was cut on its way."""
    failure = cut(answer(body=body), ends={b"{": b"}", b"[": b"]"})
    assert (failure is None) == whole
    assert failure is None or failure.failure_class is FailureClass.TRANSIENT
