"""Make and verify backups from outside: of a folder that nobody uses, or by the platform that runs on it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from truetape.adapters.data_folder import DataFolder, read_marker, read_owner
from truetape.app.backups.asking import ask
from truetape.app.backups.catalogue import Manifest
from truetape.app.backups.creating import NOBODY, Progress, Wish, create
from truetape.app.backups.restoring import choose
from truetape.app.backups.sealing import Opener, check_recipient
from truetape.app.backups.verifying import Verified, verify
from truetape.app.object_places import objects_at
from truetape.app.settings import load
from truetape.app.tier_settings import Tiering
from truetape.domain.errors import WrongFolder

if TYPE_CHECKING:
    from truetape.ports.objects import Objects

COMMAND = "truetape backup"


async def make(
    data: Path, place: str, *, label: str, recipient: str, config: Path, on_progress: Progress = NOBODY
) -> Manifest:
    """Make a backup of the data folder `data` at `place`; a platform that runs on it is asked to.

    Raises:
        FolderInUse: Another process owns the folder, and takes no such requests.
        WrongFolder, PlaceInUse, StoreUnavailable, BadInput: As `create`.
    """
    objects = objects_at(place, os.environ)
    marker = await asyncio.to_thread(read_marker, data)
    if marker is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    check_recipient(recipient)
    settings = await asyncio.to_thread(config.absolute) if await asyncio.to_thread(config.is_file) else None
    if await asyncio.to_thread(read_owner, data) is not None:
        return await ask(
            data, objects.place, label=label, recipient=recipient, settings=settings, on_progress=on_progress
        )
    cold = await asyncio.to_thread(cold_places, load(config, os.environ).tiers) if settings else {}
    wish = Wish(folder=data, label=label, recipient=recipient, settings=settings, cold=cold)
    folder = await asyncio.to_thread(lambda: DataFolder.open(data, simulated=marker.simulated, command=COMMAND))
    try:
        return await _made(wish, folder, objects, on_progress)
    finally:
        folder.close()


def cold_places(tiers: Tiering) -> dict[str, Objects]:
    """Return where cold files lie, by tier.

    Raises:
        BadInput: A place is neither a folder nor a bucket.
    """
    named = {"warm": tiers.warm, "archive": tiers.archive}
    return {tier: objects_at(place, os.environ) for tier, place in named.items() if place}


async def _made(wish: Wish, folder: DataFolder, objects: Objects, on_progress: Progress) -> Manifest:
    from truetape.adapters.duckdb_store import DuckdbStore

    if not await asyncio.to_thread(folder.store.exists):
        return await create(wish, None, objects, on_progress=on_progress)
    store = await asyncio.to_thread(DuckdbStore, folder.store)
    try:
        return await create(wish, store, objects, on_progress=on_progress)
    finally:
        await store.close()


async def verified(
    objects: Objects,
    backup_id: str,
    *,
    opener: Opener,
    scratch: Path | None,
    against: Path | None,
    on_progress: Progress = NOBODY,
) -> Verified:
    """Verify a backup, the newest without an id; `against` is a data folder that nobody uses.

    Raises:
        BadInput: There is no such backup, or no room.
        FolderInUse: Somebody uses `against`.
        StoreUnavailable: The place or a folder cannot be used now.
    """
    from truetape.adapters.data_folder import STORE
    from truetape.adapters.duckdb_store import DuckdbStore

    chosen = await choose(objects, backup_id=backup_id)
    room = scratch or Path(tempfile.gettempdir())
    if against is None:
        return await verify(chosen.manifest, opener=opener, scratch=room, on_progress=on_progress)
    store = await asyncio.to_thread(lambda: DuckdbStore(against / STORE, read_only=True))
    try:
        return await verify(chosen.manifest, opener=opener, scratch=room, against=store, on_progress=on_progress)
    finally:
        await store.close()
