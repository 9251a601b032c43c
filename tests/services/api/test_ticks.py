"""Trades and quotes over the API and from the library: to the nanosecond, in the order of time, in pages."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import truetape as tt
from room_doubles import rows
from small_market import APPLE, META, NOW_NS, asking, filled_folder
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.set_clock import SetClock
from truetape.domain.errors import BadInput
from truetape.services.api.query import TicksQuery
from truetape.services.api.reading import reading_now
from truetape.services.api.shelf import Shelf
from truetape.services.api.ticks import ticks

OPEN_NS = 1_718_026_200_000_000_000  # 2024-06-10T13:30:00Z
DAY_NS = 86_400_000_000_000
EARLY, LATE = datetime(2024, 1, 10, tzinfo=UTC), datetime(2024, 1, 12, tzinfo=UTC)


def trades() -> pl.DataFrame:
    """Five trades of Apple on two days, two of them a nanosecond apart, and a cancel that became known later."""
    after = [0, 1, 2, DAY_NS, DAY_NS + 5, DAY_NS]
    return rows(
        "trades",
        instrument_id=[APPLE] * 6 + [META],
        ts_event=[OPEN_NS + one for one in after] + [OPEN_NS],
        provider=["alpaca", "alpaca", "tiingo", "alpaca", "alpaca", "alpaca", "alpaca"],
        price=[100.0, 101.0, 102.0, 103.0, 104.0, 103.0, 500.0],
        size=10.0,
        trade_id=["1", "2", "x", "3", "4", "3", "1"],
        venue="V",
        correction=["", "", "", "", "", "cancel", ""],
        currency="USD",
        place=[0, 1, 0, 2, 3, 4, 0],
        payload="p" * 64,
        ts_known=[EARLY, EARLY, EARLY, EARLY, EARLY, LATE, EARLY],
        simulated=True,
    )


def quotes() -> pl.DataFrame:
    """Two quotes of Apple, of which the earlier stands in the payload that comes last."""
    return rows(
        "quotes",
        instrument_id=APPLE,
        ts_event=[OPEN_NS + 7, OPEN_NS],
        provider="alpaca",
        bid=[101.0, 100.0],
        ask=[101.5, 100.5],
        currency="USD",
        payload=["a" * 64, "b" * 64],
        ts_known=EARLY,
        simulated=True,
    )


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tt.Session]:
    path = asyncio.run(filled_folder(tmp_path_factory.mktemp("ticks") / "data"))
    asyncio.run(_add(path))
    with tt.open(path) as opened:
        yield opened


async def _add(path: Path) -> None:
    folder = DataFolder.open(path, simulated=True)
    store = DuckdbStore(folder.store)
    await store.commit({"trades": trades(), "quotes": quotes()})
    await store.close()
    folder.close()


def since_open(frame: pl.DataFrame) -> list[int]:
    return [one - OPEN_NS for one in frame["ts_event"].to_physical()]


def test_trades_to_the_nanosecond(session: tt.Session) -> None:
    """The start counts, the end does not; the bounds may tell nanoseconds."""
    found = session.trades("AAPL", start="2024-06-10T13:30:00.000000001Z", end="2024-06-10T13:30:00.000000002Z")

    assert [1] == since_open(found)
    assert ("AAPL", 101.0, "2", "alpaca") == found.select("symbol", "price", "trade_id", "provider").row(0)


def test_an_end_that_is_a_date_includes_its_day(session: tt.Session) -> None:
    """Corrections are rows of their own, as they became known; before they did they are not there."""
    day = date(2024, 6, 11)

    now = session.trades("AAPL", start=day, end=day)
    before = session.trades("AAPL", start=day, end=day, as_of="2024-01-11")

    assert [(DAY_NS, ""), (DAY_NS, "cancel"), (DAY_NS + 5, "")] == list(
        zip(since_open(now), now["correction"], strict=True)
    )
    assert ["", ""] == before["correction"].to_list()


def test_quotes_in_the_order_of_time(session: tt.Session) -> None:
    """Whatever payload they came in."""
    found = session.quotes("AAPL", start=datetime(2024, 6, 10, 13, tzinfo=UTC), end="2024-06-10")

    assert ([0, 7], [100.0, 101.0]) == (since_open(found), found["bid"].to_list())


def test_of_one_provider(session: tt.Session) -> None:
    """Nobody else's are among them."""
    assert [2] == since_open(session.trades("AAPL", start="2024-06-10", end="2024-06-11", provider="tiingo"))
    assert session.trades("AAPL", start="2024-06-10", end="2024-06-11", provider="nobody").is_empty()


def test_pages_together_are_the_whole(tmp_path: Path) -> None:
    """A page may end within a day, or within an instant; nothing is lost or told twice."""

    async def paged() -> None:
        store = DuckdbStore(tmp_path / "store.duckdb")
        listed = rows("listings", instrument_id=[APPLE, META], symbol=["AAPL", "META"], mic="XNAS", ts_known=EARLY)
        await store.commit({"listings": listed, "trades": trades(), "quotes": quotes()})
        reading, shelf = reading_now(store, SetClock(NOW_NS * 2)), Shelf()
        for table, limit in product(("trades", "quotes"), (1, 2, 3, 5, 7)):
            query = TicksQuery(table=table, symbols=("META", "AAPL"), start=OPEN_NS, end=OPEN_NS + 2 * DAY_NS)
            page = await ticks(reading, shelf, query, limit=limit)
            pages = [page.frame]
            while page.following is not None:
                page = await ticks(reading, shelf, query, limit=limit, position=page.following)
                pages.append(page.frame)
            whole = (await ticks(reading, shelf, query)).frame
            assert {"trades": 7, "quotes": 2}[table] == len(whole)
            assert whole.equals(pl.concat(pages))
            assert all(len(one) <= limit for one in pages)
        await store.close()

    asyncio.run(paged())


def test_over_http(tmp_path: Path) -> None:
    """The route answers in every format, and pages are followed by their cursor."""
    range_ = "symbols=AAPL&start=2005-01-01&end=2005-12-31"
    with asking(tmp_path) as client:
        empty = client.get(f"/v1/trades?{range_}").json()
        arrow = pl.read_ipc_stream(io.BytesIO(client.get(f"/v1/quotes?{range_}&format=arrow").content))

    assert ([], 0) == (empty["trades"], empty["receipt"]["count"])
    assert ["symbol", "ts_event", "price", "bid"] == arrow.columns[:4]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start": "2024-06-10", "end": "2024-06-09"}, "It is not before the end, which was 2024-06-09."),
        ({"start": "2024-06-10T13:30:00", "end": "2024-06-11"}, "The zone is missing."),
        ({"start": datetime(2024, 6, 10), "end": "2024-06-11"}, "Give a datetime with a zone"),  # noqa: DTZ001
    ],
)
def test_a_range_that_is_none(session: tt.Session, given: dict[str, Any], words: str) -> None:
    """It is said in words what to write."""
    with pytest.raises(BadInput, match=words):
        session.trades("AAPL", **given)
