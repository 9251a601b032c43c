"""Snapshots of a data folder: named here or by the platform that runs, whole, and the same after a replay."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path

import polars as pl
import pytest

import truetape as tt
from small_platform import acquired
from truetape.adapters.data_folder import ARCHIVE, read_owner
from truetape.adapters.file_archive import FileArchive
from truetape.app.desk import settings_of
from truetape.app.naming import name, name_here
from truetape.app.run import Platform, replay
from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.domain.messages import BatchGraded, SnapshotNamed
from truetape.domain.schema import TABLES, empty
from truetape.domain.snapshots import NameTaken
from truetape.domain.wire import pack
from truetape.ports.store import Selection
from truetape.services.api.snapshots import NewSnapshot

WANTED = NewSnapshot(name="eod", note="as sold", actor="ann")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(acquired(tmp_path_factory.mktemp("named") / "data"))


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "data"))


def bars(data: Path, **given: str) -> pl.DataFrame:
    with tt.open(data) as session:
        return session.bars(["AAA", "BBB"], adjustment="all", **given)


async def correct(platform: Platform, close: float, *, last: bool = True) -> None:
    """Tell a round of its own about AAA, whose first bar closes at `close`."""
    store = platform.parts.store
    listings = await store.read("listings")
    instrument = listings.filter(pl.col("symbol") == "AAA")["instrument_id"][0]
    one = {"instrument_id": (instrument,)}
    row = (await store.read("bars", Selection(equal=one))).head(1)
    day, now = row["ts_event"].dt.date()[0], platform.parts.clock.now_ns()
    changed = row.with_columns(
        pl.lit(close).alias("close"),
        pl.lit(close + 1).alias("high"),
        pl.lit(now).cast(pl.Datetime("ns", "UTC")).alias("ts_known"),
    )
    await platform.parts.bus.publish(
        BatchGraded(
            kind="bars",
            round_id=f"rnd_{now}",
            instrument_id=instrument,
            timeframe="1d",
            start=day,
            end=day,
            ts_known=now,
            providers=("p",),
            golden=pack(changed),
            quarantined=pack(empty(TABLES["quarantine"].columns)),
            findings=pack(empty(TABLES["findings"].columns)),
            simulated=True,
            last=last,
        )
    )


async def test_a_folder_is_named_where_no_platform_runs(data: Path) -> None:
    """The name is in the journal and in the store, and reads at it are what they were, whatever is stored later."""
    before = bars(data)
    made = await name(data, WANTED)
    async with Platform(settings_of(data), command="truetape up") as platform:
        await correct(platform, 1234.5)
        await platform.settle()
    journal = [one for one in FileArchive(data / ARCHIVE, read_only=True).journal() if isinstance(one, SnapshotNamed)]

    assert [("eod", "as sold", "ann", True)] == [(one.name, one.note, one.actor, one.simulated) for one in journal]
    assert ("eod", journal[0].store_version) == (made.name, made.store_version)
    assert not before.equals(bars(data))
    assert before.equals(bars(data, snapshot="eod"))


async def test_a_name_is_given_once(data: Path) -> None:
    """A second one is refused; so is one of what is not known yet, and a word that is no name."""
    await name(data, WANTED)
    with pytest.raises(NameTaken, match="keeps what it stands for"):
        await name(data, NewSnapshot(name="eod", actor="bob"))
    with pytest.raises(BadInput, match="lies ahead"):
        await name(data, NewSnapshot(name="later", as_of="2200-01-01"))
    with pytest.raises(BadInput, match="small letters"):
        await name(data / "nowhere", NewSnapshot(name="EOD"))


async def test_a_running_platform_names_what_was_told(data: Path) -> None:
    """Asked over its api; what was told before is stored, and derived from, first: no round is cut in half."""
    async with Platform(settings_of(data), command="truetape up") as platform:
        await platform.serve()
        with pytest.raises(StoreUnavailable, match="still planning"):
            await name_here(platform, WANTED)
        platform.ready = True
        await correct(platform, 1000.0)
        told = await name(data, WANTED)
        held = (await platform.parts.store.read("bars", Selection(at_version=told.store_version)))["close"]
        owner = read_owner(data)

    assert owner is not None
    assert owner.address
    assert 1000.0 in held


async def test_what_cannot_be_stored_is_not_named(data: Path) -> None:
    """While the rooms do not come to rest there is no snapshot: that is told after a while, nothing is journalled."""
    async with Platform(settings_of(data), command="truetape up") as platform:
        held, free = threading.Event(), asyncio.Event()

        async def hold(_: BatchGraded) -> None:
            held.set()
            await free.wait()

        platform.parts.bus.subscribe(BatchGraded, group="test", handler=hold)
        await correct(platform, 5.0)
        with pytest.raises(StoreUnavailable, match="what was told is not stored"):
            await name_here(platform, WANTED, patience_s=0.3)
        free.set()
        await platform.settle()
        rows = await platform.parts.store.read("snapshots")
        journal = [one for one in platform.parts.archive.journal() if isinstance(one, SnapshotNamed)]

    assert held.is_set()
    assert (0, []) == (len(rows), journal)


async def test_a_replay_brings_snapshots_back(data: Path, tmp_path: Path) -> None:
    """The name stands for the same rows in the new store, under that store's own commit."""
    named = bars(data)
    made = await name(data, WANTED)
    await replay(data, tmp_path / "again")
    with tt.open(tmp_path / "again") as session:
        again = session.snapshot("eod")
        listed = session.snapshots()

    assert named.equals(bars(tmp_path / "again", snapshot="eod"))
    assert (made.as_of, made.created, made.note) == (again.as_of, again.created, again.note)
    assert ["eod"] == listed["name"].to_list()


async def test_a_name_that_a_crash_kept_from_the_store_is_stored_at_the_next_start(data: Path) -> None:
    """The journal has it already."""
    archive = FileArchive(data / ARCHIVE)
    archive.record(SnapshotNamed(name="eod", as_of=2**62, store_version=1, ts_known=5, actor="ann", simulated=True))
    archive.close()
    made = await name(data, NewSnapshot(name="next", actor="bob"))
    with tt.open(data) as session:
        kept = session.snapshot("eod")

    assert kept.store_version > 1
    assert kept.store_version < made.store_version
