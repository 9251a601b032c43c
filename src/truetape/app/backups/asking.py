"""Ask the platform that runs on a data folder for a backup: a wish in the folder, and what the platform tells of it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from truetape.adapters.data_folder import read_owner
from truetape.app.backups.catalogue import Manifest
from truetape.app.backups.creating import NOBODY, Progress
from truetape.app.backups.memory import BACKUPS, write_privately
from truetape.domain.errors import FolderInUse, StoreUnavailable, Terminal

WISH: Final = "wanted.json"
TOLD: Final = "told.json"
LOOKS_EVERY_S: Final = 0.5  # the platform, for wishes
PATIENCE_S: Final = 10.0  # with a platform that takes up no wishes
_ASKS_EVERY_S: Final = 0.1


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that somebody at this machine wants. The keys of the place are the platform's own."""

    wish_id: str
    place: str
    label: str = ""
    recipient: str = ""
    settings: str = ""  # the settings file, "" for none


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How far a wish is. `error` says why it was not fulfilled."""

    wish_id: str
    done: int = 0
    total: int = 0
    manifest: Manifest | None = None
    error: str = ""


class Refused(Terminal):
    """The platform could not make the backup."""


async def ask(
    data: Path,
    place: str,
    *,
    label: str,
    recipient: str,
    settings: Path | None,
    on_progress: Progress = NOBODY,
    patience_s: float = PATIENCE_S,
) -> Manifest:
    """Return the backup that the platform on `data` makes at `place`.

    Raises:
        FolderInUse: The process that owns the folder takes no wishes.
        Refused: It could not make the backup, and says why.
        StoreUnavailable: It stopped meanwhile.
    """
    config = str(settings) if settings else ""
    wanted = Wanted(wish_id=secrets.token_hex(8), place=place, label=label, recipient=recipient, settings=config)
    folder = data / BACKUPS
    await asyncio.to_thread(write_privately, folder / WISH, msgspec.json.encode(wanted))
    deadline, is_taken = time.monotonic() + patience_s, False
    try:
        while True:
            told = await asyncio.to_thread(_told, folder)
            if told is not None and told.wish_id == wanted.wish_id:
                is_taken = True
                on_progress(told.done, told.total)
                if told.error:
                    raise Refused(told.error)
                if told.manifest is not None:
                    return told.manifest
            owner = await asyncio.to_thread(read_owner, data)
            if owner is None:
                raise StoreUnavailable(path=str(data), reason="the platform on it stopped; run this again")
            if not is_taken and time.monotonic() > deadline:
                raise FolderInUse(path=str(data), owner=str(owner))
            await asyncio.sleep(_ASKS_EVERY_S)
    finally:
        if not is_taken:
            await asyncio.to_thread((folder / WISH).unlink, missing_ok=True)


def taken(data: Path) -> Wanted | None:
    """Return a wish that nobody has taken up yet, and take it."""
    file = data / BACKUPS / WISH
    try:
        wanted = msgspec.json.decode(file.read_bytes(), type=Wanted)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError):
        wanted = None
    with contextlib.suppress(OSError):
        file.unlink()
    return wanted


def tell(data: Path, told: Told) -> None:
    """Let whoever wished know how far it is."""
    write_privately(data / BACKUPS / TOLD, msgspec.json.encode(told))


def progress_of(data: Path, wish_id: str, *, every_s: float = 0.2) -> Callable[[int, int], None]:
    """Return what tells the progress of a wish, not too often."""
    last = 0.0

    def show(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= every_s:
            last = time.monotonic()
            tell(data, Told(wish_id=wish_id, done=done, total=total))

    return show


def _told(folder: Path) -> Told | None:
    try:
        return msgspec.json.decode((folder / TOLD).read_bytes(), type=Told)
    except (OSError, msgspec.DecodeError):
        return None
