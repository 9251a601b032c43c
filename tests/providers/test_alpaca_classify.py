"""What Alpaca's refusals mean, and what its headers tell of the quota."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.domain.asks import Answer
from truetape.domain.failures import FailureClass
from truetape.domain.plans import Allowance
from truetape.providers.alpaca.classify import allowances, by_body, classify

THROTTLED, ENTITLEMENT, AUTH = FailureClass.THROTTLED, FailureClass.ENTITLEMENT, FailureClass.AUTH
PERMANENT, TRANSIENT, CONFLICT = FailureClass.PERMANENT, FailureClass.TRANSIENT, FailureClass.CONFLICT
BLOCKED = FailureClass.BLOCKED
NOON = "Fri, 08 Mar 2024 12:00:00 GMT"  # 1709899200


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def says(words: str) -> bytes:
    return json.dumps({"message": words}).encode()


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (says("too many requests."), THROTTLED),
        (says("rate limit exceeded"), THROTTLED),
        (says("subscription does not permit querying recent SIP data"), ENTITLEMENT),
        (says("your subscription does not permit querying data from the past 15 minutes"), ENTITLEMENT),
        (says("end is too late for subscription"), ENTITLEMENT),
        (says("unauthorized"), AUTH),
        (says("forbidden."), AUTH),
        (says("access key verification failed"), AUTH),
        (says("connection limit exceeded"), CONFLICT),
        (says("internal server error"), TRANSIENT),
        (says("invalid symbol: NOPE"), PERMANENT),
        (says(""), PERMANENT),
        (b'{"code":40010001,"message":"asset not found for NOPE"}', PERMANENT),
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
    alone = by_body(body)
    assert alone is not None
    assert alone.failure_class is failure_class
    waiting = classify(answer(body, 429, Retry_After="5"))
    assert waiting is not None
    assert (waiting.failure_class, waiting.retry_after_s) == (failure_class, 5.0)


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"bars":{},"next_page_token":null}', b'{"bars":null}', b'{"x":[' + b"0," * 40_000 + b"0]}"],
    ids=range(4),
)
def test_data_are_no_failure(body: bytes) -> None:
    """Also those without rows."""
    assert classify(answer(body)) is None


@pytest.mark.parametrize("body", [b"", b"[1,", b'{"a":1', b"hello"])
def test_a_cut_or_foreign_body_is_transient(body: bytes) -> None:
    """With status 200, what does not end as it began may come whole the next time."""
    failure = classify(answer(body))
    assert failure is not None
    assert failure.failure_class is TRANSIENT


@pytest.mark.parametrize(
    ("status", "failure_class"),
    [(400, PERMANENT), (401, AUTH), (403, ENTITLEMENT), (404, PERMANENT), (422, PERMANENT), (429, THROTTLED),
     (504, TRANSIENT)],
)  # fmt: skip
def test_without_words_the_status_decides(status: int, failure_class: FailureClass) -> None:
    """A body that says nothing leaves the judgement to the status."""
    failure = classify(answer(b"{}", status))
    assert failure is not None
    assert failure.failure_class is failure_class


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Date": NOON, "X_RateLimit_Reset": "1709899230"}, 30.0),
        ({"Date": NOON, "X_RateLimit_Reset": "1709899100"}, 0.0),
        ({"Date": NOON, "X_RateLimit_Reset": "1709899230", "Retry_After": "7"}, 7.0),
        ({"Date": NOON, "X_RateLimit_Reset": "soon"}, None),
        ({"Date": NOON}, None),
        ({"Date": "noon", "X_RateLimit_Reset": "1709899230"}, None),
        ({"X_RateLimit_Reset": "1709899230"}, None),
    ],
)
def test_a_throttled_client_waits_for_the_reset(headers: dict[str, str], wait: float | None) -> None:
    """By the provider's own clock; Retry-After stands above it."""
    failure = classify(answer(says("too many requests."), 429, **headers))
    assert failure is not None
    assert (failure.failure_class, failure.retry_after_s) == (THROTTLED, wait)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (
            {"x-ratelimit-limit": "200", "x-ratelimit-remaining": "198", "x-ratelimit-reset": "1709899230"},
            (Allowance(unit="calls", period="minute", left=198, limit=200, resets_at_s=1709899230),),
        ),
        ({"x-ratelimit-remaining": "0"}, (Allowance(unit="calls", period="minute", left=0),)),
        ({"x-ratelimit-limit": "200"}, ()),
        ({"x-ratelimit-remaining": "many"}, ()),
        ({"x-ratelimit-remaining": "9" * 400}, ()),
        ({}, ()),
    ],
)
def test_headers_tell_what_is_left(headers: dict[str, str], told: tuple[Allowance, ...]) -> None:
    """Of the minute; what is no number is not told."""
    assert allowances(headers) == told


def test_catalogued_refusals(recordings: Path) -> None:
    """The recent tape is a matter of the plan, not of the key."""
    lines = (recordings / "errors_catalogue.jsonl").read_text().splitlines()
    entries = [entry for entry in map(json.loads, lines) if entry["provider"] == "Alpaca"]
    found = [classify(answer(entry["body"].encode(), int(entry["http_status"]))) for entry in entries]
    assert [one.failure_class for one in found if one] == [ENTITLEMENT]
