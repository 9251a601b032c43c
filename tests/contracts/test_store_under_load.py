"""What every store promises to many who write at the same time."""

from __future__ import annotations

import asyncio
import random

import polars as pl
import pytest
from store_rows import bar, closes, frame
from stores import STORES, Open, opened

from truetape.domain.errors import SchemaMismatch
from truetape.domain.schema import TABLES
from truetape.domain.versions import decide
from truetape.ports.store import Selection

build = pytest.fixture(params=list(STORES))(opened)

CALLERS, COMMITS = 12, 3


async def test_each_of_many_callers_finds_what_it_wrote(build: Open) -> None:
    """Whatever version a commit returns holds its rows for ever, and the caller's next one is later."""
    store, told = build(), list[tuple[str, int, int]]()

    async def write(who: str) -> None:
        before = 0
        for day in range(1, COMMITS + 1):
            version = await store.commit({"bars": frame("bars", bar(day, float(day), who=who))})
            assert version > before
            told.append((who, day, version))
            before = version

    callers = [f"ins_{number:02}" for number in range(CALLERS)]
    await asyncio.gather(*(write(who) for who in callers))
    for who, day, version in random.Random(0).sample(told, 12):
        equal = {"instrument_id": (who,)}
        expected = [(one, float(one)) for one in range(1, day + 1)]
        assert expected == await closes(store, equal=equal, at_version=version)
        assert expected[:-1] == await closes(store, equal=equal, at_version=version - 1)
    await store.close()
    again = build()
    assert len(callers) * COMMITS == len(await closes(again))
    assert max(version for *_, version in told) == again.version()


async def test_one_with_wrong_columns_disturbs_no_other(build: Open) -> None:
    """It is refused alone, wherever it stands among the others."""
    store = build()
    wrong = frame("bars", bar(1, who="ins_odd")).drop("close")
    commits = [store.commit({"bars": frame("bars", bar(1, who=f"ins_{number}"))}) for number in range(12)]
    commits.insert(5, store.commit({"bars": wrong}))
    outcomes = await asyncio.gather(*commits, return_exceptions=True)

    assert [SchemaMismatch] == [type(one) for one in outcomes if isinstance(one, BaseException)]
    assert {f"ins_{number}" for number in range(12)} == set((await store.read("bars"))["instrument_id"])


async def test_a_backfill_and_live_bars_of_one_instrument_end_in_the_right_versions(build: Open) -> None:
    """History is written backwards, corrected in part, while new days are appended: each day has its versions."""
    store, equal = build(), {"instrument_id": ("ins_a",)}

    async def keep(rows: list[pl.DataFrame]) -> None:
        for incoming in rows:
            days = incoming["ts_event"].dt.date()
            held = Selection(equal=equal, start=days.min(), end=days.max())  # type: ignore[arg-type]
            decision = decide(await store.read("bars", held), incoming, TABLES["bars"])
            if len(decision.write):
                await store.commit({"bars": decision.write})

    live = [frame("bars", bar(day, 1.0, known=day)) for day in range(100, 112)]
    again = [frame("bars", bar(day, 2.0, known=200 + day)) for day in range(100, 112, 2)]
    past = [
        frame("bars", *(bar(day, close, known=1000) for day in range(first, first + 10)))
        for first in range(90, 50, -10)
        for close in (1.0, 3.0, 3.0)
    ]
    await asyncio.gather(keep(live + again), keep(past))
    history = await store.read("bars", Selection(history=True, columns=("ts_event", "version", "close")))
    found = [(int(at.timestamp()) // 86_400, version, close) for at, version, close in history.iter_rows()]

    assert found == sorted(
        [(day, version, close) for day in range(60, 100) for version, close in ((1, 1.0), (2, 3.0))]
        + [(day, 1, 1.0) for day in range(100, 112)]
        + [(day, 2, 2.0) for day in range(100, 112, 2)]
    )
