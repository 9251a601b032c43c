"""Minutes that are built of recorded ticks equal the minutes that were recorded beside them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline_doubles import filled
from truetape.domain.sales import VOLUME_ONLY, Sale, flagged
from truetape.domain.schema import TABLES, empty
from truetape.domain.spans import endless_spans
from truetape.domain.time import NANOSECONDS
from truetape.services.processing.minutes import MINUTE_NS, Minutes, bars
from truetape.services.processing.trade_bars import time_bars, volume_bars

MIDNIGHT = 1_381_204_800 * NANOSECONDS  # 2013-10-08T04:00Z, 00:00 in New York
OPEN_MS, CLOSE_MS = 34_200_000, 57_600_000
NO_PRICE = 0x20000000
DAY_AFTER = date(2013, 10, 9)
FIELDS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def ticks(recordings: Path) -> pl.DataFrame:
    """The trades of Bank of America on one day, as rows of the table trades, in the order of the file."""
    rows = [line.split(",") for line in lines(recordings / "lean/equity/usa/tick/bac/20131008_trade.zip")]
    given = {
        "instrument_id": "ins_bac",
        "ts_event": [MIDNIGHT + int(row[0]) * 1_000_000 for row in rows],
        "provider": "lean",
        "price": [int(row[1]) / 10_000 for row in rows],
        "size": [float(row[2]) for row in rows],
        "trade_id": [str(number) for number in range(len(rows))],
        "conditions": [row[4] for row in rows],
        "side": None,
        "venue": [row[3] for row in rows],
        "correction": "",
        "currency": None,
        "payload": "k" * 64,
        "place": list(range(len(rows))),
        "ts_known": MIDNIGHT,
        "simulated": False,
    }
    return filled("trades", len(rows), given)


@pytest.fixture(scope="module")
def history(recordings: Path) -> dict[int, tuple[float, ...]]:
    """The recorded minutes of the session, by milliseconds since midnight."""
    rows = [line.split(",") for line in lines(recordings / "lean/equity/usa/minute/bac/20131008_trade.zip")]
    return {
        int(row[0]): (*(int(price) / 10_000 for price in row[1:5]), float(row[5]))
        for row in rows
        if OPEN_MS <= int(row[0]) < CLOSE_MS
    }


def lines(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        yield from archive.read(archive.namelist()[0]).decode().splitlines()


def by_ms(made: pl.DataFrame) -> dict[int, tuple[float, ...]]:
    times = ((made["ts_event"].cast(pl.Int64) - MIDNIGHT) // 1_000_000).to_list()
    return dict(zip(times, made.select(FIELDS).iter_rows(), strict=True))


def equal(made: pl.DataFrame, history: dict[int, tuple[float, ...]]) -> list[int]:
    """Return in how many minutes of the session each field equals what was recorded."""
    found = by_ms(made)
    return [sum(found[at][place] == bar[place] for at, bar in history.items()) for place in range(len(FIELDS))]


def sales_of(ticks: pl.DataFrame) -> dict[str, Sale]:
    """Return what trades count for: those with the flag move no price, and all of them make volume."""
    return flagged(ticks["conditions"].unique(), bit=NO_PRICE, sale=VOLUME_ONLY)


def test_minutes_of_ticks_equal_recorded_minutes(ticks: pl.DataFrame, history: dict[int, tuple[float, ...]]) -> None:
    """Of 390 minutes as many as the curator of the recordings counted, with the rule of the flag and without it."""
    assert 390 == len(history)
    assert [377, 390, 389, 387, 388] == equal(bars(ticks, sales=sales_of(ticks)), history)
    assert [364, 380, 377, 370, 388] == equal(bars(ticks, sales={}), history)


def test_minutes_of_a_stream_equal_minutes_of_the_day(ticks: pl.DataFrame) -> None:
    """Heard in portions of a second, as a stream brings them, the day has the same bars, each told once."""
    sales = sales_of(ticks)
    at = ticks["ts_event"].cast(pl.Int64)
    session = ticks.filter((at >= MIDNIGHT + OPEN_MS * 1_000_000) & (at < MIDNIGHT + 38_000_000 * 1_000_000))
    seconds = session.with_columns((pl.col("ts_event").cast(pl.Int64) // NANOSECONDS).alias("second"))
    state, told = Minutes(), []
    for (second,), portion in seconds.group_by(["second"], maintain_order=True):
        now_ns = (int(str(second)) + 1) * NANOSECONDS
        state, due = state.take(portion.drop("second"), [], now_ns=now_ns)
        told.append(state.told(due, empty(TABLES["trades"].columns), sales=sales))
        state = state.trimmed()
    state, due = state.take(empty(TABLES["trades"].columns), [], now_ns=state.frontier + 5 * MINUTE_NS)
    told.append(state.told(due, empty(TABLES["trades"].columns), sales=sales))
    made = pl.concat(told)

    assert by_ms(bars(session, sales=sales)) == by_ms(made)
    assert made["ts_event"].n_unique() == len(made)
    assert not made["running"].any()


def test_bars_by_time_equal_the_minutes_and_bars_by_volume_lose_nothing(ticks: pl.DataFrame) -> None:
    """Of a whole recorded day; every bar but the last has its 100,000 shares."""
    sales = sales_of(ticks)
    minutes = time_bars(
        ticks, every=timedelta(minutes=1), spans=endless_spans(date(2013, 10, 8), end=DAY_AFTER), sales=sales
    )
    full = volume_bars(ticks, volume=100_000, sales=sales)

    assert by_ms(bars(ticks, sales=sales)) == by_ms(minutes)
    assert ticks["size"].sum() == full["volume"].sum()
    assert (full["volume"][:-1] >= 100_000).all()
    assert [False] * (len(full) - 1) + [True] == full["running"].to_list()
