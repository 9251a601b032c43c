"""What Massive's refusals mean: the catalogued ones, and our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.domain.asks import Answer
from truetape.domain.failures import FailureClass
from truetape.providers.massive.classify import by_body, classify

THROTTLED, ENTITLEMENT, AUTH = FailureClass.THROTTLED, FailureClass.ENTITLEMENT, FailureClass.AUTH
PERMANENT, TRANSIENT, CONFLICT = FailureClass.PERMANENT, FailureClass.TRANSIENT, FailureClass.CONFLICT
BLOCKED = FailureClass.BLOCKED


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def says(words: str, *, status: str = "ERROR", key: str = "error") -> bytes:
    return json.dumps({"status": status, "request_id": "x", key: words}).encode()


TOO_FAST = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
NOT_YOURS = "You are not entitled to this data. Please upgrade your plan at the pricing page."


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (says(TOO_FAST), THROTTLED),
        (says(NOT_YOURS, status="NOT_AUTHORIZED", key="message"), ENTITLEMENT),
        (says("no", status="NOT_AUTHORIZED", key="message"), ENTITLEMENT),
        (says("Your plan doesn't include this data timeframe. Please upgrade your plan."), ENTITLEMENT),
        (says("Unknown API Key"), AUTH),
        (says("API Key was not provided"), AUTH),
        (says("Data not found.", status="NOT_FOUND", key="message"), PERMANENT),
        (says("Could not parse the time parameter: 'from'."), PERMANENT),
        (says("Internal server error"), TRANSIENT),
        (says("the request timed out"), TRANSIENT),
        (says("too many", status="max_connections", key="message"), CONFLICT),
        (b'{"status":"ERROR"}', PERMANENT),
        (b'{"status":""}', PERMANENT),
        (b"<html>502 Bad Gateway</html>", TRANSIENT),
        (b"<html>Access denied</html>", BLOCKED),
    ],
)
def test_the_body_alone_decides(body: bytes, failure_class: FailureClass) -> None:
    """The class is the same with status 200, and a decoder that sees only the bytes finds it too."""
    failure = classify(answer(body))
    assert failure is not None
    assert failure.failure_class is failure_class
    assert failure.words
    assert by_body(body) == failure
    waiting = classify(answer(body, 429, Retry_After="5"))
    assert waiting is not None
    assert (waiting.failure_class, waiting.retry_after_s) == (failure_class, 5.0)


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"OK","results":[]}',
        b'{"status":"OK","message":"api key"}',
        b'{"status":"DELAYED"}',
        b'{"status":"success","last":{}}',
        b'[{"exchange":"NYSE"}]',
        b'{"x":[' + b"0," * 40_000 + b"0]}",
    ],
    ids=range(6),
)
def test_data_are_no_failure(body: bytes) -> None:
    """Also those without rows, and those that are delayed."""
    assert classify(answer(body)) is None


@pytest.mark.parametrize("body", [b"", b"[1,", b'{"a":1', b"hello"])
def test_a_cut_or_foreign_body_is_transient(body: bytes) -> None:
    """With status 200, what does not end as it began may come whole the next time."""
    failure = classify(answer(body))
    assert failure is not None
    assert failure.failure_class is TRANSIENT


@pytest.mark.parametrize(
    ("status", "failure_class"),
    [(400, PERMANENT), (401, AUTH), (403, ENTITLEMENT), (404, PERMANENT), (429, THROTTLED), (503, TRANSIENT)],
)
def test_without_words_the_status_decides(status: int, failure_class: FailureClass) -> None:
    """A body that says nothing leaves the judgement to the status."""
    failure = classify(answer(b"{}", status))
    assert failure is not None
    assert failure.failure_class is failure_class


def test_catalogued_refusals(recordings: Path) -> None:
    """Too fast, and a key that is not known."""
    expected = {"rate_limit": THROTTLED, "auth": AUTH}
    lines = (recordings / "errors_catalogue.jsonl").read_text().splitlines()
    entries = [entry for entry in map(json.loads, lines) if entry["provider"] == "Polygon/Massive"]
    assert len(entries) >= 2
    for entry in entries:
        failure = classify(answer(entry["body"].encode(), int(entry["http_status"])))
        assert failure is not None
        assert failure.failure_class is expected[entry["expected_class"]]
