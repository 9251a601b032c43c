"""What a backup consists of: a manifest that anybody may read, and its contents, which may be sealed.

A place holds `backups/<id>` (manifests), `objects/ab/abcd...` (pieces, named by the sha256 of what lies there), and
`leases/`. A piece is a part of a file, or a tar of payloads: compressed with zstd, and sealed with age if there is a
recipient. A manifest is written last, so that a backup is there in full or not at all.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from truetape.domain.errors import DamagedBackup, NotKept
from truetape.ports.objects import Objects

FORMAT: Final = 1
MANIFESTS: Final = "backups/"
OBJECTS: Final = "objects/"
_SUM_LENGTH: Final = 64


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Some bytes of a backup."""

    sum: str  # sha256 of the bytes, hexadecimal
    size: int  # of the bytes
    name: str  # sha256 of what is stored of them
    stored: int  # bytes that are stored


class KeptFile(msgspec.Struct, frozen=True):
    """A file of the data folder: its pieces in their order."""

    path: str  # below the data folder
    size: int
    pieces: tuple[Piece, ...]


class TableSum(msgspec.Struct, frozen=True):
    """What a table of the store's file holds: rows, and the sum of their hashes."""

    rows: int
    hashes: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """All of a data folder at one moment."""

    files: tuple[KeptFile, ...]
    packs: tuple[Piece, ...]  # tars of payloads
    payloads: int
    entries: int  # of the journal
    tables: dict[str, TableSum]
    engine: str  # whose hashes those are
    damaged: tuple[str, ...] = ()  # payloads that were so before


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup, as everybody who sees the place may know it."""

    format: int = FORMAT
    backup_id: str
    created: int  # UTC nanoseconds; all that was known before is in it
    label: str
    simulated: bool
    version: int  # of the store
    entries: int
    size: int  # bytes of the data folder
    added: int  # bytes that were stored for it and had not been there
    recipient: str  # whom it is sealed for, "" for nobody
    contents: Piece
    objects: dict[str, int]  # every object it needs, with its size
    damaged: int = 0


def key_of(name: str) -> str:
    """Return the key of the object called `name`."""
    return f"{OBJECTS}{name[:2]}/{name}"


def digest(body: bytes) -> str:
    """Return the sha256 of `body`, hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def written(manifest: Manifest) -> bytes:
    """Return `manifest` as it is stored: its sum on the first line, then JSON."""
    body = msgspec.json.encode(manifest) + b"\n"
    return digest(body).encode() + b"\n" + body


async def manifest_named(objects: Objects, backup_id: str) -> Manifest:
    """Return the manifest of a backup.

    Raises:
        NotKept: There is no such backup.
        DamagedBackup: It is not what was written, or of a newer format.
    """
    key = MANIFESTS + backup_id
    told, _, body = (await objects.get(key)).partition(b"\n")
    if len(told) != _SUM_LENGTH or told.decode("ascii", "replace") != digest(body):
        raise DamagedBackup(place=objects.place, key=key, reason="is not what was written")
    try:
        return msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError:
        reason = "is of a newer format; upgrade truetape"
        raise DamagedBackup(place=objects.place, key=key, reason=reason) from None


async def manifest_ids(objects: Objects) -> list[str]:
    """Return the ids of all backups at a place, oldest first."""
    return [one.key.removeprefix(MANIFESTS) async for one in objects.list(MANIFESTS)]


async def manifests(objects: Objects) -> list[Manifest]:
    """Return all backups at a place, oldest first.

    Raises:
        DamagedBackup: One of them is not readable.
    """
    found = []
    for backup_id in await manifest_ids(objects):
        try:
            found.append(await manifest_named(objects, backup_id))
        except NotKept:  # it was pruned meanwhile
            continue
    return sorted(found, key=lambda one: one.created)
