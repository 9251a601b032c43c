"""Restore a data folder from a backup: every byte is checked, a kill is no harm, and it is there in full or not."""

from __future__ import annotations

import asyncio
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

import msgspec

from truetape.adapters.data_folder import ARCHIVE, MARKER, STORE
from truetape.adapters.file_archive import FileArchive
from truetape.app.backups.archiving import JOURNAL
from truetape.app.backups.catalogue import (
    Contents,
    KeptFile,
    Manifest,
    Piece,
    digest,
    manifest_named,
    manifests,
)
from truetape.app.backups.creating import NOBODY, Progress
from truetape.app.backups.memory import write_privately
from truetape.app.backups.sealing import Opener
from truetape.app.backups.storing import part, unpacked
from truetape.domain.errors import BadInput, NotKept, StoreUnavailable
from truetape.domain.time import iso
from truetape.ports.archive import Entry
from truetape.ports.objects import Objects

RESTORING: Final = "restoring.json"  # of a folder that is not whole yet
AT_ONCE: Final = 4
_PREFIX: Final = len("0123abcd ")
_ROOM: Final = 1 << 26  # bytes of the disk that are left free


class Begun(msgspec.Struct, kw_only=True):
    """What a restore into a folder has done."""

    backup_id: str
    at: int | None
    packs: list[str] = []


@dataclass(frozen=True)
class Chosen:
    """Which backup is restored, and as known at which instant (UTC nanoseconds; None: all of it)."""

    manifest: Manifest
    at: int | None = None


@dataclass(frozen=True)
class Restored:
    """What was restored: the store is of `version`; entries of the journal that came later were left out."""

    backup_id: str
    version: int
    files: int
    payloads: int
    bytes: int
    left_out: int


async def choose(objects: Objects, *, backup_id: str = "", at: int | None = None) -> Chosen:
    """Return the backup of this id, or the first that has everything known at `at`, or else the newest.

    Raises:
        BadInput: There is none.
        DamagedBackup: A manifest is not readable.
    """
    if backup_id:
        try:
            return Chosen(await manifest_named(objects, backup_id), at)
        except NotKept:
            fix = f"`truetape backup list {objects.place}` tells the ids."
            raise BadInput(parameter="--backup", value=backup_id, fix=fix) from None
    found = await manifests(objects)
    if not found:
        raise BadInput(parameter="FROM", value=objects.place, fix="It holds no backups; name the place of some.")
    if at is None:
        return Chosen(found[-1])
    later = [one for one in found if one.created >= at]
    if not later:
        fix = f"The newest backup is of {iso(found[-1].created)}; leave --at out to restore all of it."
        raise BadInput(parameter="--at", value=iso(at), fix=fix)
    return Chosen(later[0], at)


async def contents_of(manifest: Manifest, opener: Opener) -> Contents:
    """Return what a backup consists of.

    Raises:
        DamagedBackup: It is missing or not what was written.
        BadInput: It is sealed, and no identity opens it.
    """
    body = await opener.body(manifest.contents, is_sealed=bool(manifest.recipient))
    return msgspec.json.decode(body, type=Contents)


async def restore(chosen: Chosen, *, into: Path, opener: Opener, on_progress: Progress = NOBODY) -> Restored:
    """Restore a backup into the new or empty folder `into`; one that was begun there goes on.

    Raises:
        BadInput: The folder holds something else, the disk is too small, or no identity opens the backup.
        DamagedBackup: An object is missing or not what was written.
        StoreUnavailable: The place cannot be read, or the folder cannot be written now.
    """
    manifest = chosen.manifest
    begun = await asyncio.to_thread(_begin, into, chosen)
    contents = await contents_of(manifest, opener)
    await asyncio.to_thread(_check_room, into, manifest)
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        on_progress(min(done, manifest.size), manifest.size)

    writing = _Writing(into, opener, is_sealed=bool(manifest.recipient), on_bytes=count)
    try:
        await asyncio.to_thread(_forget_log, into)
        for file in contents.files:
            if file.path != MARKER:
                await writing.file(file)
        is_resumed = bool(begun.packs)
        for pack in contents.packs:
            if pack.name not in begun.packs:
                await writing.pack(pack)
                begun.packs.append(pack.name)
                await asyncio.to_thread(_note, into, begun)
        if is_resumed and await asyncio.to_thread(_is_torn, into):  # the machine stopped, not only the process
            for pack in contents.packs:
                await writing.pack(pack)
        version, left_out = await asyncio.to_thread(_take_back, into, contents, chosen)
        await asyncio.to_thread(os.sync)
        await writing.marker(next(file for file in contents.files if file.path == MARKER))
    except OSError as error:
        raise StoreUnavailable(path=str(into), reason=(error.strerror or str(error)).lower()) from error
    return Restored(
        backup_id=manifest.backup_id,
        version=version,
        files=len(contents.files),
        payloads=contents.payloads,
        bytes=manifest.size,
        left_out=left_out,
    )


class _Writing:
    """Write files of a backup into a folder."""

    def __init__(self, into: Path, opener: Opener, *, is_sealed: bool, on_bytes: Callable[[int], None]) -> None:
        self._into = into
        self._opener = opener
        self._is_sealed = is_sealed
        self._on_bytes = on_bytes

    async def file(self, file: KeptFile) -> None:
        """Write a file; pieces of it that are there already are not fetched again."""
        path = self._path(file.path)
        handle = await asyncio.to_thread(_opened, path)
        try:
            starts = list(zip(accumulate((one.size for one in file.pieces), initial=0), file.pieces, strict=False))
            for first in range(0, len(starts), AT_ONCE):
                some = starts[first : first + AT_ONCE]
                await asyncio.gather(*(self._piece(path, handle, start, piece) for start, piece in some))
            await asyncio.to_thread(os.ftruncate, handle, file.size)
            await asyncio.to_thread(os.fsync, handle)
        finally:
            await asyncio.to_thread(os.close, handle)

    async def marker(self, file: KeptFile) -> None:
        """Write the file that makes the folder a data folder, in one step."""
        body = b"".join([await self._opener.body(piece, is_sealed=self._is_sealed) for piece in file.pieces])
        await asyncio.to_thread(_end, self._into, body)
        self._on_bytes(len(body))

    async def pack(self, pack: Piece) -> None:
        """Write the payloads of a pack."""
        body = await self._opener.body(pack, is_sealed=self._is_sealed)
        await asyncio.to_thread(self._unpack, body)
        self._on_bytes(pack.size)

    async def _piece(self, path: Path, handle: int, start: int, piece: Piece) -> None:
        there = await asyncio.to_thread(part, path, start, piece.size)
        if len(there) != piece.size or await asyncio.to_thread(digest, there) != piece.sum:
            body = await self._opener.body(piece, is_sealed=self._is_sealed)
            await asyncio.to_thread(os.pwrite, handle, body, start)
        self._on_bytes(piece.size)

    def _unpack(self, body: bytes) -> None:
        for name, content in unpacked(body).items():
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _path(self, name: str) -> Path:
        """Return where a file of the backup lies.

        Raises:
            BadInput: It would lie outside the folder: the backup is none of ours.
        """
        path = self._into / name
        if not path.resolve().is_relative_to(self._into.resolve()):
            raise BadInput(parameter="backup", value=name, fix="It names a file outside the data folder; trust it not.")
        return path


def _begin(into: Path, chosen: Chosen) -> Begun:
    """Make the folder, or go on in one where the same restore was begun."""
    wanted = Begun(backup_id=chosen.manifest.backup_id, at=chosen.at)
    fix = "Name a new or empty folder with --into."
    try:
        into.mkdir(parents=True, exist_ok=True)
        held = sorted(one.name for one in into.iterdir() if one.name != "lost+found")
    except OSError as error:
        fix = f"It cannot be used ({(error.strerror or str(error)).lower()}). {fix}"
        raise BadInput(parameter="--into", value=str(into), fix=fix) from None
    if not held:
        _note(into, wanted)
        return wanted
    try:
        begun = msgspec.json.decode((into / RESTORING).read_bytes(), type=Begun)
    except (OSError, msgspec.DecodeError):
        raise BadInput(parameter="--into", value=str(into), fix=f"It holds {held[0]!r}. {fix}") from None
    if (begun.backup_id, begun.at) != (wanted.backup_id, wanted.at):
        fix = f"Another restore was begun there, of {begun.backup_id}; end that one, or name another folder."
        raise BadInput(parameter="--into", value=str(into), fix=fix)
    return begun


def _note(into: Path, begun: Begun) -> None:
    write_privately(into / RESTORING, msgspec.json.encode(begun))


def _end(into: Path, marker: bytes) -> None:
    draft = into / f".{MARKER}"
    with draft.open("wb") as target:
        target.write(marker)
        target.flush()
        os.fsync(target.fileno())
    draft.replace(into / MARKER)
    (into / RESTORING).unlink()
    handle = os.open(into, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check_room(into: Path, manifest: Manifest) -> None:
    there = sum(one.stat().st_size for one in into.rglob("*") if one.is_file())
    missing = manifest.size - there + _ROOM - shutil.disk_usage(into).free
    if missing > 0:
        raise StoreUnavailable(
            path=str(into), reason=f"its disk has {missing / 1e6:,.0f} MB less than the backup needs"
        )


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def _is_torn(into: Path) -> bool:
    """Return whether a payload is not what it was."""
    return next(FileArchive(into / ARCHIVE, read_only=True).scrub(), None) is not None


def _forget_log(into: Path) -> None:
    """Remove what a restore that was killed while it took the store back has left of that."""
    (into / f"{STORE}.wal").unlink(missing_ok=True)


def _take_back(into: Path, contents: Contents, chosen: Chosen) -> tuple[int, int]:
    """Take what was restored back to the chosen instant, and return the store's version and the entries left out."""
    if chosen.at is None:
        return chosen.manifest.version, 0
    left_out = _cut_journal(into / JOURNAL, chosen.at)
    if not any(one.path == STORE for one in contents.files):
        return 0, left_out
    from truetape.adapters.duckdb_store.rewinding import rewind

    return rewind(into / STORE, until=chosen.at), left_out


def _cut_journal(journal: Path, at: int) -> int:
    """Leave out the entries of the journal that became known after `at`, and return how many those were."""
    draft = journal.with_name(f".{journal.name}.cut")
    left_out = 0
    with draft.open("wb") as target:
        for line, known in _lines(journal):
            if known <= at:
                target.write(line)
            else:
                left_out += 1
        target.flush()
        os.fsync(target.fileno())
    draft.replace(journal)
    return left_out


def _lines(journal: Path) -> Iterator[tuple[bytes, int]]:
    """Yield each line with the instant at which it became known."""
    decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
    with journal.open("rb") as source:
        for line in source:
            assert int(line[: _PREFIX - 1], 16) == zlib.crc32(line[_PREFIX:-1]), "the pieces were checked"
            yield line, decoder.decode(line[_PREFIX:-1]).ts_known
