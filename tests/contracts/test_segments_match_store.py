"""Segments never change an answer: whatever happened, the store behind them would say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from store_rows import bar, frame, withdrawal, withdrawals

from lengths import usually
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Builder, Load, SegmentedStore
from truetape.ports.store import Selection

DAYS = (-400, -1, 0, 363, 364, 365, 730, 731)  # after 1970-01-01: the period before 1970, and three years from then on
ASKED = (*DAYS, 734)
Key = tuple[str, str, int, int, int]  # instrument, timeframe, day, version, known


@dataclass(frozen=True)
class Write:
    """One commit."""

    rows: list[Key]
    gone: list[Key]


KEYS = st.tuples(
    st.sampled_from(["ins_a", "ins_b", "ins_c"]),
    st.sampled_from(["1d", "1d", "1m"]),
    st.sampled_from(DAYS),
    st.integers(1, 4),
    st.integers(1, 9),
)
WRITES = st.builds(Write, st.lists(KEYS, max_size=8), st.lists(KEYS, max_size=2))
NEWER = st.tuples(
    st.sampled_from(["ins_a", "ins_b", "ins_c"]), st.just("1d"), st.integers(731, 736), st.just(1), st.integers(1, 9)
)
APPENDS = st.builds(Write, st.lists(NEWER, min_size=1, max_size=5), st.just([]))
STEPS = st.lists(st.one_of(WRITES, APPENDS, st.sampled_from(["build", "reopen", "crash"])), min_size=1, max_size=10)
DATES = st.one_of(
    st.none(),
    st.sampled_from([date(1970, 1, 1) + timedelta(days=day + more) for day in ASKED for more in (0, 1)]),
)
SELECTIONS = st.builds(
    Selection,
    equal=st.fixed_dictionaries(
        {"timeframe": st.sampled_from([("1d",), ("1d",), ("1m",), ("1d", "1m"), ("2d",)])},
        optional={
            "instrument_id": st.sampled_from([("ins_b",), ("ins_c", "ins_a", "ins_c"), ("ins_x",), ()]),
            "provider": st.just(("",)),
        },
    ),
    start=DATES,
    end=DATES,
    as_of=st.one_of(st.none(), st.integers(0, 10)),
    at_version=st.one_of(st.none(), st.integers(0, 8)),
    since_version=st.one_of(st.none(), st.none(), st.none(), st.integers(0, 8)),
    history=st.sampled_from([False, False, False, True]),
    withdrawn=st.sampled_from([False, False, False, True]),
    limit=st.one_of(st.none(), st.integers(0, 5)),
    columns=st.sampled_from([(), ("close",), ("ts_known", "instrument_id"), ("ts_event", "payload", "score")]),
)


@given(steps=STEPS, selections=st.lists(SELECTIONS, min_size=8, max_size=8))
@settings(max_examples=usually(8, long=80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_every_answer_is_the_stores(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Write | str], selections: list[Selection]
) -> None:
    """After any commits, builds, restarts and crashes, every selection gives the frame that the store itself gives."""
    folder = tmp_path_factory.mktemp("segments")
    inner, store = _opened(folder)
    for number, step in enumerate(steps):
        if isinstance(step, Write):
            await _commit(store, step, number)
        elif step == "build":
            await Builder(inner, store.library, load=Load(), part_rows=2).build()
        else:
            await (store if step == "reopen" else inner).close()
            inner, store = _opened(folder)
            await store.library.ready()
        await _compare_latest(store, inner)
        for selection in selections:
            if (selection.at_version or 0) <= inner.version():
                assert_frame_equal(await store.read("bars", selection), await inner.read("bars", selection))
    await store.close()


async def _compare_latest(store: SegmentedStore, inner: DuckdbStore) -> None:
    rows = await inner.read("bars", Selection(equal={"timeframe": ("1d",), "instrument_id": ("ins_a", "ins_c")}))
    expected = rows.unique("instrument_id", keep="last", maintain_order=True)
    assert_frame_equal(await store.latest(["ins_c", "ins_a", "ins_x"], timeframe="1d"), expected)


def _opened(folder: Path) -> tuple[DuckdbStore, SegmentedStore]:
    inner = DuckdbStore(folder / "truetape.duckdb")
    return inner, SegmentedStore(inner, folder / "segments", identity="one")


async def _commit(store: SegmentedStore, write: Write, number: int) -> None:
    """Write rows whose close tells the commit; of one key and version only the first counts."""
    rows = [
        {**bar(day, number + place / 10, version=version, known=known, who=who), "timeframe": timeframe}
        for place, (who, timeframe, day, version, known) in enumerate(write.rows)
    ]
    gone = [
        {**withdrawal(day, version=version, known=known, who=who), "timeframe": timeframe}
        for who, timeframe, day, version, known in write.gone
    ]
    await store.commit({"bars": frame("bars", *rows)}, withdrawals=withdrawals(*gone) if gone else None)
