"""A whole platform's data, restored as known at an instant, and told again what its journal knows."""

from __future__ import annotations

from pathlib import Path

from polars.testing import assert_frame_equal

from small_platform import acquired, declared_settings
from truetape.adapters.data_folder import ARCHIVE, STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.folder_objects import FolderObjects
from truetape.app.backups.making import make, verified
from truetape.app.backups.restoring import choose, restore
from truetape.app.backups.sealing import Opener
from truetape.app.run import Platform
from truetape.domain.messages import RoundClosed
from truetape.ports.store import Selection

DECIDED = ("bars", "actions", "quarantine")


async def test_a_platform_goes_on_from_any_instant(tmp_path: Path) -> None:
    """At the close of each round: what is decided is what was known then, once the platform has told the rest again."""
    data, place = await acquired(tmp_path / "data"), FolderObjects(tmp_path / "place")
    await make(data, place.place, label="", recipient="", config=tmp_path / "none")
    assert (await verified(place, "", opener=Opener(place), scratch=tmp_path, against=data)).whole
    journal = list(FileArchive(data / ARCHIVE, read_only=True).journal())
    rounds = [entry.ts_known for entry in journal if isinstance(entry, RoundClosed)]
    original = DuckdbStore(data / STORE, read_only=True)
    for number, at in enumerate((rounds[0] - 1, rounds[0], rounds[-1])):
        into = tmp_path / f"back {number}"
        restored = await restore(await choose(place, at=at), into=into, opener=Opener(place))
        assert restored.left_out == sum(entry.ts_known > at for entry in journal)
        settings = declared_settings(into, sandbox_url="http://127.0.0.1:9")
        async with Platform(settings, command="test") as platform:
            await platform.recover()
            await platform.parts.bus.drain()
            for table in DECIDED:
                expected = await original.read(table, Selection(as_of=at))
                assert_frame_equal(expected, await platform.parts.store.read(table))
    await original.close()
