"""kill -9 at every kind of moment of a backup and of a restore."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from backup_folder import back_up, bring_back, files, restored, tape

from lengths import usually
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.folder_objects import FolderObjects
from truetape.app.backups.catalogue import key_of, manifests
from truetape.app.backups.creating import Wish, create
from truetape.app.backups.lease import LEASES
from truetape.app.backups.restoring import choose
from truetape.app.backups.sealing import Opener
from truetape.app.backups.verifying import verify

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["backup_folder"])
PUTS = ((1, True), (3, False), (99, False))  # the last is more than a backup has: it ends
GETS = ((2, False), (3, True), (99, False))  # likewise of a restore


ROUNDS = usually(2, long=40)
LONGEST_S = 1.0  # a job of the small folder takes less, mostly


def killed_at(moment_s: float, job: Callable[..., None], *given: object) -> None:
    """Run `job` in a process of its own, and kill it after `moment_s` if it has not ended."""
    process = FORKS.Process(target=job, args=given)
    process.start()
    process.join(moment_s)
    process.kill()
    process.join(60)


def killed(job: Callable[..., None], *given: object) -> bool:
    """Run `job` in a process of its own, and return whether it killed itself on the way."""
    process = FORKS.Process(target=job, args=given)
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


async def test_a_backup_that_is_killed_leaves_no_harm_and_goes_on(tmp_path: Path) -> None:
    """Before and after a put, early and late: what was there before is whole, and the next backup is."""
    made, place = await tape(tmp_path / "data", days=2), FolderObjects(tmp_path / "place")
    first = await create(Wish(folder=made.folder), made.store, place)
    await made.day()
    await made.close()
    ends = []
    for point, after in PUTS:
        ends.append(killed(back_up, made.folder, tmp_path / "place", point, after))
        for lease in (tmp_path / "place" / LEASES).iterdir():
            lease.unlink()  # a quarter of an hour later
        found = await manifests(place)
        assert found[0] == first
        there = {one.key: one.size async for one in place.list("objects/")}
        assert {key_of(name): size for one in found for name, size in one.objects.items()}.items() <= there.items()
    assert ends == [True, True, False]
    assert (await verify(first, opener=Opener(place), scratch=tmp_path)).whole
    await restored(place, tmp_path / "back")
    assert files(made.folder) == files(tmp_path / "back")


@pytest.mark.parametrize("at", usually([250], long=[0, 250]))
async def test_a_restore_that_is_killed_goes_on(tmp_path: Path, at: int) -> None:
    """Before and after a get, again and again into one folder: it is a data folder when it is whole, not before."""
    made, place = await tape(tmp_path / "data", days=3), FolderObjects(tmp_path / "place")
    await create(Wish(folder=made.folder), made.store, place, now=lambda: 1_000)
    await made.close()
    into = tmp_path / "back"
    ends = []
    for point, after in GETS:
        ends.append(killed(bring_back, tmp_path / "place", into, at, point, after))
        assert (into / "truetape.json").exists() != ends[-1]
    assert ends == [True, True, False]
    if not at:
        assert files(made.folder) == files(into)
    await restored(place, tmp_path / "other", at=at or None)
    names = [name for name in files(into) if name != "truetape.duckdb" or not at]
    assert [files(into)[name] for name in names] == [files(tmp_path / "other")[name] for name in names]


@pytest.mark.slow
async def test_kills_at_random_moments_are_no_harm(tmp_path: Path) -> None:
    """Days are written, backups and restores of them killed: every backup that is there comes back whole and right."""
    luck, place = random.Random(1), FolderObjects(tmp_path / "place")
    for number in range(1, ROUNDS + 1):
        made = await tape(tmp_path / "data", days=0, seed=number)
        made.known = [100 * one for one in range(1, number)]
        await made.day(payload=50_000)
        await made.close()
        killed_at(luck.random() * LONGEST_S, back_up, made.folder, tmp_path / "place", 99, False)
        shutil.rmtree(tmp_path / "place" / LEASES, ignore_errors=True)
        store = DuckdbStore(made.folder / "truetape.duckdb")
        await create(Wish(folder=made.folder), store, place, now=lambda: 100 * number)  # noqa: B023
        await store.close()
        into, at = tmp_path / f"back {number}", luck.choice((0, 100 * luck.randrange(1, number + 1)))
        chosen = await choose(place, at=at or None)
        killed_at(luck.random() * LONGEST_S, bring_back, tmp_path / "place", into, at, 99, False)
        if not (into / "truetape.json").exists():
            await restored(place, into, at=at or None)
        store = DuckdbStore(into / "truetape.duckdb")
        days = at // 100 or chosen.manifest.version
        assert (store.version(), len(await store.read("decisions"))) == (days, days)
        await store.close()
        archive = FileArchive(into / "archive", read_only=True)
        assert (list(archive.scrub()), len(list(archive.journal()))) == ([], days)
        shutil.rmtree(into)
