"""What becomes of rows that are carried to cold files, folded, archived and deleted, beside the contract of stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from carried_store import tiered
from store_rows import bar, closes, frame

from truetape.adapters.folder_objects import FolderObjects
from truetape.adapters.tiered_store import ColdFiles, ColdTiers, TieredStore
from truetape.domain.errors import CorruptArchive
from truetape.ports.store import Selection
from truetape.ports.tiering import Move, Moved, Span

YEAR = (date(1970, 1, 1), date(1970, 12, 31))
NEXT = (date(1971, 1, 1), date(1971, 12, 31))
FIRST_WEEK = {"end": date(1970, 1, 7)}


@dataclass
class Tiers:
    """A store of 800 days of three instruments, with its tiers in folders."""

    folder: Path
    store: TieredStore
    tiers: ColdTiers

    async def move(self, days: tuple[date, date], tier: str | None = "warm", **narrower: object) -> Moved:
        span = replace(Span("bars", *days), **narrower)  # type: ignore[arg-type]
        move = Move(span, tier, actor="anna", why="old")  # type: ignore[arg-type]
        return await self.tiers.move(move, ts_known=5, simulated=False)

    def files(self, tier: str) -> list[Path]:
        return sorted((self.folder / tier).rglob("*.parquet"))


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Tiers]:
    store, tiers = tiered(tmp_path)
    await store.commit({"bars": frame("bars", *(bar(day, float(day), who=who) for who in "abc" for day in range(800)))})
    yield Tiers(tmp_path, store, tiers)
    await store.close()


async def test_recent_rows_are_read_without_cold_files(held: Tiers) -> None:
    """With all files of the old year gone, days and instruments that are not in it are read as before."""
    assert await held.move(YEAR) == Moved(rows=1095, files=1, bytes=held.files("warm")[0].stat().st_size)
    held.files("warm")[0].unlink()
    assert len(await closes(held.store, start=NEXT[0])) == 1305
    assert await closes(held.store, equal={"instrument_id": ("z",)}) == []
    with pytest.raises(CorruptArchive, match="it is missing"):
        await closes(held.store, start=date(1970, 12, 31))


async def test_a_late_correction_wins_and_is_folded_in(held: Tiers) -> None:
    """It stands in the hot tier first, then in the file of its year; what was known before stays readable."""
    await held.move(YEAR)
    before = held.store.version()
    await held.store.commit({"bars": frame("bars", bar(3, 33.0, version=2, known=200, who="a"))})
    seen = []
    for fold in (False, True):
        if fold:
            assert (await held.move(YEAR)).rows == 1
        about = {"equal": {"instrument_id": ("a",)}, "start": date(1970, 1, 4), "end": date(1970, 1, 4)}
        seen.append(
            [
                await closes(held.store, **about),
                await closes(held.store, **about, as_of=199),
                await closes(held.store, **about, at_version=before),
                await closes(held.store, since_version=before),
                await closes(held.store, **about, history=True),
            ]
        )
    assert seen == [[[(3, 33.0)], [(3, 3.0)], [(3, 3.0)], [(3, 33.0)], [(3, 3.0), (3, 33.0)]]] * 2
    assert len(await held.store.files()) == 1


async def test_what_a_cold_file_holds_is_no_news(held: Tiers) -> None:
    """A row that comes again changes nothing, and an older version that comes late is not current."""
    await held.store.commit({"bars": frame("bars", bar(3, 33.0, version=2, known=200, who="a"))})
    await held.move(YEAR)
    version = held.store.version()
    again = frame("bars", bar(3, 3.0, who="a"), bar(3, 33.0, version=2, known=200, who="a"), bar(700, 700.0, who="a"))
    assert await held.store.commit({"bars": again}) == version
    many = frame("bars", *(bar(5, 5.0, who=f"{number:04}") for number in range(1001)), bar(3, 3.0, who="a"))
    assert await held.store.commit({"bars": many}) == version + 1
    assert len(await closes(held.store, history=True, **FIRST_WEEK)) == 7 * 3 + 1 + 1001


async def test_rows_go_to_the_archive_and_come_back_from_there(held: Tiers) -> None:
    """A year that was warm in two files is one file of the archive; replaced files are swept away later."""
    await held.move((date(1970, 1, 1), date(1970, 6, 30)))
    await held.move((date(1970, 7, 1), date(1970, 12, 31)))
    everything = await held.store.read("bars")
    assert [file.tier for file in await held.store.files()] == ["warm", "warm"]
    assert (await held.move(YEAR, "archive")).rows == 1095
    assert [(file.tier, file.rows) for file in await held.store.files()] == [("archive", 1095)]
    assert everything.equals(await held.store.read("bars"))
    assert await held.move(YEAR, "archive") == Moved(rows=0, files=0, bytes=0)
    assert await held.move(YEAR, "warm") == Moved(rows=0, files=0, bytes=0)
    assert (await held.tiers.sweep(older_than_ns=0), len(held.files("warm"))) == (0, 2)
    assert (await held.tiers.sweep(older_than_ns=2**62), len(held.files("warm"))) == (2, 0)
    assert everything.equals(await held.store.read("bars"))


async def test_small_files_of_one_tier_are_folded(held: Tiers) -> None:
    """Two months become one file, and the table of moves says so."""
    await held.move((date(1970, 1, 1), date(1970, 1, 31)))
    await held.move((date(1970, 2, 1), date(1970, 2, 28)))
    await held.move(YEAR)
    await held.move(NEXT)
    await held.move((YEAR[0], NEXT[1]))
    moves = await held.store.read("moves")
    told = moves.sort("rows").select("action", "tier", "rows", "actor", "why")
    assert told.rows() == [
        ("move", "warm", 84, "anna", "old"),
        ("move", "warm", 93, "anna", "old"),
        ("move", "warm", 918, "anna", "old"),
        ("move", "warm", 1095, "anna", "old"),
        ("fold", "warm", 2190, "anna", "old"),
    ]
    assert [file.rows for file in await held.store.files()] == [2190]


async def test_what_is_deleted_is_gone_from_every_tier(held: Tiers) -> None:
    """Whole files go; of others what is meant goes; of what is left nothing changes."""
    await held.move(YEAR)
    await held.move(NEXT)
    assert (await held.move((date(1970, 12, 1), date(1972, 1, 1)), None)).rows == 93 + 1095 + 3
    assert len(await closes(held.store, history=True)) == 2400 - 93 - 1095 - 3
    assert await closes(
        held.store, start=date(1970, 11, 30), end=date(1972, 1, 2), equal={"instrument_id": ("a",)}
    ) == [
        (333, 333.0),
        (731, 731.0),
    ]
    states = (await held.store.read("cold_files", Selection(columns=("state", "rows")))).sort("rows").rows()
    assert states == [("standing", 1002), ("deleted", 1095), ("deleted", 1095)]


async def test_claims_of_one_provider_are_deleted_from_cold_files(held: Tiers) -> None:
    """Those that were heard before a day, wherever they lie; files without the provider are not touched."""
    rows = [
        {"payload": name, "provider": provider, "ts_event": 0, "ts_known": known}
        for name, provider, known in (("p", "tiingo", 10), ("q", "tiingo", 20), ("r", "yahoo", 10))
    ]
    await held.store.commit({"bar_claims": frame("bar_claims", *rows)})
    claims = Span("bar_claims", *YEAR)
    await held.tiers.move(Move(claims, "warm", "anna", "old"), ts_known=5, simulated=False)
    for provider, expected in (("stooq", 0), ("tiingo", 1)):
        gone = replace(claims, provider=provider, known_before=20)
        moved = await held.tiers.move(Move(gone, None, "anna", "licence"), ts_known=5, simulated=False)
        assert moved.rows == expected
    assert (await held.store.read("bar_claims"))["payload"].to_list() == ["q", "r"]
    only = Selection(equal={"provider": ("yahoo",)}, columns=("payload",))
    assert (await held.store.read("bar_claims", only)).rows() == [("r",)]
    holdings = (await held.tiers.holdings()).filter(pl.col("table") == "bar_claims")
    assert holdings.select("tier", "provider", "rows").rows() == [("warm", "tiingo", 1), ("warm", "yahoo", 1)]


async def test_reads_during_a_move_see_every_row_once(held: Tiers) -> None:
    """While one year after the other is carried away, every read and every stream finds all 2,400 rows."""

    async def carry() -> None:
        await held.move(YEAR)
        await held.move(NEXT)
        await held.move(YEAR, "archive")

    moving = asyncio.create_task(carry())
    seen = set()
    while not moving.done():
        seen.add(len(await held.store.read("bars", Selection(columns=("close",)))))
        seen.add(sum([len(one) async for one in held.store.stream("bars", rows=500)]))
    await moving
    assert seen == {2400}


async def test_a_stream_keeps_its_limit_and_its_size(held: Tiers) -> None:
    """The first 900 rows in frames of at most 400, one instrument after the other."""
    await held.move(YEAR)
    frames = [one async for one in held.store.stream("bars", Selection(limit=900), rows=400)]
    assert all(0 < len(one) <= 400 for one in frames)
    assert pl.concat(frames).equals(await held.store.read("bars", Selection(limit=900)))


async def test_damage_is_found_and_told(held: Tiers) -> None:
    """A changed byte, a missing file and a cut one are named; reading them is refused in words."""
    for month in (1, 2, 3):
        await held.move((date(1970, month, 1), date(1970, month, 28)))
    changed, missing, cut = held.files("warm")
    body = changed.read_bytes()
    changed.write_bytes(body[:50] + bytes([body[50] ^ 255]) + body[51:])
    missing.unlink()
    cut.write_bytes(cut.read_bytes()[:100])
    found = {name: damage.words async for name, damage in held.tiers.scrub() if damage}
    names = [path.relative_to(held.folder / "warm").as_posix() for path in (changed, missing, cut)]
    wrong = "its bytes are not those that were written"
    assert found == {names[0]: wrong, names[1]: "it is missing", names[2]: wrong}
    with pytest.raises(CorruptArchive, match="damaged"):
        await closes(held.store, start=date(1970, 3, 1), end=date(1970, 3, 2))


async def test_footers_are_kept_and_row_groups_skipped(held: Tiers) -> None:
    """A second read of one instrument asks a place for its rows only; few footers are kept where room is scarce."""
    await held.move(YEAR)
    await held.move(NEXT)
    asked: list[int] = []

    class Counting(FolderObjects):
        async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
            asked.append(length or 0)
            return await super().get(key, start=start, length=length)

    again = []
    for footers in (1 << 20, 1):
        store = TieredStore(held.store, ColdFiles({"warm": Counting(held.folder / "warm")}, footers_bytes=footers))
        for _ in range(2):
            asked.clear()
            assert len(await closes(store, equal={"instrument_id": ("b",)}, end=NEXT[1])) == 730
        again.append(sum(asked))
    assert again[0] < again[1]


async def test_other_programs_read_the_files(held: Tiers) -> None:
    """DuckDB and Polars find every row with its instant; all columns are there, sorted, compressed with zstd."""
    await held.move(YEAR)
    path = held.files("warm")[0]
    counted = duckdb.execute(f"SELECT count(*), max(close), min(ts_event)::VARCHAR FROM '{path}'").fetchall()
    assert counted == [(1095, 364.0, "1970-01-01 00:00:00+00")]
    rows = pl.read_parquet(path)
    assert rows["instrument_id"].is_sorted()
    assert rows["stored_version"].unique().to_list() == [1]
    column = pq.read_metadata(path).row_group(0).column(0)
    assert (column.compression, column.statistics.min, column.statistics.max) == ("ZSTD", "a", "c")


async def test_rows_are_not_removed_if_they_do_not_come_back(tmp_path: Path) -> None:
    """A place that keeps other bytes than it was given is found out; the rows stay in the hot tier."""

    class Forgetful(FolderObjects):
        async def put(self, key: str, body: bytes | Path, *, only_new: bool = False) -> bool:
            assert isinstance(body, Path)
            other = pl.read_parquet(body).head(1)
            other.write_parquet(body)
            return await super().put(key, body, only_new=only_new)

    store, _ = tiered(tmp_path)
    await store.commit({"bars": frame("bars", bar(1), bar(2))})
    tiers = ColdTiers(store, hot=store._hot, places={"warm": Forgetful(tmp_path / "warm")}, scratch=tmp_path / "s")  # type: ignore[arg-type]
    with pytest.raises(CorruptArchive):
        await tiers.move(Move(Span("bars", *YEAR), "warm", "anna", "old"), ts_known=5, simulated=False)
    assert [day for day, _ in await closes(store)] == [1, 2]
    assert (await store.read("cold_files")).is_empty()
    await store.close()


async def test_damage_is_repaired_from_the_second_copy(tmp_path: Path) -> None:
    """A changed file and a missing one are put back; one whose copy is damaged too is not."""
    store, _ = tiered(tmp_path)
    places, mirror = {"warm": FolderObjects(tmp_path / "warm")}, FolderObjects(tmp_path / "mirror")
    tiers = ColdTiers(store, hot=store._hot, places=places, scratch=tmp_path / "s", mirror=mirror)  # type: ignore[arg-type]
    await store.commit({"bars": frame("bars", *(bar(day) for day in range(90)))})
    for month in (1, 2, 3):
        span = Span("bars", date(1970, month, 1), date(1970, month, 28))
        await tiers.move(Move(span, "warm", "test", "old"), ts_known=1, simulated=False)
    changed, missing, lost = sorted((tmp_path / "warm").rglob("*.parquet"))
    changed.write_bytes(b"?")
    missing.unlink()
    lost.unlink()
    (tmp_path / "mirror" / lost.relative_to(tmp_path / "warm")).write_bytes(b"?")
    for expected in ([True, True, False], [None, None, False]):
        found = [damage and damage.repaired async for _, damage in tiers.scrub()]
        assert sorted(map(str, found)) == sorted(map(str, expected))
    assert len(await closes(store, end=date(1970, 2, 28))) == 28 * 2 + 3
    everything = Span("bars", date(1970, 1, 1), date(1970, 2, 28))
    await tiers.move(Move(everything, None, "test", "licence"), ts_known=1, simulated=False)
    assert await tiers.sweep(older_than_ns=0) == 4
    await store.close()
