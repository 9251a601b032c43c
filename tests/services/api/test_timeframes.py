"""Bars of timeframes that nobody acquired: made of finer ones at each question, cut by the venue's sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from room_doubles import rows
from small_market import NOW_NS, ORIGIN
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.set_clock import SetClock
from truetape.services.api.answers import Answers
from truetape.services.api.query import BarsQuery
from truetape.services.api.reading import reading_now
from truetape.services.api.shelf import Shelf
from truetape.services.api.timeframes import enough, finer, reach

NEW_YORK, TOKYO, COIN = "ins_ny", "ins_tokyo", "ins_coin"
FRIDAY, MONDAY = date(2024, 1, 5), date(2024, 1, 8)
KNOWN = datetime(2024, 1, 10, tzinfo=UTC)
OHLCV = ("open", "high", "low", "close", "volume")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def minutes(instrument: str, *bars: tuple[datetime, float], timeframe: str = "1m", **more: Any) -> pl.DataFrame:
    """Bars that open at a price, reach one above and below, and close half above it; each with a volume of 10."""
    prices = [price for _, price in bars]
    return rows(
        "bars",
        **{
            "instrument_id": instrument,
            "timeframe": timeframe,
            "ts_event": [when for when, _ in bars],
            "open": prices,
            "high": [price + 1 for price in prices],
            "low": [price - 1 for price in prices],
            "close": [price + 0.5 for price in prices],
            "volume": 10.0,
            "currency": "USD",
            "basis": "raw",
            "provider": "yahoo",
            "score": 1.0,
            "method": "consensus",
            "agreed": "yahoo",
            "dissented": "",
            **ORIGIN,
            **more,
        },
    )


STORED = minutes(
    NEW_YORK,
    (at(FRIDAY, 13), 1.0),  # before the session
    (at(FRIDAY, 14, 30), 100.0),
    (at(FRIDAY, 14, 34), 103.0),
    (at(FRIDAY, 14, 35), 101.0),
    (at(FRIDAY, 20, 59), 110.0),
    (at(FRIDAY, 21), 111.0),  # the closing auction
    (at(FRIDAY, 21, 1), 500.0),  # after it
    (at(MONDAY, 14, 30), 120.0),
)


def calendar() -> dict[str, pl.DataFrame]:
    days = [FRIDAY, MONDAY]
    hours = {
        "open": [*(at(day, 14, 30) for day in days), at(MONDAY, 0)],
        "close": [*(at(day, 21) for day in days), at(MONDAY, 6)],
    }
    names = [NEW_YORK, TOKYO, COIN]
    return {
        "listings": rows(
            "listings", instrument_id=names, symbol=["NY", "TK", "BTC"], mic=["XNYS", "XTKS", "XCBE"], **ORIGIN
        ),
        "instruments": rows("instruments", instrument_id=names, name=names, **ORIGIN),
        "sessions": rows("sessions", mic=["XNYS", "XNYS", "XTKS"], session=[*days, MONDAY], **hours, **ORIGIN),
        "session_breaks": rows(
            "session_breaks",
            mic=["XTKS"],
            session=[MONDAY],
            break_start=[at(MONDAY, 2, 30)],
            break_end=[at(MONDAY, 3, 30)],
            **ORIGIN,
        ),
    }


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    opened = DuckdbStore(tmp_path / "store.duckdb")
    await opened.commit(calendar())
    yield opened
    await opened.close()


async def asked(store: DuckdbStore, symbol: str, timeframe: str, **more: Any) -> pl.DataFrame:
    """What is answered now."""
    as_of = more.pop("as_of", None)
    query = BarsQuery(symbols=(symbol,), timeframe=timeframe, **more)
    return (await Answers(reading_now(store, SetClock(NOW_NS), as_of=as_of), Shelf()).bars(query)).frame


def told(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    when = frame["ts_event"].dt.strftime("%m-%d %H:%M")
    return [(label, *row) for label, row in zip(when, frame.select(OHLCV).rows(), strict=True)]


@pytest.mark.parametrize(
    ("timeframe", "expected"),
    [
        (
            "5m",
            [
                ("01-05 14:30", 100.0, 104.0, 99.0, 103.5, 20.0),
                ("01-05 14:35", 101.0, 102.0, 100.0, 101.5, 10.0),
                ("01-05 20:55", 110.0, 112.0, 109.0, 111.5, 20.0),
                ("01-08 14:30", 120.0, 121.0, 119.0, 120.5, 10.0),
            ],
        ),
        (
            "1h",
            [
                ("01-05 14:30", 100.0, 104.0, 99.0, 101.5, 30.0),
                ("01-05 20:30", 110.0, 112.0, 109.0, 111.5, 20.0),
                ("01-08 14:30", 120.0, 121.0, 119.0, 120.5, 10.0),
            ],
        ),
        (
            "1d",
            [
                ("01-05 00:00", 100.0, 112.0, 99.0, 111.5, 50.0),
                ("01-08 00:00", 120.0, 121.0, 119.0, 120.5, 10.0),
            ],
        ),
        (
            "1w",
            [
                ("01-01 00:00", 100.0, 112.0, 99.0, 111.5, 50.0),
                ("01-08 00:00", 120.0, 121.0, 119.0, 120.5, 10.0),
            ],
        ),
        ("1mo", [("01-01 00:00", 100.0, 121.0, 99.0, 120.5, 60.0)]),
    ],
)
async def test_every_longer_timeframe_is_made_of_minutes(
    store: DuckdbStore, timeframe: str, expected: list[tuple[Any, ...]]
) -> None:
    """Hours are counted from the opening bell; the closing auction counts, what is traded around sessions does not."""
    await store.commit({"bars": STORED})

    found = await asked(store, "NY", timeframe)

    assert expected == told(found)
    assert ["1m"] == found["derived_from"].unique().to_list()


async def test_what_was_acquired_answers_by_itself(store: DuckdbStore) -> None:
    """An acquired hour stands though its minutes say otherwise; weeks are made of days where there are any."""
    days = minutes(NEW_YORK, (at(FRIDAY, 0), 70.0), timeframe="1d")
    hours = minutes(NEW_YORK, (at(FRIDAY, 15), 90.0), timeframe="1h")
    await store.commit({"bars": pl.concat([STORED, days, hours])})

    found = {one: await asked(store, "NY", one) for one in ("1m", "1h", "1d", "30m", "1w")}

    assert [("01-05 15:00", 90.0, 91.0, 89.0, 90.5, 10.0)] == told(found["1h"])
    assert [("01-05 00:00", 70.0, 71.0, 69.0, 70.5, 10.0)] == told(found["1d"])
    assert [70.0] == found["1w"]["open"].to_list()
    sources = {one: frame["derived_from"].unique().to_list() for one, frame in found.items()}
    assert {"1m": [None], "1h": [None], "1d": [None], "30m": ["1m"], "1w": ["1d"]} == sources
    assert (await asked(store, "NY", "1d", start=MONDAY)).is_empty()  # acquired, though not of that day


async def test_lunch_ends_a_bar(store: DuckdbStore) -> None:
    """Tokyo's third hour ends at half past eleven, and the next begins after lunch."""
    await store.commit({"bars": minutes(TOKYO, *((at(MONDAY, *clock), 9.0) for clock in ((2, 29), (3, 0), (3, 30))))})

    assert ["01-08 02:00", "01-08 03:30"] == [row[0] for row in told(await asked(store, "TK", "1h"))]


async def test_a_venue_without_sessions_counts_whole_days(store: DuckdbStore) -> None:
    """Its day is that of UTC, and its hours are full ones."""
    await store.commit(
        {"bars": minutes(COIN, (at(FRIDAY, 0, 5), 7.0), (at(FRIDAY, 23, 59), 8.0), (at(MONDAY, 3), 9.0))}
    )

    assert ["01-05 00:00", "01-05 23:00", "01-08 03:00"] == [row[0] for row in told(await asked(store, "BTC", "1h"))]
    assert [20.0, 10.0] == (await asked(store, "BTC", "1d"))["volume"].to_list()


async def test_days_around_the_known_sessions_count_whole(store: DuckdbStore) -> None:
    """Where the calendar does not reach, nothing that was traded is lost."""
    before, after = FRIDAY - timedelta(days=3), MONDAY + timedelta(days=3)
    await store.commit({"bars": minutes(NEW_YORK, (at(before, 3), 1.0), (at(FRIDAY, 15), 2.0), (at(after, 3), 3.0))})

    assert ["01-02 03:00", "01-05 14:30", "01-11 03:00"] == [row[0] for row in told(await asked(store, "NY", "1h"))]


async def test_a_range_takes_whole_bars(store: DuckdbStore) -> None:
    """A bar belongs to the range if its label does."""
    await store.commit({"bars": STORED})

    assert ["01-08 14:30"] == [row[0] for row in told(await asked(store, "NY", "15m", start=MONDAY))]
    assert ["01-01 00:00"] == [row[0] for row in told(await asked(store, "NY", "1w", end=FRIDAY))]
    assert [] == told(await asked(store, "NY", "1w", start=FRIDAY, end=FRIDAY))


async def test_prices_are_adjusted_before_they_are_put_together(store: DuckdbStore) -> None:
    """A split of two for one on Monday halves Friday's hour."""
    factors = rows("factors", instrument_id=NEW_YORK, ex_date=[MONDAY], split=[2.0], dividend=[1.0], **ORIGIN)
    await store.commit({"bars": STORED, "factors": factors})

    (first, *_) = told(await asked(store, "NY", "1h", adjustment="split"))

    assert ("01-05 14:30", 50.0, 52.0, 49.5, 50.75, 60.0) == first


async def test_pages_together_are_the_whole(store: DuckdbStore) -> None:
    """However few rows a page has, and however many minutes lie outside the session, none is lost or told twice."""
    night = minutes(NEW_YORK, *((at(FRIDAY, hour, minute), 5.0) for hour in range(5, 12) for minute in range(60)))
    await store.commit({"bars": pl.concat([night, STORED])})
    answers = Answers(reading_now(store, SetClock(NOW_NS)), Shelf())

    for timeframe, limit in product(("5m", "1h", "1d", "1w"), (1, 2, 3, 100)):
        query = BarsQuery(symbols=("NY", "BTC"), timeframe=timeframe)
        page = await answers.bars(query, limit=limit)
        pages = [page.frame]
        while page.following is not None:
            page = await answers.bars(query, limit=limit, position=page.following)
            pages.append(page.frame)
        whole = (await answers.bars(query)).frame
        assert len(whole)
        assert whole.equals(pl.concat(pages))


Correction = tuple[int, float]
CORRECTIONS = st.lists(st.tuples(st.integers(0, 119), st.floats(1, 999, width=16)), max_size=12)


def reckoned(prices: dict[int, float]) -> list[tuple[Any, ...]]:
    """The hours of a session that opens at 14:30, from minutes since then: what a person would reckon."""
    hours: list[tuple[Any, ...]] = []
    for hour in sorted({minute // 60 for minute in prices}):
        own = [prices[minute] for minute in sorted(prices) if minute // 60 == hour]
        label = f"01-05 {14 + hour}:30"
        hours.append((label, own[0], max(own) + 1, min(own) - 1, own[-1] + 0.5, 10.0 * len(own)))
    return hours


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rounds=st.lists(CORRECTIONS, min_size=1, max_size=3))
async def test_hours_follow_their_minutes_at_once(
    tmp_path_factory: pytest.TempPathFactory, rounds: Sequence[Sequence[Correction]]
) -> None:
    """After every late or corrected minute the hours are what the minutes now say; as of before, what they said."""
    store = DuckdbStore(tmp_path_factory.mktemp("follow") / "store.duckdb")
    await store.commit(calendar())
    prices: dict[int, float] = {}
    versions: dict[int, int] = {}
    states = []
    for number, corrections in enumerate(rounds):
        known = KNOWN + timedelta(days=number)
        changed = dict(corrections)
        versions.update({minute: versions.get(minute, 0) + 1 for minute in changed})
        bars = [(at(FRIDAY, 14, 30) + timedelta(minutes=minute), price) for minute, price in sorted(changed.items())]
        told_now = minutes(NEW_YORK, *bars, ts_known=known, version=[versions[one] for one in sorted(changed)])
        await store.commit({"bars": told_now})
        prices |= changed
        states.append((int(known.timestamp()) * 1_000_000_000, reckoned(prices)))

        assert reckoned(prices) == told(await asked(store, "NY", "1h"))

    for as_of, expected in states:
        assert expected == told(await asked(store, "NY", "1h", as_of=as_of))
    await store.close()


def test_what_makes_up_what() -> None:
    """Weeks and months prefer days; everything else the finest. One bar in hand decides how far to read."""
    assert ("1d", "1m", "5m", "15m", "30m", "1h") == finer("1w")
    assert ("1m", "5m", "15m", "30m", "1h") == finer("1d")
    assert () == finer("1m")
    assert (10 + 1) * 12 + 288 == enough(10, source="5m", timeframe="1h")
    assert (date(2024, 1, 4), date(2024, 1, 9)) == reach(FRIDAY, MONDAY, timeframe="1h")
    assert (date(2023, 12, 31), date(2024, 1, 15)) == reach(FRIDAY, MONDAY, timeframe="1w")
    assert (None, None) == reach(None, None, timeframe="1mo")
    assert (date.min, date.max) == reach(date.min, date.max, timeframe="1h")
