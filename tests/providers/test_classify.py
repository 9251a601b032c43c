"""What each provider's refusals mean: the recorded ones, the catalogued ones, and our own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import Failure, FailureClass
from truetape.providers.alpha_vantage.classify import classify as alpha_vantage
from truetape.providers.alpha_vantage.decode import bars as alpha_vantage_bars
from truetape.providers.finnhub.classify import classify as finnhub
from truetape.providers.finnhub.decode import bars as finnhub_bars
from truetape.providers.iex_cloud.classify import classify as iex_cloud
from truetape.providers.iex_cloud.decode import bars as iex_cloud_bars
from truetape.providers.yahoo.classify import classify as yahoo
from truetape.providers.yahoo.decode import bars as yahoo_bars

CLASSIFY: dict[str, Callable[[Answer], Failure | None]] = {
    "yahoo": yahoo,
    "alpha_vantage": alpha_vantage,
    "finnhub": finnhub,
    "iex_cloud": iex_cloud,
}
BARS = {
    "yahoo": yahoo_bars,
    "alpha_vantage": alpha_vantage_bars,
    "finnhub": finnhub_bars,
    "iex_cloud": iex_cloud_bars,
}
ASK = Ask(kind="bars", symbol="ACME")

EMPTY, THROTTLED, QUOTA = FailureClass.EMPTY, FailureClass.THROTTLED, FailureClass.QUOTA
ENTITLEMENT, AUTH, PERMANENT = FailureClass.ENTITLEMENT, FailureClass.AUTH, FailureClass.PERMANENT
TRANSIENT, BLOCKED = FailureClass.TRANSIENT, FailureClass.BLOCKED


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def chart_error(code: str | None, description: str | None, envelope: str = "chart") -> bytes:
    return json.dumps({envelope: {"result": None, "error": {"code": code, "description": description}}}).encode()


def says(key: str, words: str) -> bytes:
    return json.dumps({key: words}).encode()


# Classes that the body alone decides, whatever the status.
BODIES = [
    ("yahoo", chart_error("Not Found", "No data found, symbol may be delisted"), PERMANENT),
    ("yahoo", chart_error("Bad Request", "Data doesn't exist for startDate = 1, endDate = 2"), EMPTY),
    ("yahoo", chart_error("Unauthorized", "Invalid Crumb", "finance"), AUTH),
    ("yahoo", chart_error("Unauthorized", "Invalid Cookie", "finance"), AUTH),
    ("yahoo", chart_error("Unauthorized", "User is unable to access this feature", "finance"), AUTH),
    ("yahoo", chart_error("Unprocessable Entity", "1m data not available for startTime=1"), PERMANENT),
    ("yahoo", chart_error("Too Many Requests", None, "finance"), THROTTLED),
    ("yahoo", chart_error("internal-error", "Try again"), TRANSIENT),
    ("yahoo", chart_error(None, None), PERMANENT),
    ("yahoo", b"Too Many Requests\r\n", THROTTLED),
    ("yahoo", b"Edge: Too Many Requests", THROTTLED),
    ("yahoo", b"<!doctype html><h1>Will be right back...</h1>", TRANSIENT),
    ("alpha_vantage", says("Note", "Our standard API call frequency is 5 calls per minute and 500 calls per day."),
     THROTTLED),
    ("alpha_vantage", says("Information", "Please consider spreading out your free API requests more sparingly "
                           "(1 request per second). Subscribe to lift the free key rate limit (25 requests per day)."),
     THROTTLED),
    ("alpha_vantage", says("Information", "Our standard API rate limit is 25 requests per day."), QUOTA),
    ("alpha_vantage", says("Information", "The rate limit was met."), THROTTLED),
    ("alpha_vantage", says("Information", "This is a premium endpoint."), ENTITLEMENT),
    ("alpha_vantage", says("Information", "The **demo** API key is for demo purposes only."), AUTH),
    ("alpha_vantage", says("Error Message", "the parameter apikey is invalid or missing."), AUTH),
    ("alpha_vantage", says("Error Message", "Invalid API call. Please retry."), PERMANENT),
    ("alpha_vantage", b'{"Global Quote": {}}', PERMANENT),
    ("finnhub", says("error", "API limit reached. Please try again later. Remaining Limit: 0"), THROTTLED),
    ("finnhub", says("error", "You don't have access to this resource."), ENTITLEMENT),
    ("finnhub", says("error", "Invalid API key."), AUTH),
    ("finnhub", says("error", "Please use an API key."), AUTH),
    ("finnhub", says("error", "Invalid token"), AUTH),
    ("finnhub", says("error", "Wrong resolution"), PERMANENT),
    ("finnhub", b'{"msg":"Subscribing to too many symbols","type":"error"}', ENTITLEMENT),
    ("finnhub", b"<html>502 Bad Gateway</html>", TRANSIENT),
    ("iex_cloud", b"Unknown symbol", PERMANENT),
    ("iex_cloud", b"You have exceeded your allotted message quota. Please enable pay-as-you-go.", QUOTA),
    ("iex_cloud", b"The API key provided is not valid.", AUTH),
    ("iex_cloud", b"Forbidden", AUTH),
    ("iex_cloud", b"Too many requests", THROTTLED),
    ("iex_cloud", b"Enterprise permission is needed", ENTITLEMENT),
    ("iex_cloud", b"<html>Access Denied</html>", BLOCKED),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "body", "failure_class"), BODIES)
def test_the_body_alone_decides(provider: str, body: bytes, failure_class: FailureClass | None) -> None:
    """The class is the same with status 200, and a decoder that sees only the bytes finds it too."""
    failure = CLASSIFY[provider](answer(body))
    assert failure is not None
    assert failure.failure_class is failure_class
    assert failure.words
    with pytest.raises(ProviderRefused) as caught:
        BARS[provider](body, ASK)
    assert caught.value.failure == failure
    waiting = CLASSIFY[provider](answer(body, 429, Retry_After="5"))
    assert waiting is not None
    assert (waiting.failure_class, waiting.retry_after_s) == (failure_class, 5.0)


DATA = [
    ("yahoo", b'{"chart":{"result":[{"meta":{}}],"error":null}}'),
    ("yahoo", b'{"chart":{"result":[' + b"0," * 40_000 + b"0]}}"),
    ("alpha_vantage", b'{"Meta Data":{},"Time Series (Daily)":{}}'),
    ("alpha_vantage", b"{}"),
    ("alpha_vantage", b"timestamp,open\r\n2024-03-08,1"),
    ("alpha_vantage", b"symbol,name,exchange\r\nACME,Acme,NYSE"),
    ("alpha_vantage", b'{"Global Quote": {"01. symbol": "ACME"}}'),
    ("alpha_vantage", b'{"x":[' + b"0," * 40_000 + b"0]}"),
    ("finnhub", b'{"s":"ok","c":[1],"t":[1]}'),
    ("finnhub", b'{"s":"no_data"}'),
    ("finnhub", b"[]"),
    ("finnhub", b'{"type":"ping"}'),
    ("finnhub", b'{"c":1,"pc":0,"d":null,"t":5}'),
    ("iex_cloud", b"[]"),
    ("iex_cloud", b'[{"date":"2024-03-08"}]'),
]


@pytest.mark.parametrize(("provider", "body"), DATA)
def test_data_is_no_failure(provider: str, body: bytes) -> None:
    """A whole body without an error in it is for the decoder to judge."""
    assert CLASSIFY[provider](answer(body)) is None


CUT = [
    ("yahoo", b'{"chart":{"result":[{"meta":'),
    ("yahoo", b""),
    ("yahoo", b"<html>hello</html>"),
    ("yahoo", b'{"chart":' + b"[" * 50_000),
    ("yahoo", b"[" * 50_000),
    ("alpha_vantage", b'{"Meta Data":{"1'),
    ("finnhub", b'{"s":"ok","c":[1'),
    ("iex_cloud", b'[{"date":"2024'),
    ("iex_cloud", b"something that nobody knows"),
    ("iex_cloud", b"x" * 1000),
]


@pytest.mark.parametrize(("provider", "body"), CUT)
def test_a_cut_or_foreign_body_is_transient(provider: str, body: bytes) -> None:
    """With status 200, what does not end as it began may come whole the next time."""
    failure = CLASSIFY[provider](answer(body))
    assert failure is not None
    assert failure.failure_class is TRANSIENT


@pytest.mark.parametrize(
    ("provider", "status", "failure_class"),
    [
        ("yahoo", 404, PERMANENT),
        ("yahoo", 401, AUTH),
        ("yahoo", 999, BLOCKED),
        ("alpha_vantage", 503, TRANSIENT),
        ("finnhub", 403, ENTITLEMENT),
        ("finnhub", 422, PERMANENT),
        ("iex_cloud", 402, QUOTA),
        ("iex_cloud", 403, AUTH),
        ("iex_cloud", 451, ENTITLEMENT),
        ("iex_cloud", 404, PERMANENT),
    ],
)
def test_without_words_the_status_decides(provider: str, status: int, failure_class: FailureClass | None) -> None:
    """A body that says nothing leaves the judgement to the status."""
    failure = CLASSIFY[provider](answer(b"{}", status))
    assert failure is not None
    assert failure.failure_class is failure_class


def test_a_key_in_the_words_is_hidden() -> None:
    """Alpha Vantage repeats the key in its refusal; we do not."""
    body = says("Information", "We have detected your API key as SECRET123 and our rate limit is 25 requests per day.")
    failure = alpha_vantage(answer(body))
    assert failure is not None
    assert failure.words == "We have detected your API key as *** and our rate limit is 25 requests per day."


CATALOGUE_CLASSES = {
    "not_found": PERMANENT,
    "empty_range": EMPTY,
    "auth": AUTH,
    "rate_limit": THROTTLED,
    "entitlement": ENTITLEMENT,
    "subscription": ENTITLEMENT,
    "keep-alive": None,
}


def _catalogue(recordings: Path) -> Iterator[tuple[str, dict[str, str]]]:
    names = {"Yahoo": "yahoo", "Alpha Vantage": "alpha_vantage", "Finnhub": "finnhub", "IEX Cloud": "iex_cloud"}
    for line in (recordings / "errors_catalogue.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["provider"] in names:
            yield names[entry["provider"]], entry


def test_every_catalogued_refusal(recordings: Path) -> None:
    """Each entry of the catalogue for these providers has the class that its word means, by body and by status."""
    entries = list(_catalogue(recordings))
    for provider, entry in entries:
        word = entry["expected_class"].split()[0].rstrip(":(")
        expected = CATALOGUE_CLASSES[word]
        for status in {200, int(entry["http_status"]) if entry["http_status"].isdigit() else 200}:
            failure = CLASSIFY[provider](answer(entry["body"].encode(), status))
            assert (failure.failure_class if failure else None) is expected, entry
    assert len(entries) >= 9


@pytest.mark.parametrize(
    ("provider", "name", "failure_class"),
    [
        ("alpha_vantage", "alpha_vantage/errors/Note_rate_limit_5_per_min.json", THROTTLED),
        ("alpha_vantage", "alpha_vantage/errors/Error_Message_invalid_api_call_truncated_by_repo.json", PERMANENT),
        ("alpha_vantage", "alpha_vantage/errors/Error_Message_apikey_invalid.json", AUTH),
        ("alpha_vantage", "alpha_vantage/errors/Information_rate_limit_25_per_day.json", QUOTA),
        ("alpha_vantage", "alpha_vantage/errors/Information_premium_endpoint.json", ENTITLEMENT),
        ("finnhub", "finnhub/errors/invalid_api_key_401.json", AUTH),
        ("yahoo", "yahoo/pageWithUnknownError/errors/pageWithUnknownError.json", PERMANENT),
    ],
)
def test_recorded_refusals(recordings: Path, provider: str, name: str, failure_class: FailureClass | None) -> None:
    """Recorded error bodies are refusals of their class."""
    with pytest.raises(ProviderRefused) as caught:
        BARS[provider]((recordings / name).read_bytes(), ASK)
    assert caught.value.failure.failure_class is failure_class


def test_a_recorded_empty_list_is_no_failure(recordings: Path) -> None:
    """Finnhub's empty list for an unknown symbol has no rows and no error."""
    body = (recordings / "finnhub" / "errors" / "unknown_symbol_empty_array_200.json").read_bytes()
    assert finnhub(answer(body)) is None
    assert finnhub_bars(body, ASK).is_empty()
