"""What EODHD's refusals and headers mean."""

from __future__ import annotations

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import FailureClass
from truetape.domain.plans import Allowance
from truetape.providers.eodhd import decode
from truetape.providers.eodhd.classify import allowances, classify

THROTTLED, QUOTA, ENTITLEMENT = FailureClass.THROTTLED, FailureClass.QUOTA, FailureClass.ENTITLEMENT
AUTH, PERMANENT, TRANSIENT = FailureClass.AUTH, FailureClass.PERMANENT, FailureClass.TRANSIENT
BLOCKED = FailureClass.BLOCKED
SPENT = b"You exceeded your daily API requests limit.  Please contact our support"


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (SPENT, QUOTA),
        (b"Payment Required", QUOTA),
        (b"Too Many Requests", THROTTLED),
        (b'{"message":"Too Many Attempts."}', THROTTLED),
        (b"Only EOD data allowed for free users. Please, contact our support team", ENTITLEMENT),
        (b"Forbidden. Please contact support", ENTITLEMENT),
        (b"Unauthenticated", AUTH),
        (b'{"error":"Invalid API token","code":401}', AUTH),
        (b"Ticker Not Found.", PERMANENT),
        (b'{"error":"Something else","code":403}', ENTITLEMENT),
        (b'{"error":"Something else","code":402}', QUOTA),
        (b'{"error":"Something else","code":502}', TRANSIENT),
        (b'{"error":"Something else","code":"?"}', PERMANENT),
        (b'{"code":"ZZZ.US","timestamp":"NA","gmtoffset":0,"open":"NA"}', PERMANENT),
        (b"<html><body>503 Service Unavailable</body></html>", TRANSIENT),
    ],
)
def test_the_body_alone_decides(body: bytes, failure_class: FailureClass) -> None:
    """The class is the same with status 200, and a decoder that sees only the bytes finds it too."""
    failure = classify(answer(body))
    assert failure is not None
    assert failure_class is failure.failure_class
    assert failure.words
    with pytest.raises(ProviderRefused) as caught:
        decode.bars(body, Ask(kind="bars", symbol="ACME.US"))
    assert failure == caught.value.failure
    waiting = classify(answer(body, 429, retry_after="5"))
    assert waiting is not None
    assert (failure_class, 5.0) == (waiting.failure_class, waiting.retry_after_s)


@pytest.mark.parametrize(
    ("body", "status", "failure_class"),
    [
        (b"", 401, AUTH),
        (b"", 402, QUOTA),
        (b"", 403, ENTITLEMENT),
        (b"<html><h1>403</h1></html>", 403, BLOCKED),
        (b"", 404, PERMANENT),
        (b"", 429, THROTTLED),
        (b"[]", 500, TRANSIENT),
        (b'[{"date":"2024', 200, TRANSIENT),
        (b"Date,Open,High", 200, TRANSIENT),
        (b"forbidden " * 200, 200, TRANSIENT),
        (b"[" * 50_000, 200, TRANSIENT),
        (b"[" + b"0," * 40_000, 200, TRANSIENT),
    ],
)
def test_what_is_no_answer(body: bytes, status: int, failure_class: FailureClass) -> None:
    """Bare statuses, cut bodies, and texts that are no refusal that we know."""
    failure = classify(answer(body, status))
    assert failure is not None
    assert failure_class is failure.failure_class


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'[{"Code":"ACME","Name":"Forbidden Token Inc"}]', b'{"code":"A.US","timestamp":1,"close":1}'],
)
def test_data_are_no_failure(body: bytes) -> None:
    """A whole body without an error in it is for the decoder to judge."""
    assert classify(answer(body)) is None


@pytest.mark.parametrize(
    ("body", "status", "date", "wait"),
    [
        (SPENT, 402, "Fri, 08 Mar 2024 23:59:10 GMT", 50.0),
        (SPENT, 200, "Fri, 08 Mar 2024 00:00:00 GMT", 86400.0),
        (b"", 402, "Fri, 08 Mar 2024 12:00:00 GMT", 43200.0),
        (SPENT, 402, "", None),
        (SPENT, 402, "soon", None),
        (b"Too Many Requests", 429, "Fri, 08 Mar 2024 12:00:00 GMT", None),
    ],
)
def test_a_spent_day_ends_at_midnight(body: bytes, status: int, date: str, wait: float | None) -> None:
    """Midnight GMT, seen from the header Date."""
    failure = classify(answer(body, status, date=date))
    assert failure is not None
    assert wait == failure.retry_after_s


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "199"}, (199.0, 1000.0)),
        ({"x-ratelimit-remaining": "0"}, (0.0, None)),
        ({"x-ratelimit-limit": "1000"}, None),
        ({"x-ratelimit-remaining": "-1"}, None),
    ],
)
def test_headers_tell_the_minutes_requests(headers: dict[str, str], told: tuple[float, float | None] | None) -> None:
    """They are not always there."""
    expected = (Allowance(unit="calls", period="minute", left=told[0], limit=told[1]),) if told else ()
    assert expected == allowances(headers)
