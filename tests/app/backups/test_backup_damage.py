"""Objects of a backup that rot: found, named, and stored again by the next backup."""

from __future__ import annotations

from pathlib import Path

import pytest
from backup_folder import files, restored, tape

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.folder_objects import FolderObjects
from truetape.app.backup_settings import Keep
from truetape.app.backups.catalogue import MANIFESTS, key_of, manifests
from truetape.app.backups.creating import Wish, create
from truetape.app.backups.pruning import prune
from truetape.app.backups.restoring import contents_of
from truetape.app.backups.sealing import Opener
from truetape.app.backups.verifying import verify
from truetape.domain.errors import DamagedBackup


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("part", "damage", "words", "heals"),
    [
        ("store", flip, "is not what was written", False),
        ("store", remove, "is missing", True),
        ("journal", cut, "is not what was written", True),
        ("payloads", flip, "is not what was written", False),
        ("payloads", cut, "is not what was written", True),
        ("contents", remove, "is missing", True),
    ],
)
async def test_a_damaged_object_is_found_and_named(
    tmp_path: Path, damage: object, words: str, heals: bool, part: str
) -> None:
    """By a restore, which ends, and by a verification; the next backup stores again what its size betrays."""
    assert callable(damage)
    made, place = await tape(tmp_path / "data", days=3), FolderObjects(tmp_path / "place")
    manifest = await create(Wish(folder=made.folder), made.store, place)
    opener = Opener(place)
    contents = await contents_of(manifest, opener)
    name = {
        "store": contents.files[0].pieces[0].name,
        "journal": contents.files[1].pieces[0].name,
        "payloads": contents.packs[0].name,
        "contents": manifest.contents.name,
    }[part]
    damage(tmp_path / "place" / key_of(name))
    with pytest.raises(DamagedBackup, match=f"{key_of(name)} {words}"):
        await restored(place, tmp_path / "back")
    assert not (tmp_path / "back" / "truetape.json").exists()
    found = await verify(manifest, opener=opener, scratch=tmp_path)
    assert not found.whole
    assert [(one.name, one.found) for one in found.compared if not one.same] == [(key_of(name), words)]
    if heals:
        await create(Wish(folder=made.folder), made.store, place)
        assert (await verify(manifest, opener=opener, scratch=tmp_path)).whole or part == "contents"
    await made.close()


async def test_a_damaged_manifest_is_found_and_stops_pruning(tmp_path: Path) -> None:
    """Nobody knows then what it needs: nothing is removed."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    first = await create(Wish(folder=made.folder), made.store, place)
    await made.day()
    second = await create(Wish(folder=made.folder), made.store, place)
    await made.close()
    everything = sorted(path for path in (tmp_path / "place" / "objects").rglob("*"))
    flip(tmp_path / "place" / MANIFESTS / first.backup_id)
    with pytest.raises(DamagedBackup, match=f"backups/{first.backup_id} is not what was written"):
        await prune(place, Keep(newest=1), now=lambda: 2 * second.created, dry=False)
    with pytest.raises(DamagedBackup):
        await manifests(place)
    assert everything == sorted(path for path in (tmp_path / "place" / "objects").rglob("*"))
    await restored(place, tmp_path / "back", backup_id=second.backup_id)
    assert files(made.folder) == files(tmp_path / "back")


async def test_a_store_that_lost_a_row_is_found(tmp_path: Path) -> None:
    """By comparing it row by row with its backup: which table, and how many rows differ."""
    made, place = await tape(tmp_path / "data", days=3), FolderObjects(tmp_path / "place")
    manifest = await create(Wish(folder=made.folder), made.store, place)
    with made.store._cursor() as cursor:
        cursor.execute("DELETE FROM quarantine WHERE ts_event = (SELECT max(ts_event) FROM quarantine)")
    found = await verify(manifest, opener=Opener(place), scratch=tmp_path, against=made.store)
    assert [(one.name, one.found) for one in found.compared if not one.same] == [
        ("quarantine, row by row", "3 differ")  # of frames of unlike lengths nobody knows which
    ]
    await made.close()


async def test_tables_are_compared_with_what_they_were(tmp_path: Path) -> None:
    """A row more in a table is found in a backup whose sums were told before."""
    made, place = await tape(tmp_path / "data", days=3), FolderObjects(tmp_path / "place")
    manifest = await create(Wish(folder=made.folder), made.store, place)
    contents = await contents_of(manifest, Opener(place))
    assert {name: one.rows for name, one in contents.tables.items() if one.rows} == {
        "bars": len(await made.store.read("bars")),
        "bars_past": len(await read_past(made.store)),
        "quarantine": 3,
        "decisions": 3,
    }
    await made.close()


async def read_past(store: DuckdbStore) -> list[tuple[object, ...]]:
    from truetape.ports.store import Selection

    everything = await store.read("bars", Selection(history=True))
    current = await store.read("bars")
    return everything.join(current, on=["ts_event", "version"], how="anti").rows()
