"""Make a backup of a data folder, also while a platform writes into it.

The store's file is taken first, then the journal, then the payloads that it names: everything that the store knows is
in the journal of the same backup, and what the journal knows beyond it is told to the store again after a restore.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import msgspec

from truetape.adapters.data_folder import LEDGER, MARKER, STORE, read_marker
from truetape.app.backups.archiving import JOURNAL, payloads_of, whole_lines
from truetape.app.backups.catalogue import (
    MANIFESTS,
    Contents,
    KeptFile,
    Manifest,
    Piece,
    TableSum,
    manifest_ids,
    manifest_named,
    written,
)
from truetape.app.backups.lease import leased
from truetape.app.backups.memory import Remembered
from truetape.app.backups.sealing import Opener, check_recipient
from truetape.app.backups.storing import Read, Storing
from truetape.domain.errors import BadInput, DamagedBackup, PlaceInUse, StoreUnavailable, WrongFolder
from truetape.domain.time import iso
from truetape.ports.objects import Objects
from truetape.ports.store import Selection

if TYPE_CHECKING:
    from truetape.adapters.duckdb_store import DuckdbStore

SETTINGS: Final = "truetape.toml"
COLD: Final = "cold"  # folder of a backup: below it a folder for each tier
NOBODY: Final = lambda _done, _of: None  # noqa: E731

Progress = Callable[[int, int], None]  # bytes done, bytes of the data folder as far as known


@dataclass(frozen=True)
class Wish:
    """What backup is wanted of which data folder.

    `settings` is the settings file, which has no secrets; `cold` the places of the cold files, by tier.
    """

    folder: Path
    label: str = ""
    recipient: str = ""
    settings: Path | None = None
    cold: Mapping[str, Objects] = field(default_factory=dict)


async def create(
    wish: Wish,
    store: DuckdbStore | None,
    objects: Objects,
    *,
    now: Callable[[], int] = time.time_ns,
    on_progress: Progress = NOBODY,
) -> Manifest:
    """Make a backup at `objects`, and return its manifest.

    Args:
        wish: What is wanted.
        store: The open store of the folder; None if it has none of this kind.
        objects: The place.
        now: Gives UTC nanoseconds.
        on_progress: Told how many bytes are done with, and how many there are.

    Raises:
        WrongFolder: The folder is no data folder.
        PlaceInUse: Somebody else makes or prunes backups there.
        StoreUnavailable: The folder or the place cannot be read or written now; what was stored is used the next time.
        BadInput: The recipient is none.
    """
    marker = await asyncio.to_thread(read_marker, wish.folder)
    if marker is None:
        raise WrongFolder(path=str(wish.folder), reason="it is no data folder. Choose another one with --data.")
    check_recipient(wish.recipient)
    with _explained(wish.folder):
        return await _created(wish, store, objects, simulated=marker.simulated, now=now, on_progress=on_progress)


async def _created(
    wish: Wish,
    store: DuckdbStore | None,
    objects: Objects,
    *,
    simulated: bool,
    now: Callable[[], int],
    on_progress: Progress,
) -> Manifest:
    async with leased(objects, what="a backup", now=now) as lease:
        remembered = await asyncio.to_thread(Remembered.of, wish.folder, objects.place, wish.recipient)
        total, done = await asyncio.to_thread(_bytes_in, wish.folder), 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            on_progress(min(done, total), total)

        storing = Storing(objects, remembered, folder=wish.folder, on_bytes=count)
        await storing.look()
        earlier = await _earlier(objects, remembered)
        created = now()
        version, contents = await _stored(wish, store, storing, earlier)
        manifest = await _told(wish, contents, storing, version=version, created=created, simulated=simulated)
        await lease.check()
        if not await objects.put(MANIFESTS + manifest.backup_id, written(manifest), only_new=True):
            raise PlaceInUse(place=objects.place, holder="somebody with the same idea")
        remembered.manifest, remembered.contents = manifest, contents
        remembered.pieces = {one.sum: (one.name, one.stored) for one in pieces_of(contents)}
        await asyncio.to_thread(remembered.save, wish.folder)
    on_progress(total, total)
    return manifest


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what goes wrong with files of the folder into StoreUnavailable."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise StoreUnavailable(path=str(getattr(error, "filename", None) or folder), reason=reason) from error


async def _stored(
    wish: Wish, store: DuckdbStore | None, storing: Storing, earlier: Contents | None
) -> tuple[int, Contents]:
    files: list[KeptFile] = []
    version, tables = 0, {}
    if store is not None:
        async with store.hold() as held:
            version = held.version
            tables = {name: TableSum(one.rows, one.hashes) for name, one in (await held.sums()).items()}
            files.append(await storing.file(STORE, held.size, held.read))
            files += await _cold_files(wish, store, storing, earlier, version=version)
    journal = wish.folder / JOURNAL
    size, entries = await asyncio.to_thread(whole_lines, journal)
    files.append(await storing.local(JOURNAL, journal, size=size))
    payloads = await payloads_of(wish.folder, storing, earlier, files[-1], entries=entries)
    files += payloads.files
    async with _ledger_copy(wish.folder / LEDGER) as copy:
        if copy is not None:
            files.append(await storing.local(LEDGER, copy))
    if wish.settings is not None:
        files.append(await storing.local(SETTINGS, wish.settings))
    files.append(await storing.local(MARKER, wish.folder / MARKER))
    return version, Contents(
        files=tuple(files),
        packs=tuple(payloads.packs),
        payloads=payloads.count,
        entries=entries,
        tables=tables,
        engine=f"duckdb {duckdb.__version__}" if store is not None else "",
        damaged=tuple(payloads.damaged),
    )


async def _told(
    wish: Wish, contents: Contents, storing: Storing, *, version: int, created: int, simulated: bool
) -> Manifest:
    piece = await storing.piece(msgspec.json.encode(contents))
    needed = [*pieces_of(contents), piece]
    if not all(storing.has(one) for one in needed):
        raise AssertionError("a piece was stored and is not there")
    return Manifest(
        backup_id=f"{iso(created // 10**9 * 10**9).replace('-', '').replace(':', '')}-{secrets.token_hex(4)}",
        created=created,
        label=wish.label,
        simulated=simulated,
        version=version,
        entries=contents.entries,
        size=sum(one.size for one in pieces_of(contents)),
        added=storing.added,
        recipient=wish.recipient,
        contents=piece,
        objects={one.name: one.stored for one in needed},
        damaged=len(contents.damaged),
    )


def pieces_of(contents: Contents) -> Iterator[Piece]:
    """Yield every piece of `contents`."""
    for file in contents.files:
        yield from file.pieces
    yield from contents.packs


async def _earlier(objects: Objects, remembered: Remembered) -> Contents | None:
    """Return what the last backup holds: as remembered, or as the place tells where nothing is sealed."""
    if remembered.contents is not None:
        return remembered.contents
    if remembered.recipient:
        return None
    for backup_id in reversed(await manifest_ids(objects)):
        with contextlib.suppress(DamagedBackup):
            manifest = await manifest_named(objects, backup_id)
            if manifest.recipient:
                continue
            body = await Opener(objects).body(manifest.contents, is_sealed=False)
            contents = msgspec.json.decode(body, type=Contents)
            remembered.pieces |= {one.sum: (one.name, one.stored) for one in pieces_of(contents)}
            return contents
    return None


async def _cold_files(
    wish: Wish, store: DuckdbStore, storing: Storing, earlier: Contents | None, *, version: int
) -> list[KeptFile]:
    """Store the files that rows of this version have been carried to."""
    rows = await store.read("cold_files", Selection(at_version=version, equal={"state": ("standing",)}))
    known = {one.path: one for one in earlier.files} if earlier else {}
    files = []
    for row in rows.iter_rows(named=True):
        path = f"{COLD}/{row['tier']}/{row['file']}"
        there = known.get(path)
        if there is not None and all(storing.has(one) for one in there.pieces):  # such a file never changes
            files.append(there)
            continue
        objects = wish.cold.get(row["tier"])
        if objects is None:
            fix = f"Rows lie in cold files of the tier {row['tier']!r}; name the settings file with its place."
            raise BadInput(parameter="--config", value=str(wish.settings or ""), fix=fix)
        files.append(await storing.file(path, row["bytes"], _part_of(objects, row["file"])))
    return files


def _part_of(objects: Objects, key: str) -> Read:
    async def read(start: int, length: int) -> bytes:
        return await objects.get(key, start=start, length=length)

    return read


@contextlib.asynccontextmanager
async def _ledger_copy(ledger: Path) -> AsyncIterator[Path | None]:
    """Lend a copy of the ledger as it was at one moment, or None if there is none."""
    if not await asyncio.to_thread(ledger.exists):
        yield None
        return
    copy = ledger.with_name(f".{ledger.name}.{os.getpid()}")
    try:
        await asyncio.to_thread(_copy_database, ledger, copy)
        yield copy
    finally:
        await asyncio.to_thread(copy.unlink, missing_ok=True)


def _copy_database(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)


def _bytes_in(folder: Path) -> int:
    """Return about how many bytes the folder has that are looked at: the store, the journal and the ledger."""
    wanted = (STORE, JOURNAL, LEDGER)
    return sum((folder / one).stat().st_size for one in wanted if (folder / one).exists())
