"""Any sequence of lists of several sources: what holds of the master whatever they say."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from lengths import usually
from listed_market import FIRST, Market

SEEDS = usually(4, long=60)
LISTS = 7
ISINS = ("US0378331005", "US30303M1027", "US5949181045", "US0231351067")
CIKS = ("320193", "1326801", "789019")
MASTER = ("instruments", "listings", "identifiers", "instrument_details", "listing_details", "master_questions")
EVER, NEVER = date(1, 1, 1), date(9999, 12, 31)


def listing(chance: random.Random) -> dict[str, Any]:
    """A row that a careless source may tell."""
    begins = date(2010, 1, 4) + timedelta(days=chance.randrange(5000))
    is_over = chance.random() < 0.25
    told: dict[str, Any] = {
        "symbol": chance.choice(["A", "B", "C", "D", "BRK-B", "A.WS"]),
        "mic": chance.choice(["XNYS", "XNAS", "XNGS", None]),
        "name": chance.choice(["Acme Inc", "Bolt Corp", None]),
        "currency": chance.choice(["USD", "USD", "EUR", None]),
        "first_date": begins if chance.random() < 0.6 else None,
        "isin": chance.choice([*ISINS, None, None, "US0000000000"]),
        "cik": chance.choice([*CIKS, None, None]),
    }
    if is_over:
        ends = begins + timedelta(days=chance.randrange(-10, 2000))
        told |= {"status": "delisted", "last_date": min(ends, FIRST.date()) if chance.random() < 0.8 else None}
    return told


def lists(seed: int) -> list[tuple[str, list[dict[str, Any]]]]:
    chance = random.Random(seed)
    return [
        (chance.choice(["tiingo", "fmp", "sec"]), [listing(chance) for _ in range(chance.randrange(1, 7))])
        for _ in range(LISTS)
    ]


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_lists_settled_at_once_are_as_settled_one_by_one(seed: int) -> None:
    """Row for row, with versions and knowledge times: a platform that was down for a week ends with the same master."""
    one_by_one, together = Market(), Market()
    for day, (provider, rows) in enumerate(lists(seed)):
        await one_by_one.told(*rows, provider=provider, days=day)
        await together.said(*rows, provider=provider, days=day)
    await together.room.settle()

    for table in MASTER:
        assert one_by_one.store.rows[table].equals(together.store.rows[table]), table


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_no_ticker_is_ever_two_instruments_at_one_time(seed: int) -> None:
    """Nor has an instrument two ISINs or two CIKs at one time; what is told twice changes nothing; ids never go."""
    market = Market()
    ids: set[str] = set()
    for day, (provider, rows) in enumerate(lists(seed)):
        await market.told(*rows, provider=provider, days=day)
        listed = await market.store.read("listings")
        identified = (await market.store.read("identifiers")).filter(pl.col("scheme").is_in(["isin", "cik"]))
        assert [] == _together(listed, about=["symbol", "mic"], what="instrument_id")
        assert [] == _together(identified, about=["instrument_id", "scheme"], what="value")
        assert ids <= {*listed["instrument_id"]} == {*(await market.store.read("instruments"))["instrument_id"]}
        assert [] == listed.filter(pl.col("valid_from") >= pl.col("valid_to")).rows()
        ids = {*listed["instrument_id"]}
    before = {table: len(market.store.rows[table]) for table in ("listings", "instruments")}
    provider, rows = lists(seed)[-1]
    await market.told(*rows, provider=provider, days=LISTS)

    assert before["instruments"] == len(market.store.rows["instruments"])


def _together(rows: pl.DataFrame, *, about: list[str], what: str) -> list[tuple[Any, ...]]:
    """Return the pairs of rows about one thing that hold at one time and say different things."""
    spans = rows.select(*about, what, pl.col("valid_from").fill_null(EVER), pl.col("valid_to").fill_null(NEVER))
    pairs = spans.join(spans, on=about).filter(pl.col(what) < pl.col(f"{what}_right"))
    meets = (pl.col("valid_from") < pl.col("valid_to_right")) & (pl.col("valid_from_right") < pl.col("valid_to"))
    return pairs.filter(meets).rows()
