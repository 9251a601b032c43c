"""How FRED is asked: parameters by value, pages, and what happens with too many vintages."""

from __future__ import annotations

from datetime import date

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.providers import fred, vendor

VINTAGES = b'{"error_code":400,"error_message":"Bad Request.  The number of vintage dates exceeds 2000."}'


class Wire:
    """Answers in a row, and what was asked for."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.sent.append(request)
        status, body = self.answers.pop(0)
        return Answer(url=request.url, status=status, content_type="", headers={}, body=body)


def page(ask: Ask, body: bytes) -> Ask | None:
    answer = Answer(url="", status=200, content_type="", headers={}, body=body)
    return fred.provider(Wire()).follow(answer, ask)


async def test_observations_are_asked_with_every_vintage() -> None:
    """No value was known before its period began, so the vintages begin with the first period."""
    wire = Wire((200, b"{}"))
    ask = Ask(kind="observations", symbol="GDP", start=date(2020, 1, 1), end=date(2024, 3, 31))
    await fred.provider(wire, key="k").client.fetch(ask)
    assert wire.sent == [
        Request(
            url="https://api.stlouisfed.org/fred/series/observations",
            params={
                "series_id": "GDP",
                "file_type": "json",
                "limit": "100000",
                "offset": "0",
                "observation_start": "2020-01-01",
                "observation_end": "2024-03-31",
                "realtime_start": "2020-01-01",
                "realtime_end": "9999-12-31",
            },
            secrets={"api_key": "k"},
        )
    ]


async def test_levels_are_asked_as_they_stand_today() -> None:
    """Without a range everything is asked for; an address of one's own is used."""
    wire = Wire((200, b"{}"))
    ask = Ask(kind="index_levels", symbol="SP500", page="100000")
    await fred.provider(wire, base_url="http://localhost:1/fred/").client.fetch(ask)
    assert wire.sent[0].url == "http://localhost:1/fred/series/observations"
    assert wire.sent[0].params == {"series_id": "SP500", "file_type": "json", "limit": "100000", "offset": "100000"}


async def test_a_series_without_a_start_is_asked_since_ever() -> None:
    """1776-07-04 is FRED's first day."""
    wire = Wire((200, b"{}"))
    await fred.provider(wire).client.fetch(Ask(kind="observations", symbol="GDP"))
    assert wire.sent[0].params["realtime_start"] == "1776-07-04"


async def test_too_many_vintages_are_not_asked_again() -> None:
    """A refusal for the number of vintages is followed by the question for today's values, and only that one."""
    wire = Wire((400, VINTAGES), (200, b'{"count":0}'))
    answer = await fred.provider(wire).client.fetch(Ask(kind="observations", symbol="DGS10"))
    assert [sent.params.get("realtime_start") for sent in wire.sent] == ["1776-07-04", None]
    assert answer.body == b'{"count":0}'
    wire = Wire((400, b'{"error_message":"The series does not exist."}'))
    assert (await fred.provider(wire).client.fetch(Ask(kind="observations", symbol="X"))).status == 400


@pytest.mark.parametrize(
    ("body", "asked", "following"),
    [
        (b'{"count":250000,"offset":0,"limit":100000}', "", "100000"),
        (b'{"count":250000,"offset":100000,"limit":100000}', "100000", "200000"),
        (b'{"count":250000,"offset":200000,"limit":100000}', "200000", None),
        (b'{"count":100000,"offset":0,"limit":100000}', "", None),
        (b'{"count":250000,"offset":0,"limit":100000}', "100000", None),
        (b'{"count":250000,"offset":0,"limit":0}', "", None),
        (b'{"count":250000,"offset":0,"limit":-1}', "", None),
        (b'{"count":250000,"offset":0,"limit":5}', "none", "5"),
        (b"{}", "", None),
        (b'{"count":"many"}', "", None),
        (b"<observations/>", "", None),
    ],
)
def test_pages(body: bytes, asked: str, following: str | None) -> None:
    """The next offset is asked for until the count is reached; one that does not grow ends the pages."""
    ask = Ask(kind="observations", symbol="GDP", page=asked)
    expected = None if following is None else Ask(kind="observations", symbol="GDP", page=following)
    assert expected == page(ask, body)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("GDP", "GDP"),
        ("gdp", "GDP"),
        ("^GSPC", "SP500"),
        ("^VIX", "VIXCLS"),
        ("EUR/USD", "DEXUSEU"),
        ("USD/JPY", "DEXJPUS"),
        ("USD/CHF", "DEXSZUS"),
        ("USD/XYZ", "DEXXYZUS"),
    ],
)
def test_spelling(ours: str, theirs: str) -> None:
    """Indices and pairs have series of their own names."""
    assert fred.provider(Wire()).spell(ours) == theirs


def test_the_provider_is_whole() -> None:
    """What is offered can be decoded; an empty address means FRED's own."""
    provider = vendor("fred").provider(Wire(), base_url="")
    assert set(provider.decode) == set(provider.declaration.kinds)
    assert provider.declaration.key_variable == "FRED_API_KEY"
