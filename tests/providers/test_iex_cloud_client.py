"""What IEX Cloud, or a host that speaks its API, is asked for each kind, and which page follows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.providers.iex_cloud import spell
from truetape.providers.iex_cloud.client import follow, request, root

TODAY = date(2024, 3, 12)
ANSWER = Answer(url="", status=200, content_type="", headers={}, body=b"[]")


def asked(kind: str, symbol: str = "ACME", **more: object) -> tuple[str, dict[str, str]]:
    """Path and parameters of the request; the token stays a secret."""
    found = request(Ask(kind=kind, symbol=symbol, **more), today=TODAY, base_url="http://host", key="k")  # type: ignore[arg-type]
    assert (found.secrets, found.secret_headers) == ({"token": "k"}, {})
    return found.url.removeprefix("http://host/v1/"), found.params


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://cloud.iexapis.com", "https://cloud.iexapis.com/v1"),
        ("https://cloud.iexapis.com/v1/", "https://cloud.iexapis.com/v1"),
        ("https://sandbox.iexapis.com/stable", "https://sandbox.iexapis.com/stable"),
        ("https://api.iextrading.com/1.0", "https://api.iextrading.com/1.0"),
        ("https://host/latest/", "https://host/latest"),
        ("https://host/beta", "https://host/beta"),
        ("https://host/v2/iex", "https://host/v2/iex"),
        ("https://host/iex_cloud", "https://host/iex_cloud/v1"),
        ("http://localhost:8080/", "http://localhost:8080/v1"),
        ("https://v1.host", "https://v1.host/v1"),
    ],
)
def test_any_host_that_speaks_the_api(base_url: str, expected: str) -> None:
    """A version in the path is kept; without one the first is meant."""
    assert root(base_url) == expected


def test_minutes_are_asked_for_by_day() -> None:
    """The day is that of the page, the first of the span, or today."""
    first: dict[str, Any] = {"timeframe": "1m", "start": date(2024, 3, 8)}
    assert asked("bars", **first) == ("stock/ACME/chart/date/20240308", {})
    assert asked("bars", **first, page="2024-03-11") == ("stock/ACME/chart/date/20240311", {})
    assert asked("bars", timeframe="1m") == ("stock/ACME/chart/date/20240312", {})


def test_weekdays_follow_one_another() -> None:
    """From Thursday to Tuesday: no minutes are asked for of a weekend."""
    ask: Ask | None = Ask(kind="bars", symbol="ACME", timeframe="1m", start=date(2024, 3, 7), end=date(2024, 3, 12))
    marks = []
    while ask is not None:
        marks.append(ask.page)
        ask = follow(ANSWER, ask)
    assert marks == ["", "2024-03-08", "2024-03-11", "2024-03-12"]
    assert follow(ANSWER, Ask(kind="bars", symbol="ACME", timeframe="1m", start=date(2024, 3, 7))) is None


def test_dividends_come_before_splits() -> None:
    """Actions reach back five years at most, and a month at least."""
    ask = Ask(kind="actions", symbol="ACME")
    assert follow(ANSWER, ask) == Ask(kind="actions", symbol="ACME", page="splits")
    assert follow(ANSWER, Ask(kind="actions", symbol="ACME", page="splits")) is None
    assert asked("actions") == ("stock/ACME/dividends/5y", {})
    assert asked("actions", page="splits", start=date(2023, 6, 1)) == ("stock/ACME/splits/1y", {})
    assert asked("actions", start=date(2024, 3, 11)) == ("stock/ACME/dividends/1m", {})


@pytest.mark.parametrize(
    ("kind", "symbol", "expected"),
    [
        ("quotes", "A/B", ("stock/A%2FB/quote", {})),
        ("trades", "ACME", ("deep/trades", {"symbols": "ACME"})),
        ("listings", "", ("ref-data/symbols", {})),
        ("fx_rates", "USDCAD", ("fx/latest", {"symbols": "USDCAD"})),
    ],
)
def test_other_kinds(kind: str, symbol: str, expected: tuple[str, dict[str, str]]) -> None:
    """Each has one path, and comes whole."""
    assert asked(kind, symbol) == expected
    assert follow(ANSWER, Ask(kind=kind, symbol=symbol, end=TODAY)) is None


def test_rates_of_days_have_a_path_of_their_own() -> None:
    """The present rate is the latest."""
    span = {"from": "2024-03-08", "to": "2024-03-12"}
    asked_for = asked("fx_rates", "USDCAD", start=date(2024, 3, 8), end=TODAY)
    assert asked_for == ("fx/historical", {"symbols": "USDCAD", **span})


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"Unknown symbol", b"<html></html>"])
def test_nothing_follows_a_refusal(body: bytes) -> None:
    """Only after data is there more to ask for."""
    refused = Answer(url="", status=200, content_type="", headers={}, body=body)
    assert follow(refused, Ask(kind="actions", symbol="ACME")) is None


def test_dots_alone_lead_nowhere() -> None:
    """A symbol of dots would climb up the path."""
    assert asked("quotes", "..") == ("stock//quote", {})


@pytest.mark.parametrize(("symbol", "spelled"), [("BRK.B", "BRK.B"), ("EUR/USD", "EURUSD"), ("BTC/USD", "BTCUSD")])
def test_spelling(symbol: str, spelled: str) -> None:
    """Shares are as ours, pairs have no slash."""
    assert spell(symbol) == spelled
