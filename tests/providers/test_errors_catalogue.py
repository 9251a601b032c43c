"""Every refusal in the catalogue of recorded ones is understood as the catalogue says, by the provider that sent it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.ports.provider import Provider
from truetape.providers import vendor

OURS = {
    "Alpaca": "alpaca",
    "Alpha Vantage": "alpha_vantage",
    "Binance": "binance",
    "FMP": "fmp",
    "Finnhub": "finnhub",
    "Kraken": "kraken",
    "Polygon/Massive": "massive",
    "Stooq": "stooq",
    "Tiingo": "tiingo",
    "Twelve Data": "twelve_data",
    "Yahoo": "yahoo",
}
NOT_OURS = {
    "OpenFIGI": "identifiers are no market data; nobody here asks for them",
    "SEC": "filings are no market data; nobody here asks for them",
}
STREAMED = ["keep-alive", "subscription limit"]  # frames of Finnhub's stream: its feed reads them, not its classify
CLASSES = {  # by the first word of the catalogue
    "auth": FailureClass.AUTH,
    "empty_range": FailureClass.EMPTY,
    "endpoint": FailureClass.PERMANENT,  # retired: asking again never helps
    "entitlement": FailureClass.ENTITLEMENT,
    "not_found": FailureClass.PERMANENT,
    "rate_limit": FailureClass.THROTTLED,
}
NARROWER = {  # where the words of the body say more than the catalogue's
    ("Stooq", "not_found"): FailureClass.EMPTY,  # "No data" is said of unknown symbols and of empty ranges alike
    ("Stooq", "rate_limit"): FailureClass.QUOTA,  # of the day
    ("Tiingo", "rate_limit"): FailureClass.QUOTA,  # of the hour
}
SUCCESS = 200


@pytest.fixture(scope="module")
def catalogue(recordings: Path) -> list[dict[str, str]]:
    """The entries, each with provider, request, http_status, body and expected_class."""
    lines = (recordings / "errors_catalogue.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def refusals(catalogue: list[dict[str, str]]) -> list[dict[str, str]]:
    """The entries that our providers' REST interfaces sent."""
    return [one for one in catalogue if one["provider"] in OURS and one["request"] != "websocket"]


def provider(name: str) -> Provider:
    made: Provider = vendor(OURS[name]).provider(None)
    return made


def expected(entry: dict[str, str]) -> FailureClass:
    word = entry["expected_class"].split()[0].rstrip(":;,(")
    return NARROWER.get((entry["provider"], word), CLASSES[word])


def answer(entry: dict[str, str], status: int) -> Answer:
    return Answer(url="", status=status, content_type="", headers={}, body=entry["body"].encode())


def test_the_catalogue_is_accounted_for(catalogue: list[dict[str, str]]) -> None:
    """Every entry is of a provider of ours, of its stream, or of somebody who is named with a reason."""
    assert 24 == len(catalogue)
    assert set(OURS) | set(NOT_OURS) == {one["provider"] for one in catalogue}
    assert STREAMED == sorted(one["expected_class"] for one in catalogue if one["request"] == "websocket")
    assert 20 == len(refusals(catalogue))


def test_every_catalogued_refusal_has_its_class(catalogue: list[dict[str, str]]) -> None:
    """With the status that was recorded, and with 200 alike: the status never decides alone."""
    wrong = []
    for entry in refusals(catalogue):
        for status in sorted({SUCCESS, int(entry["http_status"])}):
            found = provider(entry["provider"]).classify(answer(entry, status))
            if found is None or found.failure_class is not expected(entry):
                wrong.append((entry["provider"], status, entry["body"][:80], expected(entry), found))
    assert [] == wrong


def test_a_catalogued_refusal_has_plain_words(catalogue: list[dict[str, str]]) -> None:
    """What the provider said comes back, in one printable line."""
    for entry in refusals(catalogue):
        found = provider(entry["provider"]).classify(answer(entry, int(entry["http_status"])))
        assert found is not None
        assert found.words.isprintable()
        assert 0 < len(found.words) <= 500


def test_no_catalogued_refusal_is_read_as_rows(catalogue: list[dict[str, str]]) -> None:
    """A decoder that sees only the bytes ends in the refusal, in a stated defect, or without rows."""
    read = []
    for entry in refusals(catalogue):
        for kind, decode in provider(entry["provider"]).decode.items():
            try:
                frame = decode(entry["body"].encode(), Ask(kind=kind, symbol="ACME"))
            except (ProviderRefused, UndecodablePayload):
                continue
            read += [] if frame.is_empty() else [(entry["provider"], kind, entry["body"][:80])]
    assert [] == read
