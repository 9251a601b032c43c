"""What Financial Modeling Prep's refusals mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import FailureClass
from truetape.providers.fmp import decode
from truetape.providers.fmp.classify import classify

THROTTLED, QUOTA, ENTITLEMENT = FailureClass.THROTTLED, FailureClass.QUOTA, FailureClass.ENTITLEMENT
AUTH, PERMANENT, TRANSIENT = FailureClass.AUTH, FailureClass.PERMANENT, FailureClass.TRANSIENT


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def says(words: str) -> bytes:
    return json.dumps({"Error Message": words}).encode()


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (says("Limit Reach . Please upgrade your plan or visit our documentation for more details"), THROTTLED),
        (says("Too Many Requests contact us if you need to increase your limit rate per millisecond"), THROTTLED),
        (says("Bandwidth Limit Reached. Please upgrade"), QUOTA),
        (says("You have reached your daily limit."), QUOTA),
        (says("Invalid API KEY. Feel free to create a Free API Key"), AUTH),
        (says("Legacy Endpoint : this endpoint is only available for legacy users"), PERMANENT),
        (says("Exclusive Endpoint : This endpoint is not available under your plan"), ENTITLEMENT),
        (says("Special Endpoint : please visit our documentation"), ENTITLEMENT),
        (says("Symbol is wrong"), PERMANENT),
        (b'{"error":"Not Found! Please check the endpoint"}', PERMANENT),
        (b"Premium Query Parameter: This value set for 'symbol' is not available", ENTITLEMENT),
        (b"Restricted Endpoint: not available under your current subscription", ENTITLEMENT),
        (b"<html>502 Bad Gateway</html>", TRANSIENT),
    ],
)
def test_the_body_alone_decides(body: bytes, failure_class: FailureClass) -> None:
    """The class is the same with status 200, and a decoder that sees only the bytes finds it too."""
    failure = classify(answer(body))
    assert failure is not None
    assert failure_class is failure.failure_class
    assert failure.words
    with pytest.raises(ProviderRefused) as caught:
        decode.bars(body, Ask(kind="bars", symbol="ACME"))
    assert failure == caught.value.failure
    waiting = classify(answer(body, 429, retry_after="5"))
    assert waiting is not None
    assert (failure_class, 5.0) == (waiting.failure_class, waiting.retry_after_s)


@pytest.mark.parametrize(
    ("body", "status", "failure_class"),
    [
        (b"", 402, ENTITLEMENT),
        (b"", 403, ENTITLEMENT),
        (b"", 401, AUTH),
        (b"", 429, THROTTLED),
        (b"{}", 500, TRANSIENT),
        (b"[]", 404, PERMANENT),
        (b'[{"symbol":"ACME', 200, TRANSIENT),
        (b"something that nobody knows", 200, TRANSIENT),
        (b"premium " * 200, 200, TRANSIENT),
        (b"[" * 50_000, 200, TRANSIENT),
        (b"[" + b"0," * 40_000, 200, TRANSIENT),
    ],
)
def test_what_is_no_answer(body: bytes, status: int, failure_class: FailureClass) -> None:
    """Bare statuses, cut bodies, and texts that are no refusal that we know."""
    failure = classify(answer(body, status))
    assert failure is not None
    assert failure_class is failure.failure_class


@pytest.mark.parametrize("body", [b"[]", b'[{"symbol":"ACME","name":"Premium Upgrade Inc"}]', b"{}", b'{"error":null}'])
def test_data_are_no_failure(body: bytes) -> None:
    """A whole body without an error in it is for the decoder to judge."""
    assert classify(answer(body)) is None


def test_the_body_tells_a_short_wait() -> None:
    """In milliseconds; a header that asks for another wait is obeyed instead."""
    body = b'{"Error Message":"Too Many Requests","X-Rate-Limit-Retry-After-Milliseconds":530}'
    waits = [classify(answer(body, 429)), classify(answer(body, 429, retry_after="100"))]
    assert [0.53, 100.0] == [one.retry_after_s for one in waits if one]


def test_catalogued_and_recorded_refusals(recordings: Path) -> None:
    """What the world has seen: a retired endpoint, a limit worded like a plan's, and too many requests."""
    lines = map(json.loads, (recordings / "errors_catalogue.jsonl").read_text().splitlines())
    found = [
        classify(answer(one["body"].encode(), int(one["http_status"]))) for one in lines if one["provider"] == "FMP"
    ]
    found.append(classify(answer((recordings / "fmp" / "errors" / "too_many_requests_429.json").read_bytes(), 429)))
    assert [PERMANENT, THROTTLED, THROTTLED] == [one.failure_class for one in found if one]
