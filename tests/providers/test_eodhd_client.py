"""What EODHD is asked, page by page, and what its declaration says."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import msgspec
import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.plans import Plans
from truetape.domain.schema import DECODED
from truetape.providers import eodhd
from truetape.providers.eodhd.client import request
from truetape.providers.eodhd.paging import follow
from truetape.providers.eodhd.symbols import spell

FIRST, LAST = date(2024, 3, 8), date(2024, 3, 11)
SPAN = {"from": "2024-03-08", "to": "2024-03-11"}
DAYS = {"period": "d", "order": "a"}


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b"[]")


async def test_the_key_is_a_secret() -> None:
    """It is added to the query and never shown."""
    wire = Wire()
    provider = eodhd.provider(wire, base_url="http://localhost:1/api/", key="k")
    await provider.client.fetch(Ask(kind="quotes", symbol="ACME.US"))
    expected = Request(
        url="http://localhost:1/api/real-time/ACME.US", params={"fmt": "json"}, secrets={"api_token": "k"}
    )
    assert [expected] == wire.asked


@pytest.mark.parametrize(
    ("ask", "path", "params"),
    [
        (Ask(kind="bars", symbol="ACME.US", start=FIRST, end=LAST), "eod/ACME.US", DAYS | SPAN),
        (Ask(kind="bars", symbol="A/../B.US"), "eod/A%2F..%2FB.US", DAYS),
        (Ask(kind="bars", symbol=".."), "eod/", DAYS),
        (Ask(kind="index_levels", symbol="GSPC.INDX"), "eod/GSPC.INDX", DAYS),
        (
            Ask(kind="bars", symbol="ACME.US", timeframe="1m", start=FIRST, end=LAST),
            "intraday/ACME.US",
            # 2024-03-08 00:00 in New York is 05:00 UTC, 2024-03-12 00:00 after its clocks went forward 04:00 UTC
            {"interval": "1m", "from": "1709874000", "to": "1710215999"},
        ),
        (
            Ask(kind="bars", symbol="BTC-USD.CC", timeframe="5m", start=FIRST, end=FIRST),
            "intraday/BTC-USD.CC",
            {"interval": "5m", "from": "1709856000", "to": "1709942399"},
        ),
        (
            Ask(kind="bars", symbol="0700.HK", timeframe="1h", start=FIRST, end=FIRST),
            "intraday/0700.HK",
            {"interval": "1h", "from": "1709812800", "to": "1709985599"},  # half a day wider at each end
        ),
        (
            Ask(kind="bars", symbol="EURUSD.FOREX", timeframe="1h"),
            "intraday/EURUSD.FOREX",
            {"interval": "1h", "from": "315532800", "to": "4102531199"},
        ),
        (Ask(kind="fx_rates", symbol="EURUSD.FOREX"), "real-time/EURUSD.FOREX", {}),
        (
            Ask(kind="fx_rates", symbol="EURUSD.FOREX", start=FIRST),
            "eod/EURUSD.FOREX",
            DAYS | {"from": "2024-03-08"},
        ),
        (Ask(kind="quotes", symbol="ACME.US,VOD.LSE,A.US"), "real-time/ACME.US", {"s": "VOD.LSE,A.US"}),
        (Ask(kind="actions", symbol="ACME.US", start=FIRST, end=LAST), "div/ACME.US", SPAN),
        (Ask(kind="actions", symbol="ACME.US", page="splits"), "splits/ACME.US", {}),
        (Ask(kind="listings", symbol=""), "exchange-symbol-list/US", {}),
        (Ask(kind="listings", symbol="", page="US/delisted"), "exchange-symbol-list/US", {"delisted": "1"}),
    ],
)
def test_requests(ask: Ask, path: str, params: dict[str, str]) -> None:
    """Always JSON; minutes of whole days of the exchange."""
    asked = request(ask)
    assert (f"https://eodhd.com/api/{path}", params | {"fmt": "json"}) == (asked.url, asked.params)


@pytest.mark.parametrize(
    ("kind", "page", "body", "following"),
    [
        ("bars", "", b"[1]", ""),
        ("actions", "", b"[]", "splits"),
        ("actions", "", b"{}", ""),
        ("actions", "splits", b"[]", ""),
        ("listings", "", b" [1]", "US/delisted"),
        ("listings", "US/delisted", b"[1]", "INDX"),
        ("listings", "FOREX", b"[]", "CC"),
        ("listings", "CC", b"[1]", ""),
    ],
)
def test_what_follows(kind: str, page: str, body: bytes, following: str) -> None:
    """Splits after dividends, one exchange after the other; nothing after what is no list."""
    ask = Ask(kind=kind, symbol="", page=page)
    answer = Answer(url="", status=200, content_type="", headers={}, body=body)
    expected = msgspec.structs.replace(ask, page=following) if following else None
    assert expected == follow(answer, ask)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("AAPL", "AAPL.US"),
        ("BRK.B", "BRK-B.US"),
        ("EUR/USD", "EURUSD.FOREX"),
        ("BTC/USD", "BTC-USD.CC"),
        ("^GSPC", "GSPC.INDX"),
        ("0700.HK", "0700.HK"),
        ("VOD.LSE", "VOD.LSE"),
    ],
)
def test_spelling(ours: str, theirs: str) -> None:
    """Every symbol ends with an exchange."""
    assert theirs == spell(ours)


def test_the_declaration_is_whole() -> None:
    """What is declared can be decoded, and the plans can be read."""
    provider = eodhd.provider(Wire(), base_url="")
    assert set(provider.declaration.kinds) == set(provider.decode) <= set(DECODED)
    text = (Path(eodhd.__file__).parent / "plans.toml").read_text()
    plans = msgspec.convert(tomllib.loads(text), Plans)
    days = {name: [one.limit for one in plan.windows if one.period == "day"] for name, plan in plans.plans.items()}
    assert ([20.0], [100_000.0]) == (days["free"], days["all_in_one"])
    assert plans.default in plans.plans
