"""What FRED's refusals mean."""

from __future__ import annotations

import json

import pytest

from truetape.domain.asks import Answer
from truetape.domain.failures import FailureClass
from truetape.providers.fred.classify import classify

AUTH, PERMANENT, THROTTLED = FailureClass.AUTH, FailureClass.PERMANENT, FailureClass.THROTTLED
TRANSIENT, BLOCKED = FailureClass.TRANSIENT, FailureClass.BLOCKED


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def said(words: str, code: int = 400) -> bytes:
    return json.dumps({"error_code": code, "error_message": words}).encode()


@pytest.mark.parametrize(
    ("body", "status", "failure_class"),
    [
        (said("Bad Request.  The value for variable api_key is not registered."), 400, AUTH),
        (said("Bad Request.  Variable api_key is not set.  Read the manual."), 400, AUTH),
        (b'<?xml version="1.0" ?><error code="400" message="Bad Request.  Variable api_key is not set."/>', 400, AUTH),
        (said("Bad Request.  The series does not exist."), 400, PERMANENT),
        (said("Not Found."), 404, PERMANENT),
        (said("Too Many Requests.  Exceeded Rate Limit", 429), 429, THROTTLED),
        (said("Too Many Requests.  Exceeded Rate Limit", 429), 200, THROTTLED),
        (said("Locked.", 423), 423, BLOCKED),
        (b"", 423, BLOCKED),
        (said("Internal Server Error", 500), 500, TRANSIENT),
        (b"<html>502 Bad Gateway</html>", 502, TRANSIENT),
        (b"<html>Access Denied</html>", 403, BLOCKED),
        (b"", 503, TRANSIENT),
        (b"", 200, TRANSIENT),
        (b'{"observations":[', 200, TRANSIENT),
        (b"<observations><observation", 200, TRANSIENT),
        (b"<p>hello</p>", 200, TRANSIENT),
        (b"<p>" + b"x" * 70_000 + b"</p>", 200, TRANSIENT),
        (b"<error/>", 200, TRANSIENT),
        (b"<error", 200, TRANSIENT),
    ],
)
def test_refusals(body: bytes, status: int, failure_class: FailureClass) -> None:
    """The words decide, then the status, then whether the body is whole."""
    failure = classify(answer(body, status))
    assert failure is not None
    assert failure.failure_class is failure_class
    assert failure.words


@pytest.mark.parametrize(
    "body",
    [b'{"count":0,"observations":[]}', b"<observations realtime_end='2024-03-08'/>", b'{"x":"' + b"y" * 70_000 + b'"}'],
)
def test_data_is_no_failure(body: bytes) -> None:
    """A whole body without an error in it is for the decoder to judge."""
    assert classify(answer(body)) is None


def test_the_wait_is_told() -> None:
    """Retry-After is honoured, with and without words."""
    for body in (said("Too Many Requests.  Exceeded Rate Limit"), b""):
        failure = classify(answer(body, 429, Retry_After="7"))
        assert failure is not None
        assert (failure.failure_class, failure.retry_after_s) == (THROTTLED, 7.0)
