"""What Twelve Data is asked, page by page, and what its declaration says."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import msgspec
import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.plans import Plans
from truetape.domain.schema import DECODED
from truetape.providers import twelve_data
from truetape.providers.twelve_data.client import ROWS, request
from truetape.providers.twelve_data.paging import follow
from truetape.providers.twelve_data.symbols import spell

FIRST, LAST = date(2024, 3, 8), date(2024, 3, 11)
SERIES = {"symbol": "ACME", "interval": "1day", "outputsize": "5000", "adjust": "none"}
DATES = {"start_date": "2024-03-08", "end_date": "2024-03-11"}


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b"{}")


async def test_the_key_is_a_secret() -> None:
    """It travels in a header that is never shown."""
    wire = Wire()
    provider = twelve_data.provider(wire, base_url="http://localhost:1/", key="k")
    await provider.client.fetch(Ask(kind="quotes", symbol="ACME"))
    expected = Request(
        url="http://localhost:1/quote", params={"symbol": "ACME"}, secret_headers={"Authorization": "apikey k"}
    )
    assert [expected] == wire.asked


@pytest.mark.parametrize(
    ("ask", "path", "params"),
    [
        (
            Ask(kind="bars", symbol="ACME", start=FIRST, end=LAST),
            "time_series",
            SERIES | {"start_date": "2024-03-08 00:00:00", "end_date": "2024-03-11 23:59:59"},
        ),
        (Ask(kind="bars", symbol="ACME", timeframe="5m"), "time_series", SERIES | {"interval": "5min"}),
        (
            Ask(kind="bars", symbol="ACME", page="2004-05-03"),
            "time_series",
            SERIES | {"end_date": "2004-05-02 23:59:59"},
        ),
        (
            Ask(kind="bars", symbol="ACME", timeframe="1m", page="2024-03-08 09:30:00", start=FIRST, end=LAST),
            "time_series",
            SERIES | {"interval": "1min", "start_date": "2024-03-08 00:00:00", "end_date": "2024-03-08 09:29:59"},
        ),
        (Ask(kind="index_levels", symbol="SPX"), "time_series", SERIES | {"symbol": "SPX"}),
        (Ask(kind="fx_rates", symbol="EUR/USD"), "exchange_rate", {"symbol": "EUR/USD"}),
        (
            Ask(kind="fx_rates", symbol="EUR/USD", start=date(2024, 3, 8)),
            "time_series",
            SERIES | {"symbol": "EUR/USD", "dp": "11", "start_date": "2024-03-08 00:00:00"},
        ),
        (Ask(kind="quotes", symbol="ACME,BRK.B"), "quote", {"symbol": "ACME,BRK.B"}),
        (Ask(kind="actions", symbol="ACME", start=FIRST, end=LAST), "splits", {"symbol": "ACME"} | DATES),
        (
            Ask(kind="actions", symbol="ACME", page="dividends"),
            "dividends",
            {"symbol": "ACME", "range": "full", "adjust": "false"},
        ),
        (Ask(kind="actions", symbol="", start=FIRST, end=LAST), "splits_calendar", DATES),
        (Ask(kind="listings", symbol=""), "stocks", {}),
        (Ask(kind="listings", symbol="ACME", page="etfs"), "etfs", {"symbol": "ACME"}),
    ],
)
def test_requests(ask: Ask, path: str, params: dict[str, str]) -> None:
    """As traded, both dates inclusive, in the exchange's own time."""
    asked = request(ask)
    assert (f"https://api.twelvedata.com/{path}", params) == (asked.url, asked.params)
    assert not asked.secret_headers


def page(newest: str, oldest: str, rows: int = ROWS) -> Answer:
    middle = [newest] + ["2010-01-04"] * (rows - 2) + [oldest]
    body = b'{"values":[' + b",".join(b'{"datetime": "%b"}' % stamp.encode() for stamp in middle) + b"]}"
    return Answer(url="", status=200, content_type="", headers={}, body=body)


@pytest.mark.parametrize(
    ("ask", "answer", "following"),
    [
        (Ask(kind="bars", symbol="A"), page("2024-03-08", "2004-05-03"), "2004-05-03"),
        (Ask(kind="bars", symbol="A"), page("2004-05-03", "2024-03-08"), "2004-05-03"),
        (Ask(kind="bars", symbol="A"), page("2024-03-08", "2004-05-03", ROWS - 1), None),
        (Ask(kind="bars", symbol="A", page="2004-05-03"), page("2004-05-03", "2004-05-03"), None),
        (Ask(kind="bars", symbol="A", page="2004-05-03"), page("2004-04-30", "1984-06-01"), "1984-06-01"),
        (Ask(kind="bars", symbol="A", start=date(2004, 5, 3)), page("2024-03-08", "2004-05-03"), None),
        (
            Ask(kind="bars", symbol="A", timeframe="1m", start=date(2004, 5, 3)),
            page("2024-03-08 15:59:00", "2004-05-03 12:00:00"),
            "2004-05-03 12:00:00",
        ),
        (Ask(kind="index_levels", symbol="A"), page("2024-03-08", "2004-05-03"), "2004-05-03"),
        (Ask(kind="fx_rates", symbol="A"), page("2024-03-08", "2004-05-03", 2), None),
        (Ask(kind="actions", symbol="A"), page("", "", 2), "dividends"),
        (Ask(kind="actions", symbol="A", page="dividends"), page("", "", 2), None),
        (Ask(kind="listings", symbol=""), page("", "", 2), "etfs"),
        (Ask(kind="listings", symbol="", page="forex_pairs"), page("", "", 2), "cryptocurrencies"),
        (Ask(kind="listings", symbol="", page="cryptocurrencies"), page("", "", 2), None),
        (Ask(kind="listings", symbol="", page="?"), page("", "", 2), None),
        (Ask(kind="quotes", symbol="A"), page("", "", 2), None),
        (Ask(kind="actions", symbol="A"), Answer(url="", status=500, content_type="", headers={}, body=b"<"), None),
    ],
)
def test_what_follows(ask: Ask, answer: Answer, following: str | None) -> None:
    """Older bars while pages are full and get older, the next list, dividends after splits."""
    expected = msgspec.structs.replace(ask, page=following) if following else None
    assert expected == follow(answer, ask)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("AAPL", "AAPL"), ("BRK.B", "BRK.B"), ("EUR/USD", "EUR/USD"), ("^GSPC", "SPX"), ("^DJI", "DJI")],
)
def test_spelling(ours: str, theirs: str) -> None:
    """As we spell, but for the caret of an index."""
    assert theirs == spell(ours)


def test_the_declaration_is_whole() -> None:
    """What is declared can be decoded, and the plans can be read."""
    provider = twelve_data.provider(Wire(), base_url="")
    assert set(provider.declaration.kinds) == set(provider.decode) <= set(DECODED)
    text = (Path(twelve_data.__file__).parent / "plans.toml").read_text()
    plans = msgspec.convert(tomllib.loads(text), Plans)
    assert [(8.0, "minute"), (800.0, "day")] == [(one.limit, one.period) for one in plans.plans["basic"].windows]
    assert plans.default in plans.plans
