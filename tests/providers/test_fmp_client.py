"""What Financial Modeling Prep is asked, page by page, and what its declaration says."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import msgspec
import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.plans import Plans
from truetape.domain.schema import DECODED
from truetape.providers import fmp
from truetape.providers.fmp.client import request
from truetape.providers.fmp.paging import follow
from truetape.providers.fmp.symbols import spell

FIRST, LAST = date(2024, 3, 8), date(2024, 3, 11)
SPAN = {"from": "2024-03-08", "to": "2024-03-11"}


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b"[]")


async def test_the_key_is_a_secret() -> None:
    """It travels in a header that is never shown."""
    wire = Wire()
    provider = fmp.provider(wire, base_url="http://localhost:1/stable/", key="k")
    await provider.client.fetch(Ask(kind="quotes", symbol="ACME"))
    expected = Request(url="http://localhost:1/stable/quote", params={"symbol": "ACME"}, secret_headers={"apikey": "k"})
    assert [expected] == wire.asked


@pytest.mark.parametrize(
    ("ask", "path", "params"),
    [
        (
            Ask(kind="bars", symbol="ACME", start=FIRST, end=LAST),
            "historical-price-eod/full",
            {"symbol": "ACME"} | SPAN,
        ),
        (Ask(kind="index_levels", symbol="^GSPC"), "historical-price-eod/full", {"symbol": "^GSPC"}),
        (
            Ask(kind="bars", symbol="ACME", timeframe="1h", start=FIRST, end=LAST),
            "historical-chart/1hour",
            {"symbol": "ACME", "nonadjusted": "true"} | SPAN,
        ),
        (Ask(kind="fx_rates", symbol="EURUSD"), "quote", {"symbol": "EURUSD"}),
        (
            Ask(kind="fx_rates", symbol="EURUSD", start=FIRST),
            "historical-price-eod/full",
            {"symbol": "EURUSD", "from": "2024-03-08"},
        ),
        (Ask(kind="quotes", symbol="ACME,BRK-B"), "batch-quote", {"symbols": "ACME,BRK-B"}),
        (Ask(kind="actions", symbol="ACME", start=FIRST), "dividends", {"symbol": "ACME", "limit": "1000"}),
        (Ask(kind="actions", symbol="ACME", page="splits"), "splits", {"symbol": "ACME", "limit": "1000"}),
        (Ask(kind="actions", symbol="", start=FIRST, end=LAST), "dividends-calendar", SPAN),
        (Ask(kind="actions", symbol="", page="splits", start=FIRST, end=LAST), "splits-calendar", SPAN),
        (Ask(kind="actions", symbol="", page="symbol-change", start=FIRST), "symbol-change", {}),
        (Ask(kind="listings", symbol=""), "stock-list", {}),
        (
            Ask(kind="listings", symbol="", page="delisted-companies/3"),
            "delisted-companies",
            {"page": "3", "limit": "100"},
        ),
        (Ask(kind="listings", symbol="ACME"), "profile", {"symbol": "ACME"}),
    ],
)
def test_requests(ask: Ask, path: str, params: dict[str, str]) -> None:
    """Split-adjusted days, minutes as traded."""
    asked = request(ask)
    assert (f"https://financialmodelingprep.com/stable/{path}", params) == (asked.url, asked.params)


@pytest.mark.parametrize(
    ("ask", "body", "following"),
    [
        (Ask(kind="bars", symbol="A"), b"[1]", ""),
        (Ask(kind="actions", symbol="A"), b"[]", "splits"),
        (Ask(kind="actions", symbol="A"), b"{}", ""),
        (Ask(kind="actions", symbol="A", page="splits"), b"[]", ""),
        (Ask(kind="actions", symbol="", page="splits"), b"[]", "symbol-change"),
        (Ask(kind="actions", symbol="", page="symbol-change"), b"[]", ""),
        (Ask(kind="listings", symbol="A"), b"[1]", ""),
        (Ask(kind="listings", symbol=""), b"[1]", "index-list"),
        (Ask(kind="listings", symbol="", page="cryptocurrency-list"), b"[1]", "delisted-companies/0"),
        (Ask(kind="listings", symbol="", page="delisted-companies/0"), b"[1]", "delisted-companies/1"),
        (Ask(kind="listings", symbol="", page="delisted-companies/7"), b" [] ", ""),
        (Ask(kind="listings", symbol="", page="delisted-companies/1000"), b"[1]", ""),
        (Ask(kind="listings", symbol="", page="delisted-companies/x"), b"[1]", ""),
        (Ask(kind="listings", symbol="", page="?"), b"[1]", ""),
    ],
)
def test_what_follows(ask: Ask, body: bytes, following: str) -> None:
    """Splits after dividends, one list after the other, and the companies that are gone until there are no more."""
    answer = Answer(url="", status=200, content_type="", headers={}, body=body)
    expected = msgspec.structs.replace(ask, page=following) if following else None
    assert expected == follow(answer, ask)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("AAPL", "AAPL"),
        ("BRK.B", "BRK-B"),
        ("EUR/USD", "EURUSD"),
        ("BTC/USD", "BTCUSD"),
        ("^GSPC", "^GSPC"),
        ("0700.HK", "0700.HK"),
    ],
)
def test_spelling(ours: str, theirs: str) -> None:
    """A share class after a dash, a pair without its slash."""
    assert theirs == spell(ours)


def test_the_declaration_is_whole() -> None:
    """What is declared can be decoded, and the plans can be read."""
    provider = fmp.provider(Wire(), base_url="")
    assert set(provider.declaration.kinds) == set(provider.decode) <= set(DECODED)
    assert set(provider.declaration.timeframes) == set(fmp.SPANS)
    text = (Path(fmp.__file__).parent / "plans.toml").read_text()
    plans = msgspec.convert(tomllib.loads(text), Plans)
    assert [29.0, 69.0, 139.0] == [plans.plans[name].price_per_month for name in ("starter", "premium", "ultimate")]
    assert plans.default in plans.plans
