"""What every store promises about streams: the rows of a read, frame by frame, all of one version."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import cast

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store_rows import bar, closes, frame, withdrawal, withdrawals
from stores import STORES, Open, OpenStore, opened

from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.domain.schema import TABLES, empty
from truetape.ports.store import Selection

build = pytest.fixture(params=list(STORES))(opened)

MANY = 20_000


def many(*, close: float, version: int = 1) -> pl.DataFrame:
    """Return bars of `MANY` days, the last first."""
    one = frame("bars", bar(1, close, version=version))
    return one.select(pl.all().gather([0] * MANY)).with_columns(
        ts_event=(MANY - pl.int_range(MANY, dtype=pl.Int64)).cast(TABLES["bars"].columns["ts_event"])
    )


def frames(store: OpenStore, selection: Selection = Selection(), *, rows: int) -> AsyncGenerator[pl.DataFrame, None]:
    return cast("AsyncGenerator[pl.DataFrame, None]", store.stream("bars", selection, rows=rows))


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(as_of=150),
        Selection(history=True),
        Selection(at_version=1),
        Selection(since_version=1),
        Selection(withdrawn=True),
        Selection(limit=3),
        Selection(equal={"instrument_id": ("ins_b",)}, columns=("close", "ts_event")),
        Selection(equal={"instrument_id": ("nobody",)}),
    ],
)
async def test_a_stream_has_the_rows_of_a_read(build: Open, selection: Selection) -> None:
    """In the same order, whatever is selected; no frame is empty or longer than wanted."""
    store = build()
    await store.commit({"bars": frame("bars", *(bar(day, who=who) for who in ("ins_b", "ins_a") for day in (3, 1, 2)))})
    await store.commit(
        {"bars": frame("bars", bar(1, 2.0, version=2, known=200))},
        withdrawals=withdrawals(withdrawal(2, version=2, known=200)),
    )
    told = [some async for some in frames(store, selection, rows=2)]
    assert {len(some) for some in told} <= {1, 2}
    columns = empty(TABLES["bars"].columns).select(selection.columns or pl.all())
    assert_frame_equal(pl.concat([columns, *told]), await store.read("bars", selection))


async def test_a_stream_is_of_one_version(build: Open) -> None:
    """What is committed while it is read does not show; neither the writer nor another reader waits for it."""
    store = build()
    await store.commit({"bars": many(close=1.0)})
    seen: list[float] = []
    async for some in frames(store, rows=1000):
        seen += some["close"].to_list()
        if len(seen) == 1000:
            assert await store.commit({"bars": many(close=2.0, version=2)}) == 2
            assert await closes(store, limit=1) == [(0, 2.0)]
    assert seen == [1.0] * MANY
    assert [some["close"][0] async for some in frames(store, rows=MANY)] == [2.0]


async def test_streams_that_are_closed_early_are_in_nobodys_way(build: Open) -> None:
    """More of them than a store has readers, before the first frame and after it; the store reads on and closes."""
    store = build()
    await store.commit({"bars": many(close=1.0)})
    for number in range(20):
        async with contextlib.aclosing(frames(store, rows=10)) as stream:
            if number % 2:
                assert len(await anext(stream)) == 10
    assert len(await store.read("bars")) == MANY


async def test_a_store_that_closes_ends_its_streams(build: Open) -> None:
    """A stream that is under way tells all of its rows, or says that the store was closed: never a part of them."""
    store = build()
    await store.commit({"bars": many(close=1.0)})
    stream = frames(store, rows=10)
    await anext(stream)
    await store.close()
    left = None
    with contextlib.suppress(StoreUnavailable):
        left = sum([len(some) async for some in stream])
    assert left in {None, MANY - 10}
    with pytest.raises(StoreUnavailable, match="it was closed"):
        await anext(frames(store, rows=10))
    assert len(await build().read("bars")) == MANY


async def test_a_stream_refuses_what_a_read_refuses(build: Open) -> None:
    """And frames of no rows."""
    store = build()
    with pytest.raises(BadInput, match="columns was 'clothes'"):
        await anext(frames(store, Selection(columns=("clothes",)), rows=10))
    with pytest.raises(BadInput, match="at_version was 1"):
        await anext(frames(store, Selection(at_version=1), rows=10))
    with pytest.raises(BadInput, match="rows was 0"):
        await anext(frames(store, rows=0))
