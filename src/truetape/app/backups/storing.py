"""Store the pieces of a backup, each once: what lies at the place already is not stored again."""

from __future__ import annotations

import asyncio
import io
import tarfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from truetape.app.backups.catalogue import OBJECTS, KeptFile, Piece, digest, key_of
from truetape.app.backups.memory import Remembered
from truetape.app.backups.sealing import sealed
from truetape.ports.objects import Objects

PIECE: Final = 4 << 20  # bytes; of a file that changes here and there, so much is stored again for each place
AT_ONCE: Final = 4
SAVED_EVERY_S: Final = 10.0  # what is remembered of a backup under way, so that it goes on after a kill

Read = Callable[[int, int], Awaitable[bytes]]  # start, length


class Storing:
    """Store pieces at a place. `on_bytes` is told of bytes that are done with, stored or there already."""

    def __init__(
        self,
        objects: Objects,
        remembered: Remembered,
        *,
        folder: Path,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._objects = objects
        self._remembered = remembered
        self._folder = folder
        self._on_bytes = on_bytes
        self._there: dict[str, int] = {}
        self._saved = time.monotonic()
        self.added = 0  # bytes that were stored

    async def look(self) -> None:
        """Learn what lies at the place."""
        self._there = {one.key.rpartition("/")[2]: one.size async for one in self._objects.list(OBJECTS)}

    def has(self, piece: Piece) -> bool:
        """Return whether the place has `piece`, in its full length."""
        return self._there.get(piece.name) == piece.stored

    async def file(self, path: str, size: int, read: Read) -> KeptFile:
        """Store a file of `size` bytes, which `read` gives."""
        pieces: list[Piece] = []
        for start in range(0, size, PIECE * AT_ONCE):
            bodies = [await read(at, PIECE) for at in range(start, min(size, start + PIECE * AT_ONCE), PIECE)]
            pieces += await asyncio.gather(*(self.piece(body) for body in bodies))
        return KeptFile(path=path, size=size, pieces=tuple(pieces))

    async def local(self, path: str, file: Path, *, size: int | None = None) -> KeptFile:
        """Store the first `size` bytes of a file of this machine, or all."""
        length = (await asyncio.to_thread(file.stat)).st_size if size is None else size

        async def read(start: int, wanted: int) -> bytes:
            return await asyncio.to_thread(part, file, start, min(wanted, length - start))

        return await self.file(path, length, read)

    async def piece(self, body: bytes) -> Piece:
        """Store some bytes."""
        total = await asyncio.to_thread(digest, body)
        known = self._remembered.pieces.get(total)
        piece = Piece(sum=total, size=len(body), name=known[0], stored=known[1]) if known else None
        if piece is None or not self.has(piece):
            piece = await self._stored(total, body)
        self._remembered.pieces[total] = (piece.name, piece.stored)
        self._on_bytes(len(body))
        self._save_sometimes()
        return piece

    async def _stored(self, total: str, body: bytes) -> Piece:
        stored = await asyncio.to_thread(sealed, body, self._remembered.recipient)
        name = await asyncio.to_thread(digest, stored)
        piece = Piece(sum=total, size=len(body), name=name, stored=len(stored))
        if not self.has(piece):
            await self._objects.put(key_of(name), stored)
            self._there[name] = len(stored)
            self.added += len(stored)
        return piece

    def _save_sometimes(self) -> None:
        if time.monotonic() - self._saved > SAVED_EVERY_S:
            self._remembered.save(self._folder)
            self._saved = time.monotonic()


def part(file: Path, start: int, length: int) -> bytes:
    """Return `length` bytes of `file` from `start`."""
    with file.open("rb") as source:
        source.seek(start)
        return source.read(length)


def packed(bodies: dict[str, bytes]) -> bytes:
    """Return a tar of `bodies` by name; the same ones give the same bytes."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in bodies.items():
            about = tarfile.TarInfo(name)
            about.size = len(body)
            tar.addfile(about, io.BytesIO(body))
    return target.getvalue()


def unpacked(body: bytes) -> dict[str, bytes]:
    """Return the files of a tar that `packed` made."""
    with tarfile.open(fileobj=io.BytesIO(body), mode="r") as tar:
        found = {one.name: tar.extractfile(one) for one in tar if one.isreg()}
        return {name: source.read() for name, source in found.items() if source is not None}
