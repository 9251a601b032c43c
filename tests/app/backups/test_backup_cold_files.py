"""Cold files in backups: rows that have left the store for another place."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from backup_folder import files, restored, tape
from polars.testing import assert_frame_equal

from truetape.adapters.data_folder import STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.folder_objects import FolderObjects
from truetape.app.backups.creating import Wish, create
from truetape.app.backups.making import make
from truetape.app.backups.sealing import Opener
from truetape.app.backups.verifying import verify
from truetape.app.tier_settings import Tiering
from truetape.app.tiers import tiered
from truetape.domain.errors import BadInput
from truetape.ports.store import Selection
from truetape.ports.tiering import Move, Span

FULL = """
import asyncio, resource, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from backup_folder import restored
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.folder_objects import FolderObjects
from truetape.app.backups.creating import Wish, create
from truetape.domain.errors import StoreUnavailable

folder, place, into = map(Path, sys.argv[1:])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

async def work():
    store = DuckdbStore(folder / "truetape.duckdb")
    for size in (2_000, hard):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            await create(Wish(folder=folder), store, FolderObjects(place))
        except StoreUnavailable as error:
            print("create", error.reason)
    for size in (100_000, hard):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            await restored(FolderObjects(place), into)
        except StoreUnavailable as error:
            print("restore", error.reason, (into / "truetape.json").exists())
    await store.close()

asyncio.run(work())
"""


async def test_cold_files_are_backed_up_once_and_read_after_a_restore(tmp_path: Path) -> None:
    """Rows of the warm tier come back with their file; their place is lost, and the restored ones take it."""
    made, place = await tape(tmp_path / "data", days=6), FolderObjects(tmp_path / "place")
    settings = Tiering(warm=str(tmp_path / "warm"))
    cold = tiered(settings, made.store, data=made.folder, environ={})
    assert cold is not None
    before = await cold.store.read("bars", Selection(history=True))
    span = Span("bars", date(1970, 1, 1), date(1970, 1, 31))
    await cold.tiers.move(Move(span, "warm", actor="ann", why="test"), ts_known=10_000, simulated=False)
    assert len(await made.store.read("bars")) < len(await cold.store.read("bars"))
    with pytest.raises(BadInput, match="Rows lie in cold files of the tier 'warm'"):
        await create(Wish(folder=made.folder), made.store, place)
    wish = Wish(folder=made.folder, cold={"warm": FolderObjects(tmp_path / "warm")})
    first = await create(wish, made.store, place)
    (tmp_path / "warm").rename(tmp_path / "lost")
    second = await create(wish, made.store, place)  # what is there already is not read again
    assert second.added < first.added / 2
    await made.close()
    await restored(place, tmp_path / "back")
    assert files(tmp_path / "back" / "cold" / "warm") == files(tmp_path / "lost")
    hot = DuckdbStore(tmp_path / "back" / STORE)
    again = tiered(Tiering(warm=str(tmp_path / "back" / "cold" / "warm")), hot, data=tmp_path / "back", environ={})
    assert again is not None
    assert_frame_equal(before, await again.store.read("bars", Selection(history=True)))
    await hot.close()
    with pytest.raises(BadInput, match="Rows have been moved"):
        await restored(place, tmp_path / "then", at=300)


async def test_the_settings_file_names_the_places_of_cold_files(tmp_path: Path) -> None:
    """For a folder that nobody uses; the settings are in the backup."""
    made = await tape(tmp_path / "data", days=2)
    cold = tiered(Tiering(warm=str(tmp_path / "warm")), made.store, data=made.folder, environ={})
    assert cold is not None
    span = Span("bars", date(1970, 1, 1), date(1970, 1, 31))
    await cold.tiers.move(Move(span, "warm", actor="ann", why="test"), ts_known=10_000, simulated=False)
    await made.close()
    config = tmp_path / "truetape.toml"
    config.write_text(
        'start = 2024-01-02\n[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n[providers.yahoo]\n'
        '[tiers]\nwarm = "warm"\n'
    )
    place = FolderObjects(tmp_path / "place")
    manifest = await make(made.folder, place.place, label="", recipient="", config=config)
    assert (await verify(manifest, opener=Opener(place), scratch=tmp_path)).whole
    await restored(place, tmp_path / "back")
    assert files(tmp_path / "back")["truetape.toml"] == config.read_bytes()


async def test_a_full_disk_is_told_and_is_no_harm(tmp_path: Path) -> None:
    """At the place and at the folder that is restored; when there is room both go on where they were."""
    made = await tape(tmp_path / "data", days=2)
    await made.close()
    code = FULL.format(tests=str(Path(__file__).parent))
    paths = (tmp_path / name for name in ("data", "place", "back"))
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["create file too large", "restore file too large False"]
    assert files(tmp_path / "data") == files(tmp_path / "back")
