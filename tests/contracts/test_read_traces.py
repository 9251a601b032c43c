"""Stores tell where the rows of a read come from, to whoever listens."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from carried_store import tiered
from store_rows import bar, frame

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Builder, Load, SegmentedStore
from truetape.domain.read_trace import Step, because, tell, traced
from truetape.ports.store import Selection
from truetape.ports.tiering import Move, Span

ONE = Selection(equal={"timeframe": ("1d",), "instrument_id": ("ins_a",)})
OTHER = Selection(equal={"timeframe": ("1d",), "instrument_id": ("ins_b",)})


def test_nobody_is_told_if_nobody_listens() -> None:
    """Blocks within blocks have their own listeners, and reasons last as long as their block."""
    tell("store", "bars", 1)
    with traced() as outer:
        with because("late"):
            tell("store", "bars", 2)
            with traced() as inner:
                tell("warm", "bars", 3, files=1, size=9)
        tell("memory", "factors", 4)
    assert [
        Step(place="store", table="bars", rows=2, why="late"),
        Step(place="memory", table="factors", rows=4),
    ] == outer
    assert [Step(place="warm", table="bars", rows=3, files=1, size=9, why="late")] == inner


async def test_segments_memory_and_the_store(tmp_path: Path) -> None:
    """Old bars come from segments, new ones from memory, corrected ones from the store, which says why."""
    inner = DuckdbStore(tmp_path / "truetape.duckdb")
    store = SegmentedStore(inner, tmp_path / "segments", identity="one")
    await store.commit(
        {"bars": frame("bars", *(bar(day, who=who) for day in (800, 801) for who in ("ins_a", "ins_b")))}
    )
    with traced() as unmade:
        await store.read("bars", ONE)
    await Builder(inner, store.library, load=Load()).build()
    await store.commit({"bars": frame("bars", bar(802), bar(801, 2.0, version=2, who="ins_b"))})
    with traced() as fresh:
        await store.read("bars", ONE)
    with traced() as corrected:
        await store.read("bars", OTHER)
    with traced() as every_version:
        await store.read("bars", Selection(equal=ONE.equal, history=True))
    await store.close()

    assert [("store", 2, "there are no segments of 1d bars")] == told(unmade)
    assert [("segments", 2, ""), ("memory", 1, "")] == told(fresh)
    why = "1 instrument written to or corrected since the segments were made"
    assert [("store", 1, why), ("segments", 1, ""), ("memory", 0, "")] == told(corrected)
    assert [("store", 3, "")] == told(every_version)


async def test_cold_files(tmp_path: Path) -> None:
    """Rows that were carried away come from a file of their tier."""
    store, tiers = tiered(tmp_path)
    await store.commit({"bars": frame("bars", bar(10), bar(400))})
    year = Span("bars", start=date(1970, 1, 1), end=date(1970, 12, 31))
    await tiers.move(Move(year, "warm", actor="a", why="old"), ts_known=1, simulated=True)
    with traced() as steps:
        await store.read("bars", ONE)
    await store.close()
    cold = [step for step in steps if step.place == "warm"]
    assert [("bars", 1, 1)] == [(step.table, step.rows, step.files) for step in cold]
    assert cold[0].size == sum(path.stat().st_size for path in (tmp_path / "warm").rglob("*.parquet"))
    assert 1 == sum(step.rows for step in steps if step.place == "store" and step.table == "bars")


def told(steps: list[Step]) -> list[tuple[str, int, str]]:
    return [(step.place, step.rows, step.why) for step in steps]
