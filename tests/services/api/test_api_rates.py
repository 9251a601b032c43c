"""The rates of a pair on the days of a fixing, with how they were decided."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from pipeline_doubles import BothTimes
from room_doubles import Unchanged, rows
from truetape.domain.errors import BadInput
from truetape.services.api.rates import RATE, rates, rates_query
from truetape.services.api.reading import Reading

FRIDAY, MONDAY = date(2024, 3, 8), date(2024, 3, 11)
KNOWN = datetime(2024, 3, 12, tzinfo=UTC)


def rate(pair: str, day: date, value: float, agreed: str) -> pl.DataFrame:
    about = {"base": pair[:3], "quote": pair[4:], "fixing": "close", "rate": value, "provider": agreed[:1]}
    return rows("fx_rates", **about, ts_event=[day], agreed=agreed, method="consensus", score=1.0, ts_known=KNOWN)


@pytest.fixture
def reading() -> Reading:
    told = [
        rate("EUR/USD", FRIDAY, 1.10, "a,b"),
        rate("EUR/USD", MONDAY, 1.08, "a"),
        rate("EUR/GBP", MONDAY, 0.85, "b"),
    ]
    changes = Unchanged()
    return Reading(
        BothTimes(fx_rates=pl.concat(told)), changes=changes, version=0, as_of=None, told=1_710_288_000 * 10**9
    )


async def answered(reading: Reading, **given: str) -> pl.DataFrame:
    return (await rates(reading, rates_query(given))).frame


async def test_a_pair_as_quoted_tells_who_agreed(reading: Reading) -> None:
    """And so does the pair the other way round."""
    found = await answered(reading, pair="EUR/USD")
    assert list(RATE) == found.columns
    assert [(FRIDAY, 1.10, "close", "EUR/USD", "a,b"), (MONDAY, 1.08, "close", "EUR/USD", "a")] == found.select(
        "date", "rate", "fixing", "path", "agreed"
    ).rows()
    turned = await answered(reading, pair="USD/EUR", start="2024-03-11", end="2024-03-11")
    assert [("1/(EUR/USD)", pytest.approx(1 / 1.08), "a")] == turned.select("path", "rate", "agreed").rows()


async def test_a_pair_of_two_others_tells_its_older_half(reading: Reading) -> None:
    """Pence for a dollar on Monday: 0.85 / 1.08 * 100; on Friday there was no rate of the pound yet."""
    found = await answered(reading, pair="USD/GBp", fixing="close")
    assert [(MONDAY, pytest.approx(85 / 1.08), MONDAY, None)] == found.select("date", "rate", "fixed", "agreed").rows()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pair": "EURUSD"}, "Write two currencies"),
        ({"pair": "EUR/XXX"}, "Write two currencies"),
        ({"pair": "EUR/CHF"}, "No rate between EUR and CHF is known"),
        ({"pair": "EUR/USD", "fixing": "ecb"}, "is known by the fixing ecb"),
        ({"pair": "EUR/USD", "start": "2024-03-11", "end": "2024-03-08"}, "swap them"),
    ],
)
async def test_what_cannot_be_answered(reading: Reading, given: dict[str, str], words: str) -> None:
    """The pair and the way to get it are told."""
    with pytest.raises(BadInput, match=words):
        await answered(reading, **given)


async def test_later_knowledge_is_not_seen(reading: Reading) -> None:
    """As of a day before anything was known there is no rate."""
    query = rates_query({"pair": "EUR/USD", "as_of": "2024-03-12"})
    assert query.as_of == 1_710_201_600 * 10**9
