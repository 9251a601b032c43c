"""What Tiingo's refusals mean: the recorded ones, the catalogued ones, and our own."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from truetape.domain.asks import Answer
from truetape.domain.failures import FailureClass
from truetape.providers.tiingo.classify import by_body, classify

QUOTA, ENTITLEMENT, AUTH = FailureClass.QUOTA, FailureClass.ENTITLEMENT, FailureClass.AUTH
PERMANENT, TRANSIENT, THROTTLED = FailureClass.PERMANENT, FailureClass.TRANSIENT, FailureClass.THROTTLED
BLOCKED = FailureClass.BLOCKED


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def says(words: str) -> bytes:
    return json.dumps({"detail": words}).encode()


HOURLY = "Error: You have run over your hourly request allocation. Please upgrade."


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (says("Please supply a token"), AUTH),
        (says("Invalid token."), AUTH),
        (says("Authentication credentials were not provided."), AUTH),
        (says("Not found."), PERMANENT),
        (says("Error: Ticker 'NOPE' not found"), PERMANENT),
        (says("Error: resampleFreq was wrong"), PERMANENT),
        (says("What is this?"), PERMANENT),
        (says(HOURLY), QUOTA),
        (says("You have run over your daily request allocation."), QUOTA),
        (says("You have exceeded your monthly bandwidth."), QUOTA),
        (says("Request was throttled."), THROTTLED),
        (says("You do not have permission to access the News API"), ENTITLEMENT),
        (says("Error: Free and Power plans are limited to the DOW 30. Get it as an add-on."), ENTITLEMENT),
        (says("Internal Server Error"), TRANSIENT),
        (b"You have run over your 500 symbol look up for this month. Please upgrade at the pricing page.", QUOTA),
        (b"Error: Ticker 'NOPE' not found", PERMANENT),
        (b"\"Error: Ticker 'NOPE' not found\"", PERMANENT),
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


def archive(body: bytes = b"ticker,exchange\n") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("t.csv", body)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'[{"date":"2024-03-08","close":1}]',
        b'{"ticker":"ACME","description":"It gave me an error and a token."}',
        b"date,close\n2024-03-08,1",
        b"ticker,exchange\nTOKEN,NYSE\n",
        archive(),
        b"[" + b"0," * 40_000 + b"0]",
    ],
    ids=range(7),
)
def test_data_are_no_failure(body: bytes) -> None:
    """JSON, tables and archives are data, also without rows."""
    assert classify(answer(body)) is None


@pytest.mark.parametrize("body", [b"", b"[1,", b'{"a":1', b"hello", archive()[:-30]], ids=range(5))
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


@pytest.mark.parametrize(
    ("words", "date", "wait"),
    [
        (HOURLY, "Wed, 04 Jul 2018 02:53:33 GMT", 387.0),  # 6 minutes and 27 seconds before three
        (HOURLY, "Wed, 04 Jul 2018 03:00:00 GMT", 3600.0),
        (HOURLY, "soon", None),
        ("You have run over your daily request allocation.", "Wed, 04 Jul 2018 02:53:33 GMT", None),
    ],
)
def test_an_hours_budget_comes_back_with_the_next_hour(words: str, date: str, wait: float | None) -> None:
    """The provider's own clock tells how far it is."""
    failure = classify(answer(says(words), 429, Date=date))
    assert failure is not None
    assert (failure.failure_class, failure.retry_after_s) == (QUOTA, wait)


def test_recorded_and_catalogued_refusals(recordings: Path) -> None:
    """A recorded lack of permission, and the catalogue's spent hour."""
    body = (recordings / "tiingo" / "errors" / "news_bulk.json").read_bytes()
    failure = classify(answer(body, 403))
    assert failure is not None
    assert failure.failure_class is ENTITLEMENT
    lines = (recordings / "errors_catalogue.jsonl").read_text().splitlines()
    entries = [entry for entry in map(json.loads, lines) if entry["provider"] == "Tiingo"]
    found = [classify(answer(entry["body"].encode(), int(entry["http_status"]))) for entry in entries]
    assert [one.failure_class for one in found if one] == [QUOTA]
    assert [entry["expected_class"] for entry in entries] == ["rate_limit hour"]
