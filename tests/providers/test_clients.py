"""What each client asks, and that a provider is whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import ModuleType

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.schema import DECODED
from truetape.ports.provider import Provider
from truetape.providers import alpha_vantage, finnhub, iex_cloud, yahoo
from truetape.providers.iex_cloud.client import span

ASK = Ask(kind="bars", symbol="BRK-B", start=date(2024, 3, 8), end=date(2024, 3, 11))
Factory = Callable[..., Provider]
TODAY = date(2024, 3, 12)


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b"{}")


async def asked(make: Factory, ask: Ask, **options: object) -> Request:
    """The request that a provider sends for `ask`."""
    wire = Wire()
    answer = await make(wire, **options).client.fetch(ask)
    assert answer.body == b"{}"
    return wire.asked[0]


@pytest.mark.parametrize("ending", ["", "/"])
async def test_yahoo_asks_a_span_in_unix_seconds(ending: str) -> None:
    """From the first place on Earth where the first day begins, to the end of the last day in UTC."""
    request = await asked(yahoo.provider, ASK, base_url=f"http://localhost:1{ending}")
    assert request.url == "http://localhost:1/v8/finance/chart/BRK-B"
    assert request.params == {
        "period1": "1709805600",  # 2024-03-07 10:00 UTC is 2024-03-08 00:00 at UTC+14
        "period2": "1710201600",  # 2024-03-12 00:00 UTC, exclusive
        "interval": "1d",
        "events": "div,splits,capitalGains",
    }
    assert not request.secrets


async def test_yahoo_escapes_symbols_and_spells_intervals() -> None:
    """An index and an open span."""
    request = await asked(yahoo.provider, Ask(kind="bars", symbol="^GSPC/../x?y", timeframe="1w"))
    assert request.url == "https://query1.finance.yahoo.com/v8/finance/chart/%5EGSPC%2F..%2Fx%3Fy"
    assert request.params["interval"] == "1wk"
    assert request.params["period1"] == "-1577973600"  # 1919-12-31 10:00 UTC
    assert request.params["period2"] == "4102531200"  # 2100-01-02 00:00 UTC


@pytest.mark.parametrize(
    ("timeframe", "options", "function"),
    [
        ("1d", {}, "TIME_SERIES_DAILY_ADJUSTED"),
        ("1d", {"function": "TIME_SERIES_DAILY"}, "TIME_SERIES_DAILY"),
        ("1w", {"function": "TIME_SERIES_DAILY"}, "TIME_SERIES_WEEKLY_ADJUSTED"),
        ("1mo", {}, "TIME_SERIES_MONTHLY_ADJUSTED"),
    ],
)
async def test_alpha_vantage_asks_for_a_whole_series(timeframe: str, options: dict[str, str], function: str) -> None:
    """The key travels as a secret."""
    ask = Ask(kind="bars", symbol="BRK-B", timeframe=timeframe)
    request = await asked(alpha_vantage.provider, ask, key="k", **options)
    assert request.url == "https://www.alphavantage.co/query"
    assert request.params == {"function": function, "symbol": "BRK-B", "outputsize": "full", "datatype": "json"}
    assert request.secrets == {"apikey": "k"}


async def test_finnhub_asks_for_candles() -> None:
    """From the day before, since old stamps lie on the evening before; the token travels as a secret header."""
    request = await asked(finnhub.provider, ASK, key="k", base_url="http://localhost:1/api/v1/")
    assert request.url == "http://localhost:1/api/v1/stock/candle"
    assert request.params == {"symbol": "BRK-B", "resolution": "D", "from": "1709769600", "to": "1710201599"}
    assert request.secret_headers == {"X-Finnhub-Token": "k"}
    assert not request.secrets


async def test_finnhub_asks_for_a_quote() -> None:
    """A quote needs a symbol only; an open span of candles starts with 1970."""
    request = await asked(finnhub.provider, Ask(kind="quotes", symbol="AAPL"))
    assert (request.url, request.params) == ("https://finnhub.io/api/v1/quote", {"symbol": "AAPL"})
    request = await asked(finnhub.provider, Ask(kind="bars", symbol="AAPL", timeframe="1h"))
    assert request.params == {"symbol": "AAPL", "resolution": "60", "from": "0", "to": "4102531199"}


async def test_iex_cloud_asks_for_the_smallest_range() -> None:
    """The range is counted back from today; the token travels as a secret."""
    request = await asked(iex_cloud.provider, ASK, key="k", today=lambda: TODAY)
    assert request.url == "https://cloud.iexapis.com/v1/stock/BRK-B/chart/5d"
    assert request.params == {"sort": "asc"}
    assert request.secrets == {"token": "k"}
    request = await asked(iex_cloud.provider, Ask(kind="bars", symbol="A/B"), base_url="http://localhost:1")
    assert request.url == "http://localhost:1/v1/stock/A%2FB/chart/max"


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (date(2024, 3, 8), "5d"),
        (date(2024, 3, 7), "1m"),
        (date(2024, 2, 1), "3m"),
        (date(2023, 10, 1), "6m"),
        (date(2023, 6, 1), "1y"),
        (date(2023, 3, 12), "2y"),
        (date(2022, 1, 1), "5y"),
        (date(2019, 3, 1), "max"),
        (date(1980, 1, 1), "max"),
        (None, "max"),
    ],
)
def test_ranges(start: date | None, name: str) -> None:
    """The smallest range that surely reaches back to the start."""
    assert span(start, today=TODAY) == name


async def test_iex_cloud_knows_today() -> None:
    """Without a given date the present one is taken: last month's bars never need the whole history."""
    request = await asked(iex_cloud.provider, Ask(kind="bars", symbol="A", start=date(2100, 1, 1)))
    assert request.url.endswith("/chart/5d")


@pytest.mark.parametrize("vendor", [yahoo, alpha_vantage, finnhub, iex_cloud])
def test_a_provider_is_whole(vendor: ModuleType) -> None:
    """What is declared can be decoded, and an empty address means the provider's own."""
    provider = vendor.provider(Wire(), base_url="")
    asked = {offer.kind for offer in provider.declaration.offers if not offer.streamed}
    assert set(provider.decode) == asked <= set(DECODED)
    assert provider.declaration is vendor.DECLARATION
    assert provider.declaration.calls_per_second > 0
    assert provider.declaration.needs_key == bool(provider.declaration.key_variable)


def test_the_retired_provider_names_its_successors() -> None:
    """IEX Cloud says when it ended and what replaces it."""
    assert "2024-08-31" in iex_cloud.DECLARATION.retired
    assert "Tiingo" in iex_cloud.DECLARATION.retired


@pytest.mark.parametrize(
    ("vendor", "spelled"), [(yahoo, "BRK-B"), (alpha_vantage, "BRK-B"), (finnhub, "BRK.B"), (iex_cloud, "BRK.B")]
)
def test_share_classes_are_spelled_as_the_provider_does(vendor: ModuleType, spelled: str) -> None:
    """Our symbols have a dot before the share class."""
    assert vendor.provider(Wire()).spell("BRK.B") == spelled
    assert vendor.provider(Wire()).spell("AAPL") == "AAPL"
