"""What is asked of Alpaca page by page, and that the provider is whole."""

from __future__ import annotations

from datetime import UTC as UTC_ZONE
from datetime import date, datetime
from typing import Any

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.schema import DECODED
from truetape.providers import alpaca
from truetape.providers.alpaca.client import Client, follow, request
from truetape.providers.alpaca.symbols import spell

SPAN: dict[str, Any] = {"start": date(2024, 3, 8), "end": date(2024, 3, 11)}
ROOT = "https://data.alpaca.markets"
# New York's clocks went forward on the 10th: midnight is at 05:00 UTC before, at 04:00 UTC after.
SECONDS = {"start": "2024-03-08T05:00:00Z", "end": "2024-03-12T03:59:59Z"}
UTC_SECONDS = {"start": "2024-03-08T00:00:00Z", "end": "2024-03-11T23:59:59Z"}
PAGES = {"limit": "10000", "sort": "asc"}


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return page(b"{}")


def page(body: bytes) -> Answer:
    return Answer(url="", status=200, content_type="", headers={}, body=body)


@pytest.mark.parametrize(
    ("kind", "symbol", "timeframe", "path", "params"),
    [
        ("bars", "BRK.B", "1d", "/v2/stocks/bars",
         {"symbols": "BRK.B", "feed": "sip", **SECONDS, **PAGES, "timeframe": "1Day", "adjustment": "raw"}),
        ("bars", "AAPL,MSFT", "5m", "/v2/stocks/bars",
         {"symbols": "AAPL,MSFT", "feed": "sip", **SECONDS, **PAGES, "timeframe": "5Min", "adjustment": "raw"}),
        ("bars", "BTC/USD", "1h", "/v1beta3/crypto/us/bars",
         {"symbols": "BTC/USD", **UTC_SECONDS, **PAGES, "timeframe": "1Hour"}),
        ("trades", "AAPL", "1d", "/v2/stocks/trades", {"symbols": "AAPL", "feed": "sip", **SECONDS, **PAGES}),
        ("quotes", "AAPL", "1d", "/v2/stocks/quotes", {"symbols": "AAPL", "feed": "sip", **SECONDS, **PAGES}),
        ("quotes", "BTC/USD", "1d", "/v1beta3/crypto/us/quotes", {"symbols": "BTC/USD", **UTC_SECONDS, **PAGES}),
        ("actions", "AAPL", "1d", "/v1/corporate-actions",
         {"start": "2024-03-08", "end": "2024-03-11", "limit": "1000", "sort": "asc", "symbols": "AAPL"}),
        ("actions", "", "1d", "/v1/corporate-actions",
         {"start": "2024-03-08", "end": "2024-03-11", "limit": "1000", "sort": "asc"}),
        ("fx_rates", "EURUSD", "1d", "/v1beta1/forex/rates",
         {"currency_pairs": "EURUSD", **UTC_SECONDS, "timeframe": "1Day", **PAGES}),
    ],
)  # fmt: skip
def test_spans(kind: str, symbol: str, timeframe: str, path: str, params: dict[str, str]) -> None:
    """A day of shares is New York's, of coins and rates UTC's; prices are asked for as traded, from one named tape."""
    asked = request(Ask(kind=kind, symbol=symbol, timeframe=timeframe, **SPAN), key="k", secret="s")
    assert (asked.url, asked.params) == (ROOT + path, params)
    assert asked.secret_headers == {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
    assert not asked.secrets


@pytest.mark.parametrize(
    ("kind", "symbol", "url", "params"),
    [
        ("quotes", "AAPL", f"{ROOT}/v2/stocks/snapshots", {"symbols": "AAPL", "feed": "iex"}),
        ("quotes", "BTC/USD", f"{ROOT}/v1beta3/crypto/us/snapshots", {"symbols": "BTC/USD"}),
        ("fx_rates", "EURUSD", f"{ROOT}/v1beta1/forex/latest/rates", {"currency_pairs": "EURUSD"}),
        ("listings", "", "https://api.alpaca.markets/v2/assets", {}),
        ("listings", "BTC/USD", "https://api.alpaca.markets/v2/assets/BTC%2FUSD", {}),
    ],
)
def test_present_state(kind: str, symbol: str, url: str, params: dict[str, str]) -> None:
    """Without a start the newest is asked for; assets lie at the trading host."""
    asked = request(Ask(kind=kind, symbol=symbol), feed="iex")
    assert (asked.url, asked.params) == (url, params)


@pytest.mark.parametrize(
    ("kind", "symbol", "feed", "end"),
    [
        ("bars", "AAPL", "sip", "2024-03-11T20:44:00Z"),
        ("trades", "AAPL", "sip", "2024-03-11T20:44:00Z"),
        ("bars", "AAPL", "iex", SECONDS["end"]),
        ("bars", "BTC/USD", "sip", UTC_SECONDS["end"]),
    ],
)
async def test_the_recent_tape_is_left_alone(kind: str, symbol: str, feed: str, end: str) -> None:
    """On the free plan its last quarter of an hour costs all that is before it; other feeds have no such rule."""
    wire = Wire()
    now = datetime(2024, 3, 11, 21, 0, 30, tzinfo=UTC_ZONE)
    client = Client(wire, feed=feed, now=lambda: now)
    await client.fetch(Ask(kind=kind, symbol=symbol, **SPAN))
    assert wire.asked[0].params["end"] == end


def test_a_range_never_ends_before_it_starts() -> None:
    """One that is recent altogether is asked for, and refused by the provider in its own words."""
    asked = request(Ask(kind="bars", symbol="AAPL", **SPAN), until=datetime(2024, 3, 1, tzinfo=UTC_ZONE))
    assert asked.params["end"] == asked.params["start"] == SECONDS["start"]


def test_another_host_has_it_all() -> None:
    """An address of one's own stands for both hosts; an open span begins with the century."""
    asked = request(Ask(kind="listings", symbol=""), base_url="http://localhost:1/alpaca/")
    assert asked.url == "http://localhost:1/alpaca/v2/assets"
    asked = request(Ask(kind="bars", symbol="AAPL", timeframe="?"), base_url="http://localhost:1")
    assert (asked.params["start"], asked.params["end"]) == ("2000-01-01T05:00:00Z", "2100-01-02T04:59:59Z")
    assert asked.params["timeframe"] == "1Day"
    asked = request(Ask(kind="actions", symbol="AAPL"))
    assert (asked.params["start"], asked.params["end"]) == ("2000-01-01", "2100-01-01")


def test_pages_follow_their_tokens() -> None:
    """The next page is the same question with the token of this one."""
    ask = Ask(kind="bars", symbol="AAPL", timeframe="1m", **SPAN)
    second = follow(page(b'{"bars":{},"next_page_token":"QUFQ="}'), ask)
    assert second == Ask(kind="bars", symbol="AAPL", timeframe="1m", page="QUFQ=", **SPAN)
    asked = request(second)
    assert asked.params == {**request(ask).params, "page_token": "QUFQ="}


@pytest.mark.parametrize(
    "body",
    [b'{"next_page_token":null}', b'{"next_page_token":""}', b"{}", b"[]", b'{"next_page_token":5}', b"\xff", b"",
     b'{"next_page_token":"again"}', b'{"next_page_token":"' + b"x" * 5000 + b'"}'],
)  # fmt: skip
def test_the_last_page_has_none_after_it(body: bytes) -> None:
    """Nor has a body that is no page, or one whose token is that of the page itself."""
    assert follow(page(body), Ask(kind="bars", symbol="AAPL", page="again")) is None


async def test_the_client_sends_the_request() -> None:
    """The answer comes back undecoded."""
    wire = Wire()
    provider = alpaca.provider(wire, base_url="", key="k", secret="s", feed="iex")
    ask = Ask(kind="trades", symbol="AAPL", **SPAN)
    assert (await provider.client.fetch(ask)).body == b"{}"
    assert wire.asked == [request(ask, key="k", secret="s", feed="iex")]


@pytest.mark.parametrize(
    ("ours", "spelled"), [("BRK.B", "BRK.B"), ("BTC/USD", "BTC/USD"), ("EUR/USD", "EURUSD"), ("AAPL", "AAPL")]
)
def test_symbols_are_spelled_as_the_provider_does(ours: str, spelled: str) -> None:
    """National currencies stand together."""
    assert spell(ours) == spelled


def test_the_provider_is_whole() -> None:
    """What is declared can be decoded; the key has two halves."""
    provider = alpaca.provider(Wire())
    assert set(provider.decode) == set(provider.declaration.kinds) <= set(DECODED)
    assert (provider.declaration.key_variable, provider.declaration.secret_variable) == (
        "APCA_API_KEY_ID",
        "APCA_API_SECRET_KEY",
    )


def test_dots_alone_lead_nowhere() -> None:
    """A symbol cannot climb the path."""
    asked = request(Ask(kind="listings", symbol=".."))
    assert asked.url == "https://api.alpaca.markets/v2/assets/"
