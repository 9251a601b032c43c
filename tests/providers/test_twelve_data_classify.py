"""What Twelve Data's refusals and headers mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import FailureClass
from truetape.domain.plans import Allowance
from truetape.providers.twelve_data import decode
from truetape.providers.twelve_data.classify import allowances, classify

EMPTY, THROTTLED, QUOTA = FailureClass.EMPTY, FailureClass.THROTTLED, FailureClass.QUOTA
ENTITLEMENT, AUTH, PERMANENT = FailureClass.ENTITLEMENT, FailureClass.AUTH, FailureClass.PERMANENT
TRANSIENT, BLOCKED = FailureClass.TRANSIENT, FailureClass.BLOCKED
MINUTE = "You have run out of API credits for the current minute. 9 API credits were used, consider upgrading"
DAY = "You have run out of API credits for the day. 801 API credits were used, with the current limit being 800."


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def says(code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message, "status": "error"}).encode()


@pytest.mark.parametrize(
    ("code", "message", "failure_class"),
    [
        (429, MINUTE, THROTTLED),
        (429, DAY, QUOTA),
        (400, DAY, QUOTA),
        (429, "You have reached your daily limit.", QUOTA),
        (429, "", THROTTLED),
        (401, "**apikey** parameter is incorrect or not specified.", AUTH),
        (403, "You do not have access to this endpoint.", ENTITLEMENT),
        (404, "This symbol is available starting with Grow plan. Consider upgrading your plan.", ENTITLEMENT),
        (404, "**symbol** not found: ZZZ.", PERMANENT),
        (400, "**symbol** not found: ZZZ. Please check the symbol and try again.", PERMANENT),
        (400, "No data is available on the specified dates. Try setting different start/end dates.", EMPTY),
        (400, "Invalid **interval** provided: 1ms.", PERMANENT),
        (414, "Too long.", PERMANENT),
        (500, "Something went wrong on our end.", TRANSIENT),
    ],
)
def test_the_code_in_the_body_decides(code: int, message: str, failure_class: FailureClass) -> None:
    """The class is the same with status 200, and a decoder that sees only the bytes finds it too."""
    body = says(code, message)
    failure = classify(answer(body))
    assert failure is not None
    assert (failure_class, f"{code}: {message}".strip()) == (failure.failure_class, failure.words)
    with pytest.raises(ProviderRefused) as caught:
        decode.bars(body, Ask(kind="bars", symbol="ZZZ"))
    assert failure == caught.value.failure
    waiting = classify(answer(body, 429, retry_after="5"))
    assert waiting is not None
    assert (failure_class, 5.0) == (waiting.failure_class, waiting.retry_after_s)


@pytest.mark.parametrize(
    ("body", "status", "date", "wait"),
    [
        (says(429, MINUTE), 200, "Fri, 08 Mar 2024 14:30:18 GMT", 42.0),
        (says(429, MINUTE), 429, "Fri, 08 Mar 2024 14:30:00 GMT", 60.0),
        (says(429, DAY), 429, "Fri, 08 Mar 2024 23:59:10 GMT", 50.0),
        (says(429, DAY), 429, "Fri, 08 Mar 2024 12:00:00 GMT", 43200.0),
        (b"", 429, "Fri, 08 Mar 2024 14:30:59 GMT", 1.0),
        (says(429, MINUTE), 429, "", None),
        (says(429, MINUTE), 429, "yesterday", None),
        (says(401, "no"), 401, "Fri, 08 Mar 2024 14:30:18 GMT", None),
    ],
)
def test_credits_come_back_at_the_clock(body: bytes, status: int, date: str, wait: float | None) -> None:
    """A minute's at the next full minute, a day's at midnight UTC, seen from the header Date."""
    failure = classify(answer(body, status, date=date))
    assert failure is not None
    assert wait == failure.retry_after_s


@pytest.mark.parametrize(
    ("body", "status", "failure_class"),
    [
        (b"<html>502 Bad Gateway</html>", 200, TRANSIENT),
        (b"<html><h1>Access Denied</h1></html>", 403, BLOCKED),
        (b'{"values":[', 200, TRANSIENT),
        (b"datetime,open", 200, TRANSIENT),
        (b"", 500, TRANSIENT),
        (b"[" * 50_000, 200, TRANSIENT),
        (b'{"values":[' + b"0," * 40_000, 200, TRANSIENT),
        (b'{"A":{"code":404,"message":"a"},"B":{"code":404,"message":"b"}}', 200, PERMANENT),
    ],
)
def test_what_is_no_answer(body: bytes, status: int, failure_class: FailureClass) -> None:
    """Pages, cut bodies, bare statuses and batches of errors."""
    failure = classify(answer(body, status))
    assert failure is not None
    assert failure_class is failure.failure_class


@pytest.mark.parametrize(
    "body",
    [
        b'{"meta":{},"values":[],"status":"ok"}',
        b'{"A":{"values":[]},"B":{"code":404,"message":"b"}}',
        b'{"rate":1.1}',
        b"{}",
        b"[]",
    ],
)
def test_data_are_no_failure(body: bytes) -> None:
    """A whole body is for the decoder to judge, also if a part of it is an error."""
    assert classify(answer(body)) is None


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"api-credits-used": "3", "api-credits-left": "5"}, (5.0, 8.0)),
        ({"api-credits-left": " 0 "}, (0.0, None)),
        ({"api-credits-left": "some"}, None),
        ({}, None),
    ],
)
def test_headers_tell_the_minutes_credits(headers: dict[str, str], told: tuple[float, float | None] | None) -> None:
    """What is left of the minute, and the limit where what was used is told too."""
    expected = (Allowance(unit="credits", period="minute", left=told[0], limit=told[1]),) if told else ()
    assert expected == allowances(headers)


def test_catalogued_and_recorded_refusals(recordings: Path) -> None:
    """What the world has seen: a spent minute, an unknown symbol, a wrong key, a wrong interval."""
    lines = map(json.loads, (recordings / "errors_catalogue.jsonl").read_text().splitlines())
    found = [classify(answer(one["body"].encode())) for one in lines if one["provider"] == "Twelve Data"]
    for name in ("unauthorized", "bad_request"):
        body = (recordings / "twelve_data" / "errors" / f"recorded_{name}_response_error.json").read_bytes()
        found.append(classify(answer(body)))
    assert [THROTTLED, PERMANENT, AUTH, PERMANENT] == [one.failure_class for one in found if one]
