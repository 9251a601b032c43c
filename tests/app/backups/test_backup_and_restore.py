"""Backups of a data folder, and what comes back of them."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from pathlib import Path

import msgspec
import pytest
from backup_folder import Tape, files, restored, spent, tape
from polars.testing import assert_frame_equal

from truetape.adapters.data_folder import ARCHIVE, STORE, DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.folder_objects import FolderObjects
from truetape.app.backups import storing
from truetape.app.backups.catalogue import Manifest, manifests
from truetape.app.backups.creating import Wish, create
from truetape.app.backups.lease import LEASES, leased
from truetape.app.backups.restoring import RESTORING
from truetape.app.backups.sealing import Opener, identities_in, new_identity
from truetape.app.backups.verifying import verify
from truetape.domain.errors import BadInput, PlaceInUse, StoreUnavailable, WrongFolder
from truetape.ports.store import Selection

TABLES_READ = ("bars", "quarantine", "decisions")


async def backed_up(made: Tape, place: FolderObjects, *, recipient: str = "", label: str = "") -> Manifest:
    return await create(Wish(folder=made.folder, recipient=recipient, label=label), made.store, place)


async def test_what_is_restored_is_what_was_there(tmp_path: Path) -> None:
    """Byte for byte: store, journal, payloads, ledger, settings and marker; it opens, and goes on."""
    made, place = await tape(tmp_path / "data", days=4), FolderObjects(tmp_path / "place")
    (tmp_path / "settings.toml").write_text("start = 2020-01-01\n")
    wish = Wish(folder=made.folder, settings=tmp_path / "settings.toml", label="before the move")
    manifest = await create(wish, made.store, place)
    assert [manifest] == await manifests(place)
    assert (manifest.version, manifest.entries, manifest.label) == (4, 4, "before the move")
    await made.close()
    await restored(place, tmp_path / "back")
    expected = files(made.folder) | {"truetape.toml": b"start = 2020-01-01\n"}
    assert expected == files(tmp_path / "back")
    assert spent(made.folder) == spent(tmp_path / "back")
    assert any("yahoo" in line for line in spent(made.folder))
    again = Tape(tmp_path / "back")
    again.known = list(made.known)
    await again.day()
    assert again.store.version() == 5
    await again.close()


async def test_only_what_is_new_is_stored(tmp_path: Path) -> None:
    """A second backup stores nothing of the payloads before; each gives back its own state."""
    made, place = await tape(tmp_path / "data", days=3), FolderObjects(tmp_path / "place")
    await made.day(payload=300_000)
    first = await backed_up(made, place)
    before = files(made.folder) | {}
    await made.day()
    second = await backed_up(made, place)
    third = await backed_up(made, place)
    assert first.added > 300_000
    assert second.added < 300_000
    assert third.added < 10_000  # its list of contents at most
    assert second.size > first.size
    await restored(place, tmp_path / "first", backup_id=first.backup_id)
    await restored(place, tmp_path / "third")
    assert {name: before[name] for name in before if name != STORE} == {
        name: body for name, body in files(tmp_path / "first").items() if name != STORE
    }
    await made.close()
    assert files(made.folder) == files(tmp_path / "third")
    store = DuckdbStore(tmp_path / "first" / STORE, read_only=True)
    assert (store.version(), len(await store.read("decisions"))) == (4, 4)
    await store.close()


async def test_a_folder_that_forgot_its_backups_goes_on_where_they_end(tmp_path: Path) -> None:
    """The place tells what is in its last backup, unless it is sealed: then everything is stored again."""
    identity, recipient = new_identity()
    made = await tape(tmp_path / "data", days=3)
    await made.day(payload=300_000)
    for name, sealed_for in (("open", ""), ("sealed", recipient)):
        place = FolderObjects(tmp_path / name)
        await backed_up(made, place, recipient=sealed_for)
        assert (await backed_up(made, place, recipient=sealed_for)).added < 10_000
        for file in (made.folder / "backups").iterdir():
            file.unlink()
        again = await backed_up(made, place, recipient=sealed_for)
        assert (again.added > 300_000) == bool(sealed_for)
        await restored(place, tmp_path / f"back {name}", identities=(identity,))
    await made.close()
    assert files(tmp_path / "back open") == files(tmp_path / "back sealed") == files(made.folder)


async def test_another_tape_at_the_same_place_is_no_harm(tmp_path: Path) -> None:
    """Also where its journal begins otherwise than that of the last backup: both are whole."""
    place = FolderObjects(tmp_path / "place")
    for name in ("one", "two"):
        made = await tape(tmp_path / name, days=3, seed=len(name) + ord(name[0]))
        manifest = await backed_up(made, place)
        (made.folder / "backups").rename(tmp_path / f"backups of {name}")
        await made.close()
        await restored(place, tmp_path / f"back {name}", backup_id=manifest.backup_id)
        assert files(made.folder) == files(tmp_path / f"back {name}")


@pytest.mark.parametrize("seed", range(2))
async def test_a_restore_as_known_at_any_time_answers_as_the_store_did(tmp_path: Path, seed: int) -> None:
    """Days at random times, backups between them, a random instant: rows, history and journal end there."""
    luck = random.Random(seed)
    made, place = await tape(tmp_path / "data", days=2, seed=seed), FolderObjects(tmp_path / "place")
    known = 200
    for _ in range(10):
        known += luck.randrange(1, 100)
        await made.day(known=known)
        if luck.random() < 0.3:
            await create(Wish(folder=made.folder), made.store, place, now=lambda: known)  # noqa: B023
    await create(Wish(folder=made.folder), made.store, place, now=lambda: known)
    at = luck.randrange(100, known + 1)
    version = sum(one <= at for one in made.known)
    await restored(place, tmp_path / "back", at=at)
    store = DuckdbStore(tmp_path / "back" / STORE)
    assert version == store.version()
    for table in TABLES_READ:
        for history in (False, True):
            for earlier in (version, luck.randrange(version + 1)):
                question = Selection(history=history, at_version=earlier)
                assert_frame_equal(await made.store.read(table, question), await store.read(table, question))
        assert_frame_equal(await made.store.read(table, Selection(at_version=version)), await store.read(table))
    kept = list(FileArchive(tmp_path / "back" / ARCHIVE, read_only=True).journal())
    assert [entry for entry in made.archive.journal() if entry.ts_known <= at] == kept
    await store.close()
    await made.close()
    DataFolder.open(tmp_path / "back", simulated=False).close()


async def test_a_backup_is_of_one_version_while_days_are_written(tmp_path: Path) -> None:
    """What is stored during it belongs to the next one; the journal covers all that the store knows."""
    made, place = await tape(tmp_path / "data", days=5), FolderObjects(tmp_path / "place")

    async def write() -> None:
        for _ in range(15):
            await made.day()
            await asyncio.sleep(0)

    manifest, _ = await asyncio.gather(backed_up(made, place), write())
    await restored(place, tmp_path / "back")
    store = DuckdbStore(tmp_path / "back" / STORE, read_only=True)
    assert store.version() == manifest.version
    for table in TABLES_READ:
        assert_frame_equal(
            await made.store.read(table, Selection(at_version=manifest.version, history=True)),
            await store.read(table, Selection(history=True)),
        )
    archive = FileArchive(tmp_path / "back" / ARCHIVE, read_only=True)
    assert list(archive.scrub()) == []
    assert len(list(archive.journal())) >= manifest.version
    await store.close()
    found = await verify(manifest, opener=Opener(place), scratch=tmp_path, against=made.store)
    assert found.whole
    assert "every table, row by row" in {one.name for one in found.compared}
    await made.close()


async def test_what_is_sealed_is_opened_by_its_identity_alone(tmp_path: Path) -> None:
    """Names and bytes at the place tell nothing but sizes; without the identity objects can be checked, not read."""
    identity, recipient = new_identity()
    made = await tape(tmp_path / "data", days=3)
    places = [FolderObjects(tmp_path / name) for name in ("one", "two")]
    sealed = [await backed_up(made, place, recipient=recipient) for place in places]
    assert not set(sealed[0].objects) & set(sealed[1].objects)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert not any(word in everything for word in (b"yahoo", b"truetape.duckdb", b"journal"))
    for identities, words in (((), "is sealed; name"), ((new_identity()[0],), "sealed for somebody else")):
        with pytest.raises(BadInput, match=words):
            await restored(places[0], tmp_path / "back", identities=identities)
    found = await verify(sealed[0], opener=Opener(places[0]), scratch=tmp_path)
    assert (found.whole, found.opened) == (True, False)
    await made.close()
    await restored(places[0], tmp_path / "back", identities=(identity,))
    assert files(made.folder) == files(tmp_path / "back")


def test_what_opens_nothing_is_refused(tmp_path: Path) -> None:
    """Files that hold no identities, and words that are no recipient."""
    (tmp_path / "key").write_text("# a comment\nno identity\n")
    for name in ("key", "missing"):
        with pytest.raises(BadInput, match="AGE-SECRET-KEY-1"):
            identities_in(tmp_path / name)
    identity, recipient = new_identity()
    (tmp_path / "key").write_text(f"# recipient: {recipient}\n{identity}\n")
    assert identities_in(tmp_path / "key") == (identity,)


async def test_no_backup_is_made_of_what_is_none_or_for_nobody(tmp_path: Path) -> None:
    """A folder without a marker, and a recipient that is none."""
    place = FolderObjects(tmp_path / "place")
    with pytest.raises(WrongFolder, match="no data folder"):
        await create(Wish(folder=tmp_path), None, place)
    made = await tape(tmp_path / "data", days=1)
    with pytest.raises(BadInput, match="age1"):
        await backed_up(made, place, recipient="age1nonsense")
    await made.close()


async def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A ledger that is none, and a journal that is gone; a running platform must not stop for that."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    (made.folder / "ledger.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await backed_up(made, place)
    (made.folder / "archive" / "journal.jsonl").unlink()
    with pytest.raises(StoreUnavailable, match=r"journal\.jsonl could not be used: no such file"):
        await backed_up(made, place)
    assert await manifests(place) == []
    await made.close()


async def test_one_at_a_time_uses_a_place(tmp_path: Path) -> None:
    """A second one is told who does; a holder that died lets go by itself after a quarter of an hour."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    async with leased(place, what="a pruning", now=time.time_ns):
        with pytest.raises(PlaceInUse, match=r"in use by a pruning on .*, process"):
            await backed_up(made, place)
    async with leased(place, what="a dead one", now=lambda: time.time_ns() - 901 * 10**9) as lease:
        await backed_up(made, place)
        with pytest.raises(PlaceInUse):
            await lease.check()
    assert len([one async for one in place.list(LEASES)]) <= 2
    await made.close()


class Shut(FolderObjects):
    """A place into which nothing can be put while it is shut."""

    is_shut = False

    async def put(self, key: str, body: bytes | Path, *, only_new: bool = False) -> bool:
        if self.is_shut:
            raise StoreUnavailable(path=self.place, reason="it is shut")
        return await super().put(key, body, only_new=only_new)


async def test_a_lease_is_renewed_while_it_is_held(tmp_path: Path) -> None:
    """A place that cannot be written for a while is no end of it; nor is one that cannot be written at the end."""
    place, now = Shut(tmp_path / "place"), time.time_ns()
    async with leased(place, what="a backup", now=lambda: now, renewed_s=0.01):
        (key,) = [one.key async for one in place.list(LEASES)]
        before, now = await place.get(key), now + 800 * 10**9
        for _ in range(400):
            await asyncio.sleep(0 if await place.get(key) != before else 0.05)
        with pytest.raises(PlaceInUse):
            async with leased(place, what="another", now=lambda: now + 600 * 10**9):
                pass
        place.is_shut = True
        await asyncio.sleep(0.1)
    place.is_shut = False
    (lease,) = (tmp_path / "place" / LEASES).iterdir()
    lease.write_bytes(b"nonsense")
    async with leased(place, what="a third", now=lambda: now):
        pass


@pytest.mark.parametrize("held", ["notes.txt", RESTORING])
async def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, held: str) -> None:
    """Files of others, and another restore that was begun."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    await backed_up(made, place)
    await made.close()
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / held).write_bytes(msgspec.json.encode({"backup_id": "another", "at": None}))
    with pytest.raises(BadInput, match="folder"):
        await restored(place, tmp_path / "back")
    assert [path.name for path in (tmp_path / "back").iterdir()] == [held]


async def test_what_was_never_backed_up_is_told(tmp_path: Path) -> None:
    """No backups, an unknown id, a time after the newest."""
    place = FolderObjects(tmp_path / "place")
    with pytest.raises(BadInput, match="It holds no backups"):
        await restored(place, tmp_path / "back")
    made = await tape(tmp_path / "data", days=1)
    await backed_up(made, place)
    await made.close()
    with pytest.raises(BadInput, match="tells the ids"):
        await restored(place, tmp_path / "back", backup_id="20200101T000000Z-none")
    with pytest.raises(BadInput, match="The newest backup is of 2"):
        await restored(place, tmp_path / "back", at=2**62)


async def test_a_disk_that_is_too_small_is_told_before_it_is_full(tmp_path: Path) -> None:
    """By the sizes that the backup says of itself."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    manifest = await backed_up(made, place)
    await made.close()
    chosen = dataclasses.replace(
        await restored(place, tmp_path / "back"), manifest=msgspec.structs.replace(manifest, size=2**60)
    )
    from truetape.app.backups.restoring import restore

    with pytest.raises(StoreUnavailable, match="MB less than the backup needs"):
        await restore(chosen, into=tmp_path / "other", opener=Opener(place))


async def test_payloads_that_are_damaged_are_left_out_and_told(tmp_path: Path) -> None:
    """One flipped before the backup; when it is mended, the next backup has it."""
    made, place = await tape(tmp_path / "data", days=3), FolderObjects(tmp_path / "place")
    one = next((made.folder / ARCHIVE / "payloads").rglob("*.zst"))
    whole = one.read_bytes()
    one.write_bytes(whole[:-1])
    assert (await backed_up(made, place)).damaged == 1
    assert (await backed_up(made, place)).damaged == 1
    one.write_bytes(whole)
    assert (await backed_up(made, place)).damaged == 0
    await made.close()
    await restored(place, tmp_path / "back")
    assert files(made.folder) == files(tmp_path / "back")


async def test_large_payloads_and_files_go_in_pieces(tmp_path: Path) -> None:
    """A payload of more than a pack, and a store of several pieces, incrementally too."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    await made.day(payload=9 << 20)
    first = await backed_up(made, place)
    await made.day()
    second = await backed_up(made, place)
    assert first.size > 9 << 20
    assert second.added < 9 << 20
    await made.close()
    await restored(place, tmp_path / "back")
    assert files(made.folder) == files(tmp_path / "back")


def test_a_pack_is_the_same_for_the_same_payloads() -> None:
    """And gives them back."""
    bodies = {"archive/payloads/ab/c.zst": b"1" * 600, "archive/payloads/ab/d.zst": b""}
    assert storing.packed(bodies) == storing.packed(dict(bodies))
    assert storing.unpacked(storing.packed(bodies)) == bodies
