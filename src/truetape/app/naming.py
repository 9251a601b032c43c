"""Give a state of the store a name: by the platform that runs on the data folder, or here if none does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from truetape.app.owner import at, by_owner
from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.domain.messages import SnapshotNamed
from truetape.domain.snapshots import NameTaken
from truetape.domain.time import iso
from truetape.ports.archive import Archive
from truetape.ports.store import Selection
from truetape.services.api.query import read_instant
from truetape.services.api.snapshots import NewSnapshot, Snapshot, sound_wish

if TYPE_CHECKING:
    from truetape.app.run import Platform

PATIENCE_S: Final = 60.0  # until everything that was told is stored


async def name(data: Path, wanted: NewSnapshot, *, file: Path | None = None) -> Snapshot:
    """Return the snapshot of the data folder `data` that was named as `wanted`.

    `file` is the settings file, if there may be one.

    Raises:
        BadInput: The name can be none, or is taken, or `as_of` lies ahead.
        FolderInUse: A process without an API owns the data folder.
        WrongFolder: It is no data folder.
        StoreUnavailable: The running platform did not answer, or the disk is full.
    """
    wanted = sound_wish(wanted)
    return await by_owner(
        data,
        file=file,
        command="truetape snapshot create",
        there=lambda server: server.name(wanted),
        here=lambda platform: name_here(platform, wanted),
    )


def name_at(url: str, wanted: NewSnapshot) -> Snapshot:
    """Ask the server at `url` to name a snapshot, and return it.

    Raises:
        BadInput, StoreUnavailable: As the server says.
    """
    return at(url, lambda server: server.name(wanted))


async def name_here(platform: Platform, wanted: NewSnapshot, *, patience_s: float = PATIENCE_S) -> Snapshot:
    """Name what `platform` knows now, or knew at `wanted.as_of`, and return the snapshot.

    Nothing else is told meanwhile, and what was told before is stored and derived from first: no round is cut in half.

    Raises:
        BadInput: The name is taken, or `as_of` lies ahead.
        StoreUnavailable: The platform is still starting, what was told could not be stored for `patience_s` seconds, or
            the journal cannot be written.
    """
    parts = platform.parts
    if platform.address and not platform.ready:
        raise StoreUnavailable(path=str(platform.settings.data), reason="the rooms are still planning; ask again soon")
    async with platform.rooms.ingestion.turn:
        try:
            async with asyncio.timeout(patience_s):
                await platform.settle()
        except TimeoutError:
            reason = f"what was told is not stored after {patience_s:g} s"
            raise StoreUnavailable(path=str(platform.settings.data), reason=reason) from None
        held = await parts.store.read("snapshots", Selection(equal={"name": (wanted.name,)}))
        if len(held):
            fix = "A snapshot has this name already, and keeps what it stands for. Choose another name."
            raise NameTaken(parameter="name", value=wanted.name, fix=fix)
        named = _named(platform, wanted)
        await asyncio.to_thread(parts.archive.record, named)
        await parts.bus.publish(named)
        await parts.bus.drain()
    return Snapshot(
        name=named.name,
        as_of=iso(named.as_of),
        store_version=named.store_version,
        created=iso(named.ts_known),
        actor=named.actor,
        note=named.note,
        simulated=named.simulated,
    )


async def rename(platform: Platform) -> None:
    """Tell the names again that stand in the journal alone: a crash came before they were stored.

    They stand for what the store holds now, as it was known then.
    """
    told = await asyncio.to_thread(_journalled, platform.parts.archive)
    stored = (await platform.parts.store.read("snapshots", Selection(columns=("name",))))["name"].to_list()
    for entry in told:
        if entry.name not in stored:
            version = platform.parts.store.version()
            await platform.parts.bus.publish(msgspec.structs.replace(entry, store_version=version))


async def again(platform: Platform, entry: SnapshotNamed) -> SnapshotNamed:
    """Return `entry` of another store's journal as it holds here: everything before it is stored, in other commits."""
    await platform.settle()
    return msgspec.structs.replace(entry, store_version=platform.parts.store.version())


def _journalled(archive: Archive) -> list[SnapshotNamed]:
    return [entry for entry in archive.journal() if isinstance(entry, SnapshotNamed)]


def _named(platform: Platform, wanted: NewSnapshot) -> SnapshotNamed:
    now = platform.parts.clock.now_ns()
    as_of = now if wanted.as_of is None else read_instant(wanted.as_of, parameter="as_of")
    if as_of > now:
        fix = f"It lies ahead: nobody knows yet what will be known then. Now it is {iso(now)}."
        raise BadInput(parameter="as_of", value=wanted.as_of, fix=fix)
    return SnapshotNamed(
        name=wanted.name,
        as_of=as_of,
        store_version=platform.parts.store.version(),
        ts_known=now,
        actor=wanted.actor,
        note=wanted.note,
        simulated=platform.settings.simulated,
    )
