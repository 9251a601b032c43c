"""The bank's desk: one rate from the data portal, all of them from files, and what it refuses."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from truetape.app.conformance.market import CURRENCY, LAST, market, truth
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.ecb import DESK, cubes, fixings, wide
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.domain.asks import Answer, Ask
from truetape.domain.failures import FailureClass
from truetape.providers import ecb

START = date(2024, 3, 11)


async def answered(ask: Ask) -> Answer:
    provider = ecb.provider(InMemoryHttp(market()), base_url=f"{ROOT}/ecb", today=lambda: LAST)
    return await provider.client.fetch(ask)


async def rates(symbol: str, start: date | None) -> list[tuple[date, float]]:
    """Days and rates of the euro in dollars, as the provider reads the desk's answer."""
    ask = Ask(kind="fx_rates", symbol=symbol, start=start)
    provider = ecb.provider(InMemoryHttp(market()))
    answer = await answered(ask)
    assert provider.classify(answer) is None
    frame = provider.decode["fx_rates"](answer.body, ask)
    assert frame.select("base", "quote").unique().rows() == [("EUR", "USD")]
    return list(zip(frame["ts_event"].dt.date(), frame["rate"], strict=True))


def closes(start: date) -> list[tuple[date, float]]:
    bars = truth(CURRENCY).between(start, LAST).raw
    return list(zip(bars["ts_event"].dt.date(), bars["close"], strict=True))


@pytest.mark.parametrize(
    ("symbol", "start", "first"),
    [
        ("EUR/USD", START, START),  # the data portal
        ("EUR/USD", None, date(2023, 9, 1)),
        ("", LAST, LAST),  # the file of one day
        ("", START, LAST - timedelta(days=90)),  # the file of 90 days
        ("", None, date(2023, 9, 1)),  # the zipped file of all days
    ],
)
async def test_rates_are_the_closes(symbol: str, start: date | None, first: date) -> None:
    """Whichever way they are asked, to the last decimal."""
    assert await rates(symbol, start) == closes(first)


async def test_a_rate_is_a_series_too() -> None:
    """The data portal's table of the pair, as observations."""
    ask = Ask(kind="observations", symbol="EUR/USD", start=START, end=START)
    frame = ecb.provider(InMemoryHttp(market())).decode["observations"]((await answered(ask)).body, ask)
    assert frame.select("symbol", "period", "value").rows() == [("EXR/D.USD.EUR.SP00.A", START, closes(START)[0][1])]


@pytest.mark.parametrize(
    ("ask", "failure_class"),
    [
        (Ask(kind="fx_rates", symbol="EUR/XXX"), FailureClass.EMPTY),
        (Ask(kind="observations", symbol="EST/B.EU000A2X2A25.WT"), FailureClass.EMPTY),
        (Ask(kind="fx_rates", symbol="EUR/USD", start=date(2001, 1, 1), end=date(2001, 2, 1)), FailureClass.EMPTY),
    ],
)
async def test_what_is_not_there_is_not_found(ask: Ask, failure_class: FailureClass) -> None:
    """No results, with status 404."""
    answer = await answered(ask)
    failure = ecb.provider(InMemoryHttp(market())).classify(answer)
    assert answer.status == 404
    assert failure is not None
    assert failure.failure_class is failure_class


@pytest.mark.parametrize(
    ("parts", "params", "status"),
    [
        ({"symbol": "USD"}, {}, 400),
        ({"symbol": "USD"}, {"format": "csvdata", "startPeriod": "soon"}, 400),
        ({"symbol": "USD"}, {"format": "csvdata", "endPeriod": "2024-02-30"}, 400),
        ({"file": "eurofxref.pdf"}, {}, 404),
    ],
)
def test_wrong_questions_are_refused(parts: dict[str, str], params: dict[str, str], status: int) -> None:
    """Other formats, dates that are none, and files that there are not."""
    reply = DESK.refusal(Query(symbol="", today=LAST, parts=parts, params=params))
    assert reply is not None
    assert reply.status == status


def test_a_day_without_a_close_has_no_rate() -> None:
    """And one that is there is told, however many currencies there are."""
    bars = truth(CURRENCY).between(LAST, LAST).raw
    assert fixings("EUR/USD", bars.with_columns(pl.lit(None, pl.Float64).alias("close"))) == []
    found = [(LAST, "USD", 1.5), (LAST, "JPY", 160.0), (START, "USD", 1.25)]
    decode = ecb.provider(InMemoryHttp(market())).decode["fx_rates"]
    ask = Ask(kind="fx_rates", symbol="")
    assert decode(wide(found), ask).equals(decode(cubes(found), ask))
    assert wide(found).splitlines()[-1] == b"2024-03-11,N/A,1.25,"
