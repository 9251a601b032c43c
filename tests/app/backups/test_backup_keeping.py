"""Backups on a schedule: made, proved, told when they fail or are late, and made for whoever asks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from backup_folder import Tape, files, restored, tape

from pipeline_doubles import Heard
from room_doubles import FrameStore
from truetape.adapters.folder_objects import FolderObjects
from truetape.adapters.set_clock import SetClock
from truetape.app.backup_settings import Backing, Keep
from truetape.app.backups.asking import Refused, Told, Wanted, ask, taken, tell
from truetape.app.backups.catalogue import key_of, manifests
from truetape.app.backups.keeping import BackupWatch
from truetape.app.backups.making import make, verified
from truetape.app.backups.sealing import Opener, new_identity
from truetape.app.backups.standing import in_words, standing_of, told_of
from truetape.domain.errors import FolderInUse, StoreUnavailable
from truetape.domain.messages import FindingsStored
from truetape.domain.wire import unpack
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

HOUR = 3600 * 10**9
START = 1_800_000_000 * 10**9


class Kept:
    """A platform's backups, with a clock that the test moves."""

    def __init__(self, made: Tape, **settings: object) -> None:
        self.clock = SetClock(START)
        wanted = Backing(**{"every_s": 3600.0, "verify_every_s": 7200.0, **settings})  # type: ignore[arg-type]
        self.watch = BackupWatch(wanted, made.folder, made.store, self.clock)
        self.bus = Heard()
        self.storage = StorageService(bus=self.bus, store=FrameStore(), config=StorageConfig(simulated=False))

    async def look(self) -> list[tuple[str, str]]:
        """Do what is due, and return what was told then: checks and words."""
        self.bus.happened.clear()
        await self.watch.due()
        await self.watch.look(self.storage)
        told = [unpack(one.troubles) for one in self.bus.of(FindingsStored)]
        return [row for one in told for row in one.select("check", "explanation").iter_rows()]


async def test_backups_are_made_and_proved_when_they_are_due(tmp_path: Path) -> None:
    """Every hour one, every second one proved against the store; nothing is told while all is well."""
    made, place = await tape(tmp_path / "data", days=2), FolderObjects(tmp_path / "place")
    kept = Kept(made, to=str(tmp_path / "place"))
    counts = []
    for _ in range(4):
        assert await kept.look() == []
        assert await kept.look() == []
        standing = kept.watch.standing
        counts.append((len(await manifests(place)), (kept.clock.now_ns() - standing.proved) // HOUR))
        kept.clock.advance(3600.0)
        await made.day()
    assert counts == [(1, 0), (2, 1), (3, 0), (4, 1)]
    assert kept.watch.standing.opened
    assert kept.watch.standing == standing_of(made.folder)
    told = {family.name: family.values for family in kept.watch.families()}
    assert told["backup_age_seconds"] == {(): 3600.0}
    assert told["backup_troubles"] == {("backup",): 0, ("drill",): 0}
    newest = kept.watch.standing.backup_id
    assert in_words(kept.watch.standing, now_ns=kept.clock.now_ns()) == [
        f"backups: at {tmp_path / 'place'}, the newest is 1 h old ({newest})",
        f"backups: {kept.watch.standing.proved_id} was proved by a restore 2 h ago",
    ]
    about = told_of(made.folder)
    assert about is not None
    assert (about["backup_id"], about["tried"], about["failed"]) == (newest, "2027-01-15T11:00:00Z", "")
    assert told_of(tmp_path) is None
    await made.close()


async def test_old_backups_go_if_the_settings_say_so(tmp_path: Path) -> None:
    """Two newest stay of four."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    kept = Kept(made, to=str(tmp_path / "place"), keep=Keep(newest=2), verify_every_s=1e6)
    counts = []
    for _ in range(4):
        assert await kept.look() == []
        counts.append(len(await manifests(place)))
        kept.clock.advance(3600.0)
    assert counts == [1, 2, 2, 2]
    await made.close()


async def test_a_failure_is_told_once_and_its_end_too(tmp_path: Path) -> None:
    """The place cannot be written; it is tried again after five minutes, and when it works that is told."""
    made = await tape(tmp_path / "data", days=1)
    (tmp_path / "place").write_bytes(b"a file is in the way")
    kept = Kept(made, to=str(tmp_path / "place"))
    ((check, words),) = await kept.look()
    assert (check, words.partition(":")[0]) == ("backup_trouble", f"No backup was made at {tmp_path / 'place'}")
    (tmp_path / "place").unlink()
    assert await kept.look() == []  # it is not tried at once
    assert in_words(kept.watch.standing, now_ns=START)[1].startswith("backups: the last try failed: The store at")
    kept.clock.advance(300.0)
    assert await kept.look() == [("backup_made", "It is over.")]
    await made.close()


async def test_backups_that_are_late_are_told(tmp_path: Path) -> None:
    """Half as late again as they are apart, though none failed: say because one hangs, or is the first."""
    made = await tape(tmp_path / "data", days=1)
    kept = Kept(made, to=str(tmp_path / "place"))
    kept.clock.advance(5_401.0)
    assert set(kept.watch.troubles()) == {"backup"}
    kept.clock.advance(5_400.0)
    assert kept.watch.troubles() == {
        "backup": f"The last backup at {tmp_path / 'place'} is 3 h old; one is due every 1 h.",
        "drill": f"No backup at {tmp_path / 'place'} has been proved for 3 h; that is due every 2 h.",
    }
    assert Kept(made).watch.troubles() == {}
    await made.close()


async def test_a_backup_that_rots_is_told(tmp_path: Path) -> None:
    """The next drill finds it; the words name the object; another backup, proved, ends it."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    kept = Kept(made, to=str(tmp_path / "place"), every_s=1e6)
    assert await kept.look() == []
    (manifest,) = await manifests(place)
    (tmp_path / "place" / key_of(manifest.contents.name)).unlink()
    kept.clock.advance(7_200.0)
    ((check, words),) = await kept.look()
    assert check == "backup_damaged"
    assert f"{key_of(manifest.contents.name)}: is missing instead of whole" in words
    await place.delete(f"backups/{manifest.backup_id}")
    kept.clock.advance(300.0)
    assert await kept.look() == []
    assert "keeps no object" in kept.watch.standing.damaged
    kept.clock.advance(1e6)
    assert await kept.look() == [("backup_verified", "It is over.")]
    await made.close()


async def test_sealed_backups_are_proved_by_their_sums_or_with_the_identity(tmp_path: Path) -> None:
    """Without it the machine that makes them cannot read them."""
    identity, recipient = new_identity()
    (tmp_path / "key").write_text(identity)
    made = await tape(tmp_path / "data", days=1)
    for name, opened in (("", False), (str(tmp_path / "key"), True)):
        kept = Kept(made, to=str(tmp_path / f"place {opened}"), recipient=recipient, identity=name)
        assert await kept.look() == []
        assert kept.watch.standing.opened is opened
    await made.close()


async def test_a_running_platform_makes_the_backup_that_is_asked_for(tmp_path: Path) -> None:
    """With its progress; what it cannot do is told in its words."""
    made = await tape(tmp_path / "data", days=2)
    kept, told = Kept(made), []
    working = asyncio.create_task(kept.watch.work(kept.storage))
    (tmp_path / "settings.toml").write_text("start = 2020-01-01\n")
    try:
        manifest = await ask(
            made.folder, str(tmp_path / "place"), label="by hand", recipient="", settings=tmp_path / "settings.toml",
            on_progress=lambda done, total: told.append((done, total)),
        )  # fmt: skip
        with pytest.raises(Refused, match="recipient was 'x'"):
            await ask(made.folder, str(tmp_path / "place"), label="", recipient="x", settings=None)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert (manifest.label, told[-1]) == ("by hand", (manifest.size, manifest.size))
    await made.close()
    await restored(FolderObjects(tmp_path / "place"), tmp_path / "back")
    assert files(tmp_path / "back")["truetape.toml"] == b"start = 2020-01-01\n"


async def test_who_takes_no_wishes_is_named(tmp_path: Path) -> None:
    """A process that owns the folder and does something else; and one that stops before it is done."""
    made = await tape(tmp_path / "data", days=1)
    with pytest.raises(FolderInUse, match="process"):
        await ask(made.folder, "place", label="", recipient="", settings=None, patience_s=0.1)
    assert taken(made.folder) is None
    asking = asyncio.create_task(ask(made.folder, "place", label="", recipient="", settings=None))
    wanted = None
    for _ in range(400):
        wanted = wanted or taken(made.folder)
        await asyncio.sleep(0 if wanted else 0.05)
    assert wanted is not None
    tell(made.folder, Told(wish_id=wanted.wish_id, done=1, total=2))
    await asyncio.sleep(0.2)
    await made.close()
    with pytest.raises(StoreUnavailable, match="the platform on it stopped"):
        await asking


async def test_a_wish_that_is_no_wish_is_forgotten(tmp_path: Path) -> None:
    """Bytes of somebody else's in its place."""
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "wanted.json").write_bytes(b"{")
    assert (taken(tmp_path), taken(tmp_path)) == (None, None)
    wanted = Wanted(wish_id="1", place="here")
    (tmp_path / "backups" / "wanted.json").write_bytes(msgspec.json.encode(wanted))
    assert (taken(tmp_path), taken(tmp_path)) == (wanted, None)


async def test_a_folder_that_nobody_uses_is_backed_up_and_verified(tmp_path: Path) -> None:
    """By a process of its own, which gives it back; also one without a store yet."""
    made = await tape(tmp_path / "data", days=2)
    await made.close()
    place = FolderObjects(tmp_path / "place")
    manifest = await make(made.folder, place.place, label="", recipient="", config=tmp_path / "none")
    found = await verified(place, "", opener=Opener(place), scratch=tmp_path, against=made.folder)
    assert (found.whole, found.backup_id) == (True, manifest.backup_id)
    assert (await verified(place, "", opener=Opener(place), scratch=None, against=None)).whole
    (made.folder / "truetape.duckdb").unlink()
    bare = await make(made.folder, place.place, label="", recipient="", config=tmp_path / "none")
    assert (bare.version, (await verified(place, "", opener=Opener(place), scratch=None, against=None)).whole) == (
        0,
        True,
    )
    await restored(place, tmp_path / "back")
    assert files(made.folder) == files(tmp_path / "back")
    await restored(place, tmp_path / "early", backup_id=bare.backup_id, at=150)
    assert (tmp_path / "early" / "archive" / "journal.jsonl").read_bytes().count(b"\n") == 1
