"""Where segments lie: beside the store, elsewhere, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Quiet, SegmentedStore
from truetape.app.read_side import read_by_segments
from truetape.app.segments import name_of, segmented
from truetape.app.settings import Settings
from truetape.domain.errors import StoreUnavailable


def set_to(data: Path, place: str) -> Settings:
    from datetime import date

    return Settings(data=data, start=date(2024, 1, 1), segments=place)


@pytest.fixture
def store(tmp_path: Path) -> DuckdbStore:
    """A new store."""
    return DuckdbStore(tmp_path / "truetape.duckdb")


async def test_the_settings_say_where(store: DuckdbStore, tmp_path: Path) -> None:
    """Nowhere: the store itself is read. Elsewhere: a link in the data folder leads there, and follows the settings."""
    assert read_by_segments(store, None, set_to(tmp_path, "")).store is store
    usual = tmp_path / "segments"
    for place, leads in (("one", True), ("one", True), (str(tmp_path / "two"), True)):
        reading = read_by_segments(store, None, set_to(tmp_path, place))
        assert isinstance(reading.store, SegmentedStore)
        assert (reading.tiers, usual.is_symlink(), usual.resolve()) == (None, leads, (tmp_path / place).resolve())
    await store.close()


async def test_a_place_that_cannot_be_made_is_told(store: DuckdbStore, tmp_path: Path) -> None:
    """A file stands there."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreUnavailable, match="taken"):
        read_by_segments(store, None, set_to(tmp_path, "taken"))
    await store.close()


async def test_each_store_has_a_name_of_its_own(store: DuckdbStore, tmp_path: Path) -> None:
    """The same after a restart, another for another file, and another with cold files."""
    path = tmp_path / "truetape.duckdb"
    name = name_of(path)
    await store.close()
    await DuckdbStore(path).close()
    other = DuckdbStore(tmp_path / "other.duckdb")
    assert name_of(path) == name
    assert len({name, name_of(path, reads_cold=True), name_of(tmp_path / "other.duckdb")}) == 3
    await other.close()


async def test_a_folder_that_is_there_stays(store: DuckdbStore, tmp_path: Path) -> None:
    """Segments that lie beside the store are not lost to a link."""
    (tmp_path / "segments").mkdir()
    segmented(store, tmp_path / "truetape.duckdb", place="elsewhere", quiet=Quiet())
    assert not (tmp_path / "segments").is_symlink()
    await store.close()
