"""What is told of a disk in trouble, and when: by rows, metrics and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline_doubles import Heard
from room_doubles import FrameStore
from truetape.app.disk_settings import Disk
from truetape.app.disk_watch import DiskWatch
from truetape.domain.commits import Commits
from truetape.domain.errors import StoreUnavailable
from truetape.domain.messages import FindingsStored
from truetape.domain.wire import unpack
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService


class Watched:
    """A watch with a clock that stands still, and an archive whose words the test sets."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.commits = Commits(lambda: 0.0)
        self.archive = ""
        disk = Disk(**{"low_bytes": 0, **limits})
        self.watch = DiskWatch(self.commits, folder, archive=lambda: self.archive, disk=disk)
        self.bus = Heard()
        self.storage = StorageService(bus=self.bus, store=FrameStore(), config=StorageConfig(simulated=True))

    async def look(self) -> list[tuple[str, str, str]]:
        """Look, and return what was told then: checks, severities and words."""
        self.bus.happened.clear()
        await self.watch.look(self.storage, now_ns=7)
        told = [unpack(one.troubles) for one in self.bus.of(FindingsStored)]
        return [row for one in told for row in one.select("check", "severity", "explanation").iter_rows()]

    def fail(self, reason: str) -> None:
        with pytest.raises(StoreUnavailable), self.commits.one():
            raise StoreUnavailable(path="there", reason=reason)


async def test_each_trouble_is_told_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    """The store fails, then the archive too, then the store writes again, then both are well."""
    watched = Watched(tmp_path)
    told = [await watched.look()]
    watched.fail("it is full")
    told += [await watched.look(), await watched.look()]
    watched.fail("it is still full")
    watched.archive = "The archive is full."
    told.append(await watched.look())
    with watched.commits.one():
        pass
    told.append(await watched.look())
    watched.archive = ""
    told.append(await watched.look())

    assert [
        [],
        [("store_trouble", "error", "The store at there could not be used: it is full.")],
        [],
        [("archive_trouble", "error", "The archive is full.")],
        [("store_well", "note", "It is over.")],
        [("archive_well", "note", "It is over.")],
    ] == told


async def test_a_disk_that_gets_full_is_told_before_it_is(tmp_path: Path) -> None:
    """Less room than the settings want is a warning with both numbers."""
    watched = Watched(tmp_path, low_bytes=10**18)
    ((check, severity, words),) = await watched.look()

    assert ("disk_low", "warning") == (check, severity)
    assert words.endswith(f"GB are free on the disk of {tmp_path}; less than 1e+09 GB.")
    assert [words] == list(watched.watch.troubles().values())


def test_metrics_say_how_commits_fare(tmp_path: Path) -> None:
    """Counts of done, failed and waiting commits, and the room that is left."""
    watched = Watched(tmp_path)
    watched.fail("it is full")
    with watched.commits.one():
        found = {one.name: one.values[()] for one in watched.watch.families()}

    room = found.pop("disk_free_bytes")
    assert room > 0
    assert {
        "commits": 0,
        "commits_failed": 1,
        "commit_seconds": 0.0,
        "commits_waiting": 1,
        "oldest_commit_seconds": 0.0,
    } == found
