"""Bars in every way of adjusting, whole, in pages, streamed, and as known earlier: by hand arithmetic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from small_market import APPLE, CORRECTED, NOW_NS, asking, fill
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.set_clock import SetClock
from truetape.domain.adjustments import AnyAdjustment
from truetape.services.api.answers import Answers
from truetape.services.api.asking import Teller
from truetape.services.api.config import ApiConfig
from truetape.services.api.query import BarsQuery
from truetape.services.api.reading import reading_now
from truetape.services.api.shelf import Shelf
from truetape.services.api.streams import Streams

CLOCK = SetClock(NOW_NS)
FRIDAY, MONDAY, WEDNESDAY = date(2005, 2, 25), date(2005, 2, 28), date(2005, 3, 2)
KNOWN_NS = NOW_NS - 5 * 86_400 * 10**9  # before the second version of the dividend's factor


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    await fill(store)
    yield store
    await store.close()


async def page(store: DuckdbStore, limit: int | None = None, **asked: Any) -> pl.DataFrame:
    """Return the answer, put together of pages of at most `limit` rows."""
    query = BarsQuery(symbols=("AAPL",), **asked)
    reading, position = reading_now(store, CLOCK, as_of=query.as_of), None
    frames: list[pl.DataFrame] = []
    while not frames or position is not None:
        found = await Answers(reading, Shelf()).bars(query, limit=limit, position=position)
        frames.append(found.frame)
        position = found.following
    return pl.concat(frames)


async def streamed(store: DuckdbStore, **asked: Any) -> pl.DataFrame:
    streams = Streams(Teller(store=store, archive=None, clock=CLOCK, config=ApiConfig()), rows=2)
    return pl.concat([frame async for frame in streams.frames(BarsQuery(symbols=("AAPL",), **asked))])


# As traded the closes are 88, 90, then two for one, 44, 46.5, 50, then 0.5 of 50 is paid, 49.
WAYS: list[tuple[AnyAdjustment, date | None, list[float]]] = [
    ("split", None, [44, 45, 44, 46.5, 50, 49]),
    ("all", None, [43.56, 44.55, 43.56, 46.035, 49.5, 49]),
    ("forward_split", None, [88, 90, 88, 93, 100, 98]),
    ("forward_total_return", None, [88, 90, 88, 93, 100, 98 / 0.99]),
    ("scaled_raw", None, [43.56, 44.55, 43.56, 46.035, 49.5, 49]),
    ("lean_total_return", None, [44, 45, 44, 46.5, 50, 49.5]),
    ("difference", None, [43.5, 44.5, 43.5, 46, 49.5, 49]),
    ("forward_difference", None, [88, 90, 88, 93, 100, 99]),
    ("split", FRIDAY, [88, 90, 88, 93, 100, 98]),
    ("all", MONDAY, [44, 45, 44, 46.5, 50, 49 / 0.99]),
    ("difference", WEDNESDAY, [44, 45, 44, 46.5, 50, 49.5]),
    ("forward_split", MONDAY, [44, 45, 44, 46.5, 50, 49]),
]


@pytest.mark.parametrize(("adjustment", "anchor", "closes"), WAYS)
async def test_every_way(
    store: DuckdbStore, adjustment: AnyAdjustment, anchor: date | None, closes: list[float]
) -> None:
    """The answer is the same whole, in pages of two rows, and streamed; its basis names the way and the anchor."""
    asked: dict[str, Any] = {"adjustment": adjustment, "anchor": anchor}
    whole = await page(store, **asked)

    assert closes == pytest.approx(whole["close"].to_list(), rel=1e-14)
    assert whole.equals(await page(store, limit=2, **asked))
    assert whole.equals(await streamed(store, **asked))
    assert {adjustment if anchor is None else f"{adjustment}@{anchor}"} == set(whole["basis"])


async def test_the_bars_that_are_asked_for_say_where_forward_begins_and_scaled_ends(store: DuckdbStore) -> None:
    """From Monday on 44 is as traded; until Wednesday 50 is; a range without bars has none."""
    forward = await page(store, adjustment="forward_total_return", start=MONDAY)
    scaled = await page(store, adjustment="scaled_raw", end=WEDNESDAY)
    paid = await page(store, adjustment="lean_total_return", start=date(2005, 3, 3))

    assert [44, 46.5, 50, 49 / 0.99] == pytest.approx(forward["close"].to_list(), rel=1e-14)
    assert [44, 45, 44, 46.5, 50] == pytest.approx(scaled["close"].to_list(), rel=1e-14)
    assert [49] == paid["close"].to_list()
    assert (await page(store, adjustment="difference", start=date(2010, 1, 1))).is_empty()


async def test_volume_follows_the_shares(store: DuckdbStore) -> None:
    """Backward there were twice as many shares before the split, forward half as many after it."""
    assert [200, 220, 240, 200, 220, None] == (await page(store, adjustment="difference"))["volume"].to_list()
    assert [100, 110, 120, 100, 110, None] == (await page(store, adjustment="forward_split"))["volume"].to_list()


async def test_weeks_are_made_of_adjusted_days(store: DuckdbStore) -> None:
    """The week of the dividend ends at 99 forward, and its closes before do not know of it."""
    weeks = await page(store, adjustment="forward_difference", timeframe="1w")

    assert [90, 99] == weeks["close"].to_list()
    assert [49] == (await page(store, adjustment="forward_split", timeframe="1w", start=MONDAY))["close"].to_list()


@pytest.mark.parametrize("adjustment", ["all", "difference"])
async def test_factors_are_those_known_then(store: DuckdbStore, adjustment: AnyAdjustment) -> None:
    """A dividend that was told later to be half of the price changes nothing of what was known before."""
    before = await page(store, adjustment=adjustment, as_of=KNOWN_NS)
    half = rows("factors", instrument_id=APPLE, ex_date=[date(2005, 3, 3)], split=1.0, dividend=0.5, version=2)
    known = pl.lit(CORRECTED).cast(half.schema["ts_known"])
    await store.commit({"factors": half.with_columns(known.alias("ts_known"))})

    assert before.equals(await page(store, adjustment=adjustment, as_of=KNOWN_NS))
    now = {"all": [25.0], "difference": [25.0]}[adjustment]
    assert now == (await page(store, adjustment=adjustment, start=WEDNESDAY, end=WEDNESDAY))["close"].to_list()


async def test_what_never_had_a_factor_stays(store: DuckdbStore) -> None:
    """Only its basis says that it was asked for otherwise."""
    query = BarsQuery(symbols=("META",), adjustment="forward_difference")
    found = (await Answers(reading_now(store, CLOCK), Shelf()).bars(query)).frame

    assert [196, 184] == found["close"].to_list()
    assert {"forward_difference"} == set(found["basis"])


def test_over_http(tmp_path: Path) -> None:
    """The same words in pages and streams; what does not go together is refused with what to do instead."""
    with asking(tmp_path) as client:
        asked = {"symbols": "AAPL", "adjustment": "total_return", "anchor": "2005-02-28", "format": "csv"}
        pages, stream = (client.get(path, params=asked) for path in ("/v1/bars", "/v1/bars/stream"))
        refused = client.get("/v1/bars?symbols=AAPL&anchor=2005-02-28")
        unknown = client.get("/v1/bars?symbols=AAPL&adjustment=totalreturn")

    assert pages.text == stream.text
    assert "all@2005-02-28" in pages.text
    assert 400 == refused.status_code
    assert "choose an adjustment" in refused.text
    assert "Did you mean 'total_return'?" in unknown.text


def test_factors_over_http(tmp_path: Path) -> None:
    """Each ex-date with its own factors, and with those of later ones; nothing was known before anything was."""
    with asking(tmp_path) as client:
        found, late, before = (
            client.get("/v1/factors", params={"symbols": "AAPL", **more}).json()["factors"]
            for more in ({}, {"start": "2005-03-01"}, {"as_of": "2024-01-01"})
        )

    told = [tuple(row[name] for name in ("ex_date", "split", "dividend", "volume_multiplier")) for row in found]
    assert [("2005-02-28", 2.0, 1.0, 2.0), ("2005-03-03", 1.0, 0.99, 1.0)] == told
    assert [0.495, 0.99] == [row["price_multiplier"] for row in found]
    assert found[1:] == late
    assert [] == before
