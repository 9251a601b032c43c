"""Write the files of a segment so that they are there whole or not at all, and tell whether they still are."""

from __future__ import annotations

import os
import shutil
import uuid
import zlib
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from truetape.adapters.read_segments.encode import FILES, Encoded
from truetape.adapters.read_segments.segment import SUFFIX

DRAFT: Final = ".draft-"
_BLOCK: Final = 1 << 20


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it was written: its size in bytes, its change time in nanoseconds, and the CRC-32 of its bytes."""

    size: int
    changed: int
    crc: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A segment: its folder under the segments' folder, what it holds, and its files."""

    folder: str
    rows: int
    series: int
    files: dict[str, Kept]

    @property
    def size(self) -> int:
        """Its bytes on disk."""
        return sum(one.size for one in self.files.values())


def write_segment(root: Path, name: str, encoded: Encoded) -> Part:
    """Write `encoded` into a new folder below `root` whose name begins with `name`, and return what was written.

    Raises:
        OSError: The disk is full or failing; nothing is left of it.
    """
    folder = f"{name}-{uuid.uuid4().hex[:12]}"
    draft, final = root / f"{DRAFT}{folder.replace('/', '-')}", root / folder
    try:
        draft.mkdir(parents=True)
        files = {table: _write(draft / f"{table}{SUFFIX}", encoded.tables[table]) for table in FILES}
        sync(draft)
        final.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(final)
        sync(final.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Part(folder=folder, rows=encoded.rows, series=encoded.series, files=files)


def is_whole(root: Path, part: Part) -> bool:
    """Return whether the files are those that were written; bytes are read only of a file that was touched since."""
    return all(_is_same(_path(root, part, name), kept) for name, kept in _listed(part))


def damage(root: Path, part: Part) -> list[str]:
    """Return what is wrong with the files, one sentence each; every byte is read."""
    found = []
    for name, kept in _listed(part):
        path = _path(root, part, name)
        if not path.is_file():
            found.append(f"{part.folder}/{path.name} is missing.")
        elif kept is None or path.stat().st_size != kept.size or checksum(path) != kept.crc:
            found.append(f"{part.folder}/{path.name} was changed after it was written.")
    return found


def remove(root: Path, folder: str) -> None:
    """Remove a segment's folder. Whoever has its files mapped can go on reading them."""
    shutil.rmtree(root / folder, ignore_errors=True)


def checksum(path: Path) -> int:
    """Return the CRC-32 of the bytes of a file."""
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc


def sync(folder: Path) -> None:
    """Make the names in `folder` survive a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, table: pa.Table) -> Kept:
    batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    with path.open("xb") as file:
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_batch(batches[0])
        file.flush()
        os.fsync(file.fileno())
    stat = path.stat()
    return Kept(size=stat.st_size, changed=stat.st_mtime_ns, crc=checksum(path))


def _listed(part: Part) -> list[tuple[str, Kept | None]]:
    return [(name, part.files.get(name)) for name in FILES]


def _path(root: Path, part: Part, name: str) -> Path:
    return root / part.folder / f"{name}{SUFFIX}"


def _is_same(path: Path, kept: Kept | None) -> bool:
    try:
        stat = path.stat()
        if kept is None or stat.st_size != kept.size:
            return False
        return stat.st_mtime_ns == kept.changed or checksum(path) == kept.crc
    except OSError:
        return False
