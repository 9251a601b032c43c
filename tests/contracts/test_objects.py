"""What every place for objects promises."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tracemalloc
import uuid
from pathlib import Path

import pytest

from servers import S3Server
from truetape.adapters.folder_objects import FolderObjects
from truetape.adapters.s3_objects import S3Access, S3Objects
from truetape.domain.errors import BadInput, NotKept
from truetape.ports.objects import Objects

LARGE = 21 << 20  # bytes: several parts, the last one not full


def objects_on(server: S3Server, prefix: str = "") -> S3Objects:
    access = S3Access(endpoint=server.endpoint, key=server.key, secret=server.secret)
    return S3Objects(server.bucket, prefix=prefix, access=access)


@pytest.fixture(params=["folder", "minio", "versitygw"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """A place of this test's own, with nothing in it."""
    if request.param == "folder":
        return FolderObjects(tmp_path / "place")
    return objects_on(request.getfixturevalue(request.param), f"tests/{uuid.uuid4().hex}")


async def keys(objects: Objects, prefix: str = "") -> list[str]:
    return [one.key async for one in objects.list(prefix)]


@pytest.mark.parametrize("body", [b"", b"abc", bytes(range(256)) * 5000], ids=["empty", "abc", "1.28 MB"])
async def test_an_object_comes_back_as_it_was_put(objects: Objects, tmp_path: Path, body: bytes) -> None:
    """As bytes, and as a file."""
    assert await objects.put("a/b.bin", body)
    await objects.fetch("a/b.bin", tmp_path / "copy")
    assert await objects.get("a/b.bin") == (tmp_path / "copy").read_bytes() == body


async def test_a_large_file_goes_there_and_back_in_bounded_memory(objects: Objects, tmp_path: Path) -> None:
    """21 MiB from a file and into one, with less than a quarter of it in Python's memory."""
    (tmp_path / "large").write_bytes(os.urandom(LARGE))
    tracemalloc.start()
    await objects.put("large", tmp_path / "large")
    up = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    await objects.fetch("large", tmp_path / "copy")
    assert digest(tmp_path / "large") == digest(tmp_path / "copy")
    assert up < LARGE / 4
    whole = (tmp_path / "large").read_bytes()
    assert await objects.get("large") == whole
    assert await objects.get("large", start=LARGE // 2) == whole[LARGE // 2 :]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (4, None, b"456789"),
        (4, 3, b"456"),
        (8, 100, b"89"),
        (10, None, b""),
        (10, 1, b""),
        (99, 1, b""),
        (0, 0, b""),
    ],
)
async def test_a_part_of_an_object_is_read_alone(
    objects: Objects, start: int, length: int | None, expected: bytes
) -> None:
    """From a start, at most so many bytes; behind the end there are none."""
    await objects.put("digits", b"0123456789")
    assert expected == await objects.get("digits", start=start, length=length)


@pytest.mark.parametrize("large", [False, True])
async def test_only_the_first_of_a_key_is_kept_if_asked_so(objects: Objects, tmp_path: Path, large: bool) -> None:
    """A second put with only_new leaves the object alone and says so; one without replaces it."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"1" * (LARGE if large else 10))
    second.write_bytes(b"2" * (LARGE if large else 10))
    assert await objects.put("key", first, only_new=True)
    assert not await objects.put("key", second, only_new=True)
    assert await objects.get("key", length=4) == b"1111"
    assert await objects.put("key", second)
    assert await objects.get("key", length=4) == b"2222"
    assert await keys(objects) == ["key"]


async def test_of_many_at_once_one_is_first(objects: Objects) -> None:
    """Eight put with only_new: one is told that it was kept, and its bytes are there."""
    bodies = [bytes([one]) * 1000 for one in range(8)]
    kept = await asyncio.gather(*(objects.put("lock", body, only_new=True) for body in bodies))
    assert kept.count(True) == 1
    assert await objects.get("lock") == bodies[kept.index(True)]


async def test_objects_are_listed_in_the_order_of_their_keys(objects: Objects) -> None:
    """Signs sort as they do in the keys, not as names in a folder; a prefix may end inside a name."""
    names = ["a-b", "a/b", "a/c/d", "a/c0", "a0", "ab/z", "c+x/y", "c-y", "c/x", "c0", "kind=bars/year=2024/1.parquet"]
    for name in reversed(names):
        await objects.put(name, name.encode())
    assert await keys(objects) == sorted(names)
    assert await keys(objects, "a/") == ["a/b", "a/c/d", "a/c0"]
    assert await keys(objects, "a/c") == ["a/c/d", "a/c0"]
    assert await keys(objects, "c") == ["c+x/y", "c-y", "c/x", "c0"]
    assert await keys(objects, "nothing/") == []
    (stat,) = [one async for one in objects.list("kind=")]
    assert (stat.key, stat.size) == (names[-1], len(names[-1]))
    assert stat.modified > 1_700_000_000 * 10**9


async def test_more_objects_than_one_page_are_listed(objects: Objects) -> None:
    """1,050 of them, where services give 1,000 at a time."""
    for at in range(0, 1_050, 50):
        await asyncio.gather(*(objects.put(f"many/{number:05}", b"") for number in range(at, at + 50)))
    assert await keys(objects, "many/") == [f"many/{number:05}" for number in range(1_050)]


async def test_nothing_is_there_before_the_first_put(objects: Objects) -> None:
    """An empty place lists nothing."""
    assert await keys(objects) == []


async def test_what_is_not_kept_is_named(objects: Objects, tmp_path: Path) -> None:
    """Reading it tells its key and the place, and leaves no file."""
    await objects.put("a/b", b"1")
    for key in ("none", "a/none", "a"):
        with pytest.raises(NotKept, match=f"keeps no object '{key}'") as told:
            await objects.get(key)
        assert (told.value.place, told.value.key) == (objects.place, key)
        with pytest.raises(NotKept):
            await objects.fetch(key, tmp_path / "copy")
    assert [name for name in os.listdir(tmp_path) if "copy" in name] == []  # noqa: PTH208


async def test_what_is_deleted_is_gone(objects: Objects) -> None:
    """Deleting again is no error, others stay, and the key can be used again, also as a folder."""
    await objects.put("a/b", b"1")
    await objects.put("a/c", b"2")
    for _ in range(2):
        await objects.delete("a/b")
    assert await keys(objects) == ["a/c"]
    await objects.put("a/b/d", b"3")
    assert await keys(objects) == ["a/b/d", "a/c"]


@pytest.mark.parametrize(
    "key",
    ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", ".hidden", "a\\b", "a b", "a\nb", "ä", "a" * 201,
     "a/" * 500 + "b", "a%2fb", "a?b", "a*b", "a:b"],
)  # fmt: skip
async def test_what_is_no_key_is_refused_with_its_form(objects: Objects, key: str) -> None:
    """Nothing can be put or read outside the place."""
    for call in (objects.put(key, b""), objects.get(key), objects.delete(key)):
        with pytest.raises(BadInput, match="Join segments by '/'"):
            await call


async def test_the_place_is_told_as_people_write_it(objects: Objects) -> None:
    """A path, or an address of bucket and prefix."""
    assert objects.place.startswith(("/", "s3://bucket/tests/"))
