"""How the bank is asked: two hosts, and the smallest file that reaches back far enough."""

from __future__ import annotations

from datetime import date

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.providers import ecb, vendor

TODAY = date(2024, 3, 11)


class Wire:
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.sent.append(request)
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b"")


async def asked(ask: Ask, base_url: str = "") -> Request:
    wire = Wire()
    await ecb.provider(wire, base_url=base_url, today=lambda: TODAY).client.fetch(ask)
    return wire.sent[0]


async def test_a_pair_is_asked_from_the_portal() -> None:
    """The currency comes before the euro in a key."""
    ask = Ask(kind="fx_rates", symbol="EUR/USD", start=date(2024, 1, 2), end=date(2024, 3, 8))
    assert await asked(ask) == Request(
        url="https://data-api.ecb.europa.eu/service/data/EXR/D.USD.EUR.SP00.A",
        params={"format": "csvdata", "startPeriod": "2024-01-02", "endPeriod": "2024-03-08"},
    )


async def test_a_series_is_asked_by_flow_and_key() -> None:
    """An address of one's own stands for both hosts, and no symbol leads to another path."""
    request = await asked(Ask(kind="observations", symbol="EST/B.EU000A2X2A25.WT"), "http://localhost:1/ecb/")
    assert request == Request(
        url="http://localhost:1/ecb/service/data/EST/B.EU000A2X2A25.WT", params={"format": "csvdata"}
    )
    assert (await asked(Ask(kind="observations", symbol="../A/../B?c"))).url.endswith("/service/data//A%2F..%2FB%3Fc")
    assert (await asked(Ask(kind="fx_rates", symbol="EUR/../x"))).url.endswith("/EXR/D...%2Fx.EUR.SP00.A")


@pytest.mark.parametrize(
    ("start", "file"),
    [
        (None, "eurofxref-hist.zip"),
        (date(2023, 12, 16), "eurofxref-hist.zip"),
        (date(2023, 12, 17), "eurofxref-hist-90d.xml"),
        (date(2024, 3, 10), "eurofxref-hist-90d.xml"),
        (TODAY, "eurofxref-daily.xml"),
    ],
)
async def test_all_currencies_are_asked_from_files(start: date | None, file: str) -> None:
    """Without a symbol the smallest file that reaches back to the start is taken."""
    request = await asked(Ask(kind="fx_rates", symbol="", start=start))
    assert request == Request(url=f"https://www.ecb.europa.eu/stats/eurofxref/{file}")
    assert (await asked(Ask(kind="fx_rates", symbol=""), "http://localhost:1")).url.startswith(
        "http://localhost:1/stats"
    )


async def test_the_provider_is_whole() -> None:
    """What is offered can be decoded, no key is needed, and today is known without being told."""
    wire = Wire()
    provider = vendor("ecb").provider(wire)
    await provider.client.fetch(Ask(kind="fx_rates", symbol="", start=date(2199, 1, 1)))
    assert wire.sent[0].url.endswith("eurofxref-daily.xml")
    assert set(provider.decode) == set(provider.declaration.kinds)
    assert not provider.declaration.needs_key
    assert provider.spell("eur/usd") == "EUR/USD"
