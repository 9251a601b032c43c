"""What the store makes of a write-ahead log whose end was being written when the machine stopped."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from store_rows import bar, closes, frame

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.duckdb_store.torn import TORN, cut_torn_end, log_of, sound_end
from truetape.domain.errors import WrongFolder

COMMITS = 6
ROWS = 60  # of a commit: its entries are longer than a page of 4096 bytes


@dataclass(frozen=True)
class Recorded:
    """A store as it stood on the disk after each of a few commits that were acknowledged."""

    path: Path
    log: bytes
    ends: list[int]  # the length of the log after each commit

    def opened(self, log: bytes, folder: Path) -> DuckdbStore:
        """Open a copy with another log."""
        shutil.copy(self.path, folder / "truetape.duckdb")
        log_of(folder / "truetape.duckdb").write_bytes(log)
        return DuckdbStore(folder / "truetape.duckdb")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return asyncio.run(_record(tmp_path_factory.mktemp("store") / "truetape.duckdb"))


async def _record(path: Path) -> Recorded:
    store = DuckdbStore(path)
    ends = []
    for day in range(1, COMMITS + 1):
        rows = [frame("bars", bar(day, who=f"ins_{number:05}")) for number in range(ROWS)]
        await store.commit({"bars": pl.concat(rows)})
        ends.append(log_of(path).stat().st_size)
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    kept = Recorded(copy, log_of(path).read_bytes(), ends)
    await store.close()
    return kept


def zeros(log: bytes, start: int, end: int, _: random.Random) -> bytes:
    """A stretch that never reached the disk."""
    return log[:start] + bytes(end - start) + log[end:]


def garbage(log: bytes, start: int, end: int, moments: random.Random) -> bytes:
    """A stretch of what was there before."""
    return log[:start] + moments.randbytes(end - start) + log[end:]


def cut(log: bytes, start: int, _end: int, _: random.Random) -> bytes:
    """The log ended here."""
    return log[:start]


@pytest.mark.parametrize("damage", [zeros, garbage, cut])
@pytest.mark.parametrize("seed", range(3))
async def test_a_torn_last_commit_is_cut_off(
    recorded: Recorded, damage: Callable[..., bytes], seed: int, tmp_path: Path
) -> None:
    """Whatever became of the log behind the last acknowledged commit: all acknowledged rows are there, and no half."""
    moments = random.Random(seed)
    *_, acknowledged, whole = recorded.ends
    start, end = sorted(moments.sample(range(acknowledged, whole), 2))
    store = recorded.opened(damage(recorded.log, start, end, moments), tmp_path)
    days = [day for day, _ in await closes(store, equal={"instrument_id": ("ins_00007",)})]
    rows = len(await closes(store))
    await store.commit({"bars": frame("bars", bar(COMMITS + 1))})
    await store.close()
    again = DuckdbStore(tmp_path / "truetape.duckdb")

    assert [*range(1, COMMITS)] == days
    assert (COMMITS - 1) * ROWS == rows
    assert rows + 1 == len(await closes(again))
    await again.close()


@pytest.mark.parametrize("which", [0, 2, 4])
async def test_a_damaged_commit_before_the_last_is_told(recorded: Recorded, which: int, tmp_path: Path) -> None:
    """What others stand behind cannot be cut off without losing them: the store names the log and the way out."""
    middle = (2 * recorded.ends[which] - recorded.ends[0]) // 2 + 1000
    log = recorded.log[:middle] + bytes([recorded.log[middle] ^ 1]) + recorded.log[middle + 1 :]
    with pytest.raises(WrongFolder, match=r"truetape replay"):
        recorded.opened(log, tmp_path)
    assert log == log_of(tmp_path / "truetape.duckdb").read_bytes()


async def test_who_only_reads_mends_nothing(recorded: Recorded, tmp_path: Path) -> None:
    """It is told who does; afterwards it reads what was acknowledged."""
    *_, acknowledged, whole = recorded.ends
    middle = (acknowledged + whole) // 2
    shutil.copy(recorded.path, tmp_path / "truetape.duckdb")
    log_of(tmp_path / "truetape.duckdb").write_bytes(garbage(recorded.log, middle, whole, random.Random(0)))
    with pytest.raises(WrongFolder, match="cuts off what was not finished"):
        DuckdbStore(tmp_path / "truetape.duckdb", read_only=True)
    await DuckdbStore(tmp_path / "truetape.duckdb").close()
    reader = DuckdbStore(tmp_path / "truetape.duckdb", read_only=True)
    assert (COMMITS - 1) * ROWS == len(await closes(reader))
    await reader.close()


async def test_the_first_commit_of_a_log_may_be_torn(recorded: Recorded, tmp_path: Path) -> None:
    """Then nothing but the head of the log is left, and the part that was cut off stands beside."""
    log = recorded.log[: recorded.ends[0]]
    torn = log[:-3000] + bytes(2000) + log[-1000:]
    store = recorded.opened(torn, tmp_path)
    cut_off = (tmp_path / f"truetape.duckdb.wal{TORN}").read_bytes()

    assert [] == await closes(store)
    assert torn.endswith(cut_off)
    await store.close()


def test_only_what_duckdb_refuses_for_its_log_is_cut(tmp_path: Path) -> None:
    """Other words, no log, and a log that does not lead to the damage change nothing."""
    path = tmp_path / "truetape.duckdb"
    words = "Corrupt WAL file: entry at byte position 300 computed checksum 1"
    assert not cut_torn_end(path, "IO Error: it is a folder")
    assert not cut_torn_end(path, words)
    log_of(path).write_bytes(bytes(400))
    assert not cut_torn_end(path, words)
    assert sound_end(b"", damaged=0) is None
    assert bytes(400) == log_of(path).read_bytes()
