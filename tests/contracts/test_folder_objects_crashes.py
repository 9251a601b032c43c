"""What objects in a folder make of kills, full disks, removed folders and what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from truetape.adapters.folder_objects import INCOMING, FolderObjects
from truetape.domain.errors import BadInput, StoreUnavailable

PUT_FOREVER = """
import asyncio, itertools, sys
from pathlib import Path
from truetape.adapters.folder_objects import FolderObjects

async def put_forever():
    objects = FolderObjects(Path(sys.argv[1]))
    for number in itertools.count():
        await objects.put("one", bytes([number % 256]) * 300_000)
        await objects.put(f"new/{number:06}", b"n" * 1000, only_new=True)
        print(number, flush=True)

asyncio.run(put_forever())
"""
FULL = """
import asyncio, resource, sys
from pathlib import Path
from truetape.adapters.folder_objects import FolderObjects
from truetape.domain.errors import StoreUnavailable

objects = FolderObjects(Path(sys.argv[1]))
asyncio.run(objects.put("a", b"before"))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
for body in (b"1" * 2_000, Path(sys.argv[2])):
    try:
        asyncio.run(objects.put("a", body))
    except StoreUnavailable as error:
        print(error.reason, error.path == sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
"""


def killed(place: Path, after_s: float) -> int:
    """Put until killed, and return the number of the last round that was acknowledged."""
    with subprocess.Popen([sys.executable, "-c", PUT_FOREVER, place], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(after_s)
        process.kill()
        return int([first, *process.stdout.read().split()][-1])


async def test_what_was_acknowledged_is_there_after_kill(tmp_path: Path) -> None:
    """At any moment: objects are whole, those acknowledged are there, and drafts are not among them."""
    acknowledged = -1
    for wait_s in (0.0, 0.02, 0.05):
        acknowledged = max(acknowledged, killed(tmp_path, wait_s))
        objects = FolderObjects(tmp_path)
        one = await objects.get("one")
        assert one == one[:1] * 300_000
        sizes = {stat.key: stat.size async for stat in objects.list("new/")}
        assert set(sizes.values()) == {1000}
        assert {f"new/{number:06}" for number in range(acknowledged + 1)} <= set(sizes)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    """An object that does not fit is refused in words; the one before it stands, and nothing lies about."""
    place, body = tmp_path / "place", tmp_path / "body"
    body.write_bytes(b"2" * 2_000)
    done = subprocess.run([sys.executable, "-c", FULL, place, body], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["file too large True"] * 2
    files = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert files == {"a": b"before"}


async def test_drafts_of_the_dead_are_swept(tmp_path: Path) -> None:
    """Those that nobody has touched for a day; a fresh one may be somebody's who is writing."""
    incoming = tmp_path / INCOMING
    incoming.mkdir()
    for name, age_s in (("old", 90_000), ("fresh", 60)):
        (incoming / name).write_bytes(b"")
        os.utime(incoming / name, (time.time() - age_s,) * 2)
    objects = FolderObjects(tmp_path)
    assert [one.key async for one in objects.list()] == []
    await objects.put("a", b"1")
    assert [path.name for path in incoming.iterdir()] == ["fresh"]


async def test_a_key_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    """Nothing is lost either way."""
    objects = FolderObjects(tmp_path)
    await objects.put("a/b", b"1")
    await objects.put("c", b"2")
    for key in ("a", "c/d", "c/d/e"):
        for only_new in (False, True):
            with pytest.raises(BadInput, match="choose another key"):
                await objects.put(key, b"3", only_new=only_new)
    assert [(one.key, one.size) async for one in objects.list()] == [("a/b", 1), ("c", 1)]


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Because a file is in its place; reading there finds nothing."""
    (tmp_path / "file").write_bytes(b"")
    objects = FolderObjects(tmp_path / "file" / "place")
    with pytest.raises(StoreUnavailable, match="a file lies where a folder is needed"):
        await objects.put("a", b"1")
    assert [one async for one in objects.list()] == []


async def test_a_body_that_is_missing_is_told(tmp_path: Path) -> None:
    """The file to keep was removed."""
    with pytest.raises(StoreUnavailable, match="no such file"):
        await FolderObjects(tmp_path / "place").put("a", tmp_path / "missing")
