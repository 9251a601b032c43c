"""What is asked of Massive page by page, and that the provider is whole."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.schema import DECODED
from truetape.providers import massive
from truetape.providers.massive.client import request
from truetape.providers.massive.paging import follow
from truetape.providers.massive.symbols import halves, spell

SPAN: dict[str, Any] = {"start": date(2024, 3, 8), "end": date(2024, 3, 11)}
ROOT = "https://api.massive.com"
RAW = {"adjusted": "false", "sort": "asc", "limit": "50000"}
# New York's clocks went forward on the 10th: midnight is at 05:00 UTC before, at 04:00 UTC after.
NEW_YORK = {"timestamp.gte": "1709874000000000000", "timestamp.lt": "1710216000000000000"}
UTC = {"timestamp.gte": "1709856000000000000", "timestamp.lt": "1710201600000000000"}
TICKS = {"order": "asc", "sort": "timestamp", "limit": "50000"}


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return page()


def page(next_url: object = None) -> Answer:
    body = json.dumps({"status": "OK", "next_url": next_url}).encode()
    return Answer(url="", status=200, content_type="", headers={}, body=body)


@pytest.mark.parametrize(
    ("kind", "symbol", "timeframe", "path", "params"),
    [
        ("bars", "BRK.B", "1d", "/v2/aggs/ticker/BRK.B/range/1/day/2024-03-08/2024-03-11", RAW),
        ("bars", "X:BTCUSD", "15m", "/v2/aggs/ticker/X:BTCUSD/range/15/minute/2024-03-08/2024-03-11", RAW),
        ("bars", "A/../B?", "?", "/v2/aggs/ticker/A%2F..%2FB%3F/range/1/day/2024-03-08/2024-03-11", RAW),
        ("index_levels", "I:SPX", "1m", "/v2/aggs/ticker/I:SPX/range/1/day/2024-03-08/2024-03-11", RAW),
        ("fx_rates", "C:EURUSD", "1d", "/v2/aggs/ticker/C:EURUSD/range/1/day/2024-03-08/2024-03-11", RAW),
        ("trades", "AAPL", "1d", "/v3/trades/AAPL", {**NEW_YORK, **TICKS}),
        ("trades", "X:BTCUSD", "1d", "/v3/trades/X:BTCUSD", {**UTC, **TICKS}),
        ("quotes", "AAPL", "1d", "/v3/quotes/AAPL", {**NEW_YORK, **TICKS}),
        ("actions", "AAPL", "1d", "/stocks/v1/splits",
         {"ticker": "AAPL", "execution_date.gte": "2024-03-08", "execution_date.lte": "2024-03-11", "limit": "1000"}),
    ],
)  # fmt: skip
def test_spans(kind: str, symbol: str, timeframe: str, path: str, params: dict[str, str]) -> None:
    """Prices are asked for as traded; a day of stocks is New York's, of coins UTC's. The key travels in a header."""
    asked = request(Ask(kind=kind, symbol=symbol, timeframe=timeframe, **SPAN), key="k")
    assert (asked.url, asked.params) == (ROOT + path, params)
    assert (asked.secret_headers, asked.secrets) == ({"Authorization": "Bearer k"}, {})


@pytest.mark.parametrize(
    ("kind", "symbol", "path", "params"),
    [
        ("quotes", "AAPL,I:SPX", "/v3/snapshot", {"ticker.any_of": "AAPL,I:SPX", "limit": "250"}),
        ("fx_rates", "C:EURUSD", "/v1/last_quote/currencies/EUR/USD", {}),
        ("fx_rates", "AAPL", "/v2/aggs/ticker/AAPL/range/1/day/2003-01-01/2100-01-01", RAW),
        ("bars", "AAPL", "/v2/aggs/ticker/AAPL/range/1/day/2003-01-01/2100-01-01", RAW),
        ("listings", "AAPL", "/v3/reference/tickers/AAPL", {}),
        ("listings", "", "/v3/reference/tickers", {"market": "stocks", "active": "true", "limit": "1000"}),
        ("actions", "", "/stocks/v1/splits",
         {"execution_date.gte": "2003-01-01", "execution_date.lte": "2100-01-01", "limit": "1000"}),
    ],
)  # fmt: skip
def test_open_spans(kind: str, symbol: str, path: str, params: dict[str, str]) -> None:
    """Without a start the newest quote or rate is asked for, and of all else everything."""
    asked = request(Ask(kind=kind, symbol=symbol), base_url="http://localhost:1/massive/")
    assert (asked.url, asked.params) == (f"http://localhost:1/massive{path}", params)


def test_ticks_of_an_open_span() -> None:
    """From 2003 on."""
    asked = request(Ask(kind="trades", symbol="AAPL"))
    assert asked.params["timestamp.gte"] == "1041397200000000000"  # 2003-01-01 05:00 UTC


def test_a_page_of_bars_keeps_where_it_starts() -> None:
    """The next page's address has moved its start; the key and the host in it are not kept."""
    ask = Ask(kind="bars", symbol="AAPL", timeframe="1m", **SPAN)
    url = "https://api.polygon.io/v2/aggs/ticker/AAPL/range/1/minute/1709908200000/2024-03-11?cursor=bGltaXQ9&apiKey=k"
    second = follow(page(url), ask)
    assert second == Ask(kind="bars", symbol="AAPL", timeframe="1m", page="1709908200000:bGltaXQ9", **SPAN)
    asked = request(second)
    assert asked.url == f"{ROOT}/v2/aggs/ticker/AAPL/range/1/minute/1709908200000/2024-03-11"
    assert asked.params == {**RAW, "cursor": "bGltaXQ9"}


def test_a_page_of_bars_elsewhere_keeps_its_cursor_only() -> None:
    """A path that is none of aggregates moves nothing."""
    ask = Ask(kind="bars", symbol="AAPL", **SPAN)
    second = follow(page("/v9/elsewhere?cursor=x"), ask)
    assert second is not None
    assert (second.page, request(second).url) == (":x", request(ask).url)


@pytest.mark.parametrize("kind", ["trades", "quotes"])
def test_a_page_of_ticks_is_its_cursor(kind: str) -> None:
    """The cursor holds all else."""
    second = follow(page(f"https://api.massive.com/v3/{kind}/AAPL?cursor=YXA9"), Ask(kind=kind, symbol="AAPL", **SPAN))
    assert second is not None
    asked = request(second)
    assert (second.page, asked.url, asked.params) == ("YXA9", f"{ROOT}/v3/{kind}/AAPL", {"cursor": "YXA9"})


def walk(ask: Ask, *urls: str | None) -> list[tuple[str, str, dict[str, str]]]:
    """The mark, path and parameters of every page, where the answers name `urls` one after the other."""
    pages: list[tuple[str, str, dict[str, str]]] = []
    following: Ask | None = ask
    for url in urls:
        assert following is not None
        asked = request(following)
        pages.append((following.page, asked.url.removeprefix(ROOT), asked.params))
        following = follow(page(url), following)
    assert following is None
    return pages


def test_actions_are_splits_and_then_dividends() -> None:
    """Each list to its last page."""
    cursor = "https://api.massive.com/stocks/v1/x?cursor="
    pages = walk(Ask(kind="actions", symbol="AAPL", **SPAN), f"{cursor}a", None, f"{cursor}b", None)
    dividends = {"ex_dividend_date.gte": "2024-03-08", "ex_dividend_date.lte": "2024-03-11"}
    assert [(mark, path) for mark, path, _ in pages] == [
        ("", "/stocks/v1/splits"),
        ("splits:a", "/stocks/v1/splits"),
        ("dividends:", "/stocks/v1/dividends"),
        ("dividends:b", "/stocks/v1/dividends"),
    ]
    assert pages[1][2] == {"cursor": "a"}
    assert pages[2][2] == {"ticker": "AAPL", **dividends, "limit": "1000"}


def test_the_list_is_what_trades_and_then_what_does_no_more() -> None:
    """A single ticker is one page."""
    pages = walk(Ask(kind="listings", symbol=""), "https://api.massive.com/v3/reference/tickers?cursor=a", None, None)
    assert [(mark, params) for mark, _, params in pages] == [
        ("", {"market": "stocks", "active": "true", "limit": "1000"}),
        ("active:a", {"cursor": "a"}),
        ("delisted:", {"market": "stocks", "active": "false", "limit": "1000"}),
    ]
    assert len(walk(Ask(kind="listings", symbol="AAPL"), None)) == 1


@pytest.mark.parametrize(
    "url",
    [None, "", "https://api.massive.com/v3/trades/AAPL", "https://[x/?cursor=a", 5, "/?cursor=again",
     "/?cursor=" + "x" * 5000],
)  # fmt: skip
def test_the_last_page_has_none_after_it(url: object) -> None:
    """Nor has one whose next is no address, itself, or longer than any mark."""
    assert follow(page(url), Ask(kind="trades", symbol="AAPL", page="again")) is None


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"status":"ERROR"}', b"\xff", b""])
def test_nothing_follows_what_is_no_page(body: bytes) -> None:
    """Also where another list would be next."""
    refused = Answer(url="", status=200, content_type="", headers={}, body=body)
    assert follow(refused, Ask(kind="actions", symbol="AAPL")) is None


async def test_the_client_sends_the_request() -> None:
    """The answer comes back undecoded."""
    wire = Wire()
    provider = massive.provider(wire, base_url="", key="k")
    ask = Ask(kind="trades", symbol="AAPL", **SPAN)
    assert (await provider.client.fetch(ask)).body == page().body
    assert wire.asked == [request(ask, key="k")]


@pytest.mark.parametrize(
    ("ours", "spelled"),
    [("AAPL", "AAPL"), ("BRK.B", "BRK.B"), ("EUR/USD", "C:EURUSD"), ("BTC/USD", "X:BTCUSD"), ("^GSPC", "I:SPX"),
     ("^XAU", "I:XAU")],
)  # fmt: skip
def test_symbols_are_spelled_as_the_provider_does(ours: str, spelled: str) -> None:
    """A prefix names the asset class."""
    assert spell(ours) == spelled


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [("C:EURUSD", ("EUR", "USD")), ("X:ETHBTC", ("ETH", "BTC")), ("AAPL", None), ("I:SPX", None), ("X:ODD", None)],
)
def test_halves_of_a_pair(symbol: str, pair: tuple[str, str] | None) -> None:
    """What is no pair has none."""
    assert halves(symbol) == pair


def test_the_provider_is_whole() -> None:
    """What is declared can be decoded."""
    provider = massive.provider(Wire())
    assert set(provider.decode) == set(provider.declaration.kinds) <= set(DECODED)
    assert provider.declaration.key_variable == "MASSIVE_API_KEY"


def test_dots_alone_lead_nowhere() -> None:
    """A symbol cannot climb the path."""
    asked = request(Ask(kind="trades", symbol="..", **SPAN))
    assert asked.url == f"{ROOT}/v3/trades/"
