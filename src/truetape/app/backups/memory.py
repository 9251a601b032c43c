"""What a data folder remembers of its backups: which pieces lie where, so that the next backup stores only new ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Self

import msgspec

from truetape.app.backups.catalogue import Contents, Manifest, digest

BACKUPS: Final = "backups"  # folder of the data folder; its owner alone may read it


class Remembered(msgspec.Struct, kw_only=True):
    """What is known of one place."""

    place: str
    recipient: str = ""
    pieces: dict[str, tuple[str, int]] = {}  # sha256 of bytes: name and size of the object
    manifest: Manifest | None = None  # of the last backup
    contents: Contents | None = None

    @classmethod
    def of(cls, folder: Path, place: str, recipient: str) -> Self:
        """Return what the data folder at `folder` remembers of `place`, for backups that are sealed for `recipient`."""
        try:
            found = msgspec.json.decode(_file(folder, place).read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):  # then pieces are stored again, at worst
            return cls(place=place, recipient=recipient)
        return found if found.recipient == recipient else cls(place=place, recipient=recipient)

    def save(self, folder: Path) -> None:
        """Write it down."""
        write_privately(_file(folder, self.place), msgspec.json.encode(self))


def write_privately(file: Path, body: bytes) -> None:
    """Write `file` in one step; nobody else may read it. A full disk is no error: it is only remembered."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as writing:
            writing.write(body)
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)


def _file(folder: Path, place: str) -> Path:
    return folder / BACKUPS / f"{digest(place.encode())[:16]}.json"
