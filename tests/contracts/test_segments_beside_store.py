"""Segments among damage, other stores, writers at the same time, and rows that they cannot hold."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store_rows import bar, frame, withdrawal, withdrawals

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Builder, Load, Quiet, SegmentedStore, SegmentedTiers, damages, held
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection
from truetape.ports.tiering import Damage, Move, Moved, Span

DAYS = (10, 400, 800)
WHO = ("ins_a", "ins_b", "ins_c")
ALL = Selection(equal={"timeframe": ("1d",)})
ONE = Selection(equal={"timeframe": ("1d",), "instrument_id": ("ins_b",)})
KINDS = (ALL, ONE, Selection(equal={"timeframe": ("1d",)}, start=date(1971, 2, 5), end=date(1971, 2, 5)))
Open = Callable[..., tuple[DuckdbStore, SegmentedStore]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three bars of three instruments in three years, and its segments."""
    folder = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        inner, store = opened(folder)
        await store.commit({"bars": frame("bars", *(bar(day, day, who=who) for who in WHO for day in DAYS))})
        await built(inner, store)
        await store.close()

    asyncio.run(fill())
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """A copy of it, with the times of its files."""
    return Path(shutil.copytree(filled, tmp_path / "data"))


def opened(folder: Path, *, identity: str = "one", quiet: Quiet | None = None) -> tuple[DuckdbStore, SegmentedStore]:
    inner = DuckdbStore(folder / "truetape.duckdb")
    return inner, SegmentedStore(inner, folder / "segments", identity=identity, quiet=quiet)


async def built(inner: DuckdbStore, store: SegmentedStore) -> int:
    made = await Builder(inner, store.library, load=Load()).build()
    store.library.note()
    return made


async def same(inner: DuckdbStore, store: SegmentedStore) -> None:
    for selection in KINDS:
        assert_frame_equal(await store.read("bars", selection), await inner.read("bars", selection))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def replace(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("rows", truncate),
        ("rows", replace),
        ("rows", remove),
        ("series", replace),
        ("days", remove),
        ("runs", truncate),
        ("receipts", remove),
        ("verdicts", replace),
    ],
)
async def test_a_file_that_is_not_as_written_is_not_read(folder: Path, name: str, harm: Callable[[Path], None]) -> None:
    """Cut, overwritten or gone: its period is read from the store, and made again, alone."""
    harm(next((folder / "segments" / "1d" / "1971").rglob(f"{name}.arrow")))
    assert [folder for folder, words in damages(folder / "segments", store="one") if words] != []
    inner, store = opened(folder)
    await same(inner, store)
    assert {one.period for one in store.library.holdings() if one.behind} == {"1971"}
    assert await built(inner, store) == 1
    await same(inner, store)
    assert [words for _, words in damages(folder / "segments", store="one")] == [[], [], []]
    await store.close()


@pytest.mark.parametrize("body", [b"", b"{", b'{"format":99}', b"\xff\xfe"])
async def test_a_manifest_that_says_nothing_is_no_manifest(folder: Path, body: bytes) -> None:
    """Everything is made again, and what the old one named is cleared away; files of others stay."""
    manifest = folder / "segments" / "manifest.json"
    manifest.write_bytes(body)
    (folder / "segments" / "notes.txt").write_text("mine")
    before = {path.parent for path in (folder / "segments").rglob("rows.arrow")}
    inner, store = opened(folder)
    await same(inner, store)
    assert await built(inner, store) == 3
    after = {path.parent for path in (folder / "segments").rglob("rows.arrow")}
    assert (len(after), after & before, (folder / "segments" / "notes.txt").exists()) == (3, set(), True)
    await same(inner, store)
    await store.close()


async def test_segments_of_another_store_are_not_believed(folder: Path) -> None:
    """Nor those of the same one before it was set back."""
    assert held(folder / "segments", store="two") == []
    (folder / "truetape.duckdb").unlink()
    _, store = opened(folder)
    assert (store.library.holdings(), len(await store.read("bars", ALL))) == ([], 0)
    await store.close()


async def test_files_that_vanish_are_found_missing(folder: Path) -> None:
    """While the store is open: answers go on, from the store, until the segments are made again."""
    inner, store = opened(folder)
    shutil.rmtree(folder / "segments" / "1d")
    await same(inner, store)
    assert {one.behind for one in store.library.holdings()} == {1}
    await built(inner, store)
    await same(inner, store)
    await store.close()


async def test_silent_damage_is_found_by_reading_all(folder: Path) -> None:
    """One bit in a file whose size and times are as before."""
    path = next((folder / "segments" / "1d" / "1971").rglob("rows.arrow"))
    stat, body = path.stat(), bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    told = [words for _, words in damages(folder / "segments", store="one") if words]
    assert [[one.split("/")[-1] for one in words] for words in told] == [
        ["rows.arrow was changed after it was written."]
    ]


async def test_a_reader_sees_all_of_a_commit_or_nothing(folder: Path) -> None:
    """While every bar is corrected again and again, no answer mixes the closes of two commits."""
    inner, store = opened(folder)
    await store.commit({"bars": frame("bars", *(bar(day, 1.0, who=who, version=2) for who in WHO for day in DAYS))})
    await built(inner, store)

    async def correct() -> None:
        for number in range(3, 15):
            rows = [bar(day, float(number), who=who, version=number) for who in WHO for day in DAYS]
            await store.commit({"bars": frame("bars", *rows)})
            if number % 4 == 0:
                await built(inner, store)

    writing = asyncio.create_task(correct())
    seen = []
    while not writing.done():
        seen.append((await store.read("bars", ALL))["close"].to_list())
        await asyncio.sleep(0)
    await writing
    assert {len(set(closes)) for closes in seen} == {1}
    assert [closes[0] for closes in seen] == sorted(closes[0] for closes in seen)
    await store.close()


@pytest.mark.parametrize(
    "odd",
    [
        {**bar(11), "instrument_id": ""},
        {**bar(11), "instrument_id": "ins_a\x00"},
        {**bar(11), "version": 0},
    ],
)
async def test_rows_that_segments_cannot_hold_end_them(folder: Path, odd: dict[str, object]) -> None:
    """A timeframe with such a row is read from the store from then on, after a restart too."""
    inner, store = opened(folder)
    await store.commit({"bars": frame("bars", odd)})
    for _ in range(2):
        await same(inner, store)
        assert_frame_equal(
            await store.latest(["ins_a"], timeframe="1d"),
            (await inner.read("bars", ALL)).filter(pl.col("instrument_id") == "ins_a").tail(1),
        )
        await built(inner, store)
        await store.close()
        inner, store = opened(folder)
        assert store.library.shelves.of_timeframe("1d") is None
    await store.close()


async def test_segments_are_made_when_it_is_quiet(tmp_path: Path) -> None:
    """In the background, some time after the last bars; nobody has to ask for it."""
    inner, store = opened(tmp_path, quiet=Quiet(after_s=0.0))
    await store.commit({"bars": frame("bars", bar(1))})
    async with asyncio.timeout(20):
        while not [one for one in store.library.holdings() if one.rows and not one.behind]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await same(inner, store)
    await store.close()
    assert [(one.period, one.rows) for one in held(tmp_path / "segments", store="one")] == [("1970", 1)]


class Slow(DuckdbStore):
    """A store that commits when it is told to, even if nobody waits for it any more."""

    go: asyncio.Event
    going: asyncio.Task[int]

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        self.going = asyncio.create_task(self._go(writes))
        return await asyncio.shield(self.going)

    async def _go(self, writes: Mapping[str, pl.DataFrame]) -> int:
        await self.go.wait()
        return await super().commit(writes)


async def test_what_a_cancelled_commit_wrote_is_read_from_the_store(folder: Path) -> None:
    """It may go on after nobody waits for it, and after the segments were made again."""
    inner = Slow(folder / "truetape.duckdb")
    inner.go = asyncio.Event()
    store = SegmentedStore(inner, folder / "segments", identity="one")
    writing = asyncio.create_task(store.commit({"bars": frame("bars", bar(10, 99.0, version=2))}))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await built(inner, store)
    inner.go.set()
    await inner.going
    assert (await store.read("bars", ALL))["close"].to_list()[0] == 99.0
    await same(inner, store)
    await store.close()


class Deleting:
    """Tiers that delete all rows of a span."""

    def __init__(self, store: DuckdbStore) -> None:
        self._store = store

    async def move(self, move: Move, *, ts_known: int, simulated: bool) -> Moved:
        return Moved(rows=await self._store.remove(move.span, upto=self._store.version(), writes={}), files=0, bytes=0)

    async def holdings(self) -> pl.DataFrame:
        return pl.DataFrame({"tier": ["hot"]})

    async def scrub(self) -> AsyncIterator[tuple[str, Damage | None]]:
        yield "a", None

    async def sweep(self, *, older_than_ns: int) -> int:
        return older_than_ns


async def test_deleted_bars_are_in_no_answer(folder: Path) -> None:
    """As soon as they are deleted, before the segments are made again, and after."""
    inner, store = opened(folder)
    tiers = SegmentedTiers(Deleting(inner), store.library)
    assert len(await store.latest(WHO, timeframe="1d")) == 3
    span = Span("bars", start=date(1971, 1, 1), end=date(1999, 12, 31))
    moved = await tiers.move(Move(span, None, actor="a", why="b"), ts_known=1, simulated=True)
    assert moved.rows == 6
    for _ in range(2):
        await same(inner, store)
        newest = await store.latest(WHO, timeframe="1d")
        assert (newest["ts_event"].cast(pl.Int64) // DAY_NS).to_list() == [10, 10, 10]
        await built(inner, store)
    assert (await tiers.holdings())["tier"].to_list() == ["hot"]
    assert [one async for one in tiers.scrub()] == [("a", None)]
    assert await tiers.sweep(older_than_ns=7) == 7
    await store.close()


async def test_instants_beyond_what_can_be_counted(folder: Path) -> None:
    """Knowledge times that no row can have hide nothing, or everything."""
    inner, store = opened(folder)
    for at in (2**70, -(2**70)):
        known = Selection(equal=ONE.equal, as_of=at)
        assert_frame_equal(await store.read("bars", known), await inner.read("bars", known))
    for day in (date.min, date.max):
        bounded = Selection(equal=ONE.equal, end=day)
        assert_frame_equal(await store.read("bars", bounded), await inner.read("bars", bounded))
    await store.close()


def factor(who: str, day: int, *, version: int = 1, known: int = 1) -> dict[str, object]:
    return {"instrument_id": who, "ex_date": date(1971, 1, day), "split": 2.0, "version": version, "ts_known": known}


async def test_factors_are_the_stores(folder: Path) -> None:
    """Kept in memory: after every commit, correction and withdrawal they are what the store says, at any time."""
    inner, store = opened(folder)
    key = TABLES["factors"].withdrawal
    gone = {**factor("ins_b", 2, version=2), "simulated": True}
    withdrawn_rows = pl.DataFrame([{name: gone[name] for name in key}]).cast(dict(key))  # type: ignore[arg-type]
    steps = [
        ({"factors": frame("factors", factor("ins_a", 1), factor("ins_b", 2), factor("ins_b", 3, known=5))}, None),
        ({"factors": frame("factors", factor("ins_a", 1, version=2, known=7), factor("ins_c", 1))}, None),
        ({}, {"factors": withdrawn_rows}),
    ]
    for writes, withdrawn in steps:
        await store.commit(writes, withdrawals=withdrawn)
        for _ in range(2):
            for who in (("ins_a",), ("ins_b",), ("ins_c",), ("ins_x",), ("ins_c", "ins_a", "ins_x", "ins_a"), ()):
                for more in ({}, {"as_of": 6}, {"as_of": 2**70}, {"at_version": 2}, {"history": True}, {"limit": 1}):
                    asked = Selection(equal={"instrument_id": who}, columns=("ex_date", "version"), **more)
                    if asked.at_version is None or asked.at_version <= inner.version():
                        assert_frame_equal(await store.read("factors", asked), await inner.read("factors", asked))
            await store.factors.ready()
    await store.close()


async def test_withdrawn_bars_leave_the_newest_ones(folder: Path) -> None:
    """The bar before is the newest again; a later version brings it back."""
    _, store = opened(folder)
    assert (await store.latest(["ins_b"], timeframe="1d"))["close"].to_list() == [800.0]
    await store.commit({}, withdrawals=withdrawals(withdrawal(800, version=2, who="ins_b")))
    assert (await store.latest(["ins_b"], timeframe="1d"))["close"].to_list() == [400.0]
    await store.commit({"bars": frame("bars", bar(800, 7.0, version=3, who="ins_b"), bar(801, 8.0, who="ins_c"))})
    assert (await store.latest(WHO, timeframe="1d"))["close"].to_list() == [800.0, 7.0, 8.0]
    await store.close()
