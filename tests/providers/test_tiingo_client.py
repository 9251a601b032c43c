"""What is asked of Tiingo, and that the provider is whole."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.schema import DECODED
from truetape.providers import tiingo
from truetape.providers.tiingo.client import request
from truetape.providers.tiingo.symbols import is_fx, spell

SPAN: dict[str, Any] = {"start": date(2024, 3, 8), "end": date(2024, 3, 11)}
DATES = {"startDate": "2024-03-08", "endDate": "2024-03-11"}


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b"[]")


@pytest.mark.parametrize(
    ("symbol", "timeframe", "path", "params"),
    [
        ("BRK-B", "1d", "/tiingo/daily/BRK-B/prices", {**DATES, "resampleFreq": "daily"}),
        ("BRK-B", "1w", "/tiingo/daily/BRK-B/prices", {**DATES, "resampleFreq": "weekly"}),
        ("BRK-B", "1mo", "/tiingo/daily/BRK-B/prices", {**DATES, "resampleFreq": "monthly"}),
        ("BRK-B", "?", "/tiingo/daily/BRK-B/prices", {**DATES, "resampleFreq": "daily"}),
        ("A/../B?", "1m", "/iex/A%2F..%2FB%3F/prices", {**DATES, "resampleFreq": "1min"}),
        ("AAPL", "1h", "/iex/AAPL/prices", {**DATES, "resampleFreq": "1hour"}),
        ("eurusd", "1d", "/tiingo/fx/eurusd/prices", {**DATES, "resampleFreq": "1day"}),
        ("eurusd", "5m", "/tiingo/fx/eurusd/prices", {**DATES, "resampleFreq": "5min"}),
        ("btcusd", "1d", "/tiingo/crypto/prices", {"tickers": "btcusd", **DATES, "resampleFreq": "1day"}),
    ],
)
def test_bars(symbol: str, timeframe: str, path: str, params: dict[str, str]) -> None:
    """Shares by the day or by the minute, national currencies and coins lie at paths of their own."""
    asked = request(Ask(kind="bars", symbol=symbol, timeframe=timeframe, **SPAN), key="k")
    assert (asked.url, asked.params) == (f"https://api.tiingo.com{path}", params)
    assert (asked.secret_headers, asked.secrets) == ({"Authorization": "Token k"}, {})


def test_an_open_span_is_everything() -> None:
    """Without dates the provider would answer the newest day only."""
    asked = request(Ask(kind="bars", symbol="AAPL"), base_url="http://localhost:1/")
    assert asked.url == "http://localhost:1/tiingo/daily/AAPL/prices"
    assert (asked.params["startDate"], asked.params["endDate"]) == ("1900-01-01", "2100-01-01")


@pytest.mark.parametrize(
    ("symbol", "path"),
    [("AAPL,MSFT", "/iex/"), ("eurusd,gbpusd", "/tiingo/fx/top"), ("btcusd", "/tiingo/crypto/top")],
)
def test_quotes(symbol: str, path: str) -> None:
    """Several symbols are asked for at once."""
    asked = request(Ask(kind="quotes", symbol=symbol))
    assert (asked.url, asked.params) == (f"https://api.tiingo.com{path}", {"tickers": symbol})


def test_exchange_rates() -> None:
    """Of a span the daily closes, else the present rate."""
    asked = request(Ask(kind="fx_rates", symbol="eurusd", **SPAN))
    assert (asked.url, asked.params) == (
        "https://api.tiingo.com/tiingo/fx/eurusd/prices",
        {**DATES, "resampleFreq": "1day"},
    )
    asked = request(Ask(kind="fx_rates", symbol="eurusd"))
    assert (asked.url, asked.params) == ("https://api.tiingo.com/tiingo/fx/top", {"tickers": "eurusd"})


@pytest.mark.parametrize(
    ("symbol", "base_url", "url", "params"),
    [
        ("", "https://api.tiingo.com", "https://apimedia.tiingo.com/docs/tiingo/daily/supported_tickers.zip", {}),
        ("", "http://localhost:1", "http://localhost:1/docs/tiingo/daily/supported_tickers.zip", {}),
        ("AAPL", "http://localhost:1", "http://localhost:1/tiingo/daily/AAPL", {}),
        ("btcusd", "http://localhost:1", "http://localhost:1/tiingo/crypto", {"tickers": "btcusd"}),
    ],
)
def test_listings(symbol: str, base_url: str, url: str, params: dict[str, str]) -> None:
    """The whole list is a public file, which is never sent the key."""
    asked = request(Ask(kind="listings", symbol=symbol), base_url=base_url, key="k")
    assert (asked.url, asked.params) == (url, params)
    assert asked.secret_headers == ({"Authorization": "Token k"} if symbol else {})


async def test_the_client_sends_the_request() -> None:
    """The answer comes back undecoded."""
    wire = Wire()
    provider = tiingo.provider(wire, base_url="", key="k")
    ask = Ask(kind="bars", symbol="AAPL", **SPAN)
    answer = await provider.client.fetch(ask)
    assert answer.body == b"[]"
    assert wire.asked == [request(ask, key="k")]


@pytest.mark.parametrize(
    ("ours", "spelled"), [("AAPL", "AAPL"), ("BRK.B", "BRK-B"), ("EUR/USD", "eurusd"), ("BTC/USD", "btcusd")]
)
def test_symbols_are_spelled_as_the_provider_does(ours: str, spelled: str) -> None:
    """Share classes have a dash, pairs are written small and together."""
    assert spell(ours) == spelled


@pytest.mark.parametrize(
    ("symbol", "fx"), [("eurusd", True), ("btcusd", False), ("eurusdt", False), ("EURUSD", False), ("", False)]
)
def test_national_currencies_are_told_from_coins(symbol: str, fx: bool) -> None:
    """Both halves must be codes of national currencies."""
    assert is_fx(symbol) is fx


def test_the_provider_is_whole() -> None:
    """What is declared can be decoded."""
    provider = tiingo.provider(Wire())
    assert set(provider.decode) == set(provider.declaration.kinds) <= set(DECODED)
    assert provider.declaration.key_variable == "TIINGO_API_KEY"
    assert msgspec.json.encode(provider.declaration)


def test_dots_alone_lead_nowhere() -> None:
    """A symbol cannot climb the path."""
    asked = request(Ask(kind="bars", symbol="..", **SPAN))
    assert asked.url == "https://api.tiingo.com/tiingo/daily//prices"
