"""Prove that a backup can be restored: restore it into a scratch folder, open it, and compare it."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from truetape.adapters.data_folder import ARCHIVE, STORE
from truetape.adapters.file_archive import FileArchive
from truetape.app.backups.catalogue import Manifest, TableSum
from truetape.app.backups.creating import NOBODY, Progress
from truetape.app.backups.restoring import Chosen, contents_of, restore
from truetape.app.backups.sealing import Opener
from truetape.domain.errors import DamagedBackup
from truetape.domain.schema import TABLES
from truetape.ports.store import Selection, Store


@dataclass(frozen=True)
class Compared:
    """One thing that was compared: what the backup says, and what was found."""

    name: str
    expected: str
    found: str

    @property
    def same(self) -> bool:
        """Whether they agree."""
        return self.expected == self.found


@dataclass(frozen=True)
class Verified:
    """What a verification compared. `opened` says whether it was restored; a sealed backup needs its identity."""

    backup_id: str
    opened: bool
    compared: tuple[Compared, ...] = field(default=())

    @property
    def whole(self) -> bool:
        """Whether everything agrees."""
        return all(one.same for one in self.compared)


async def verify(
    manifest: Manifest,
    *,
    opener: Opener,
    scratch: Path,
    against: Store | None = None,
    on_progress: Progress = NOBODY,
) -> Verified:
    """Restore `manifest` into a folder of its own below `scratch`, and compare tables, journal and payloads.

    Args:
        manifest: The backup.
        opener: Opens its pieces; without an identity for a sealed backup, only what lies there is compared.
        scratch: A folder with room for the whole backup.
        against: The store it is of, to compare every row of its version with.
        on_progress: Told how many bytes are done, and how many there are.

    Raises:
        StoreUnavailable: The place cannot be read, or the folder cannot be written now.
    """
    try:
        if manifest.recipient and not opener.has_identity:
            return await _stored_only(manifest, opener, on_progress)
        with tempfile.TemporaryDirectory(dir=scratch, prefix="verify-", ignore_cleanup_errors=True) as folder:
            into = Path(folder)
            await restore(Chosen(manifest), into=into, opener=opener, on_progress=on_progress)
            contents = await contents_of(manifest, opener)
            compared = [Compared("objects", _each(len(manifest.objects)), _each(len(manifest.objects)))]
            if (into / STORE).exists():
                engine, found = await asyncio.to_thread(_sums, into / STORE)
                compared += _tables(contents.tables, found, is_comparable=engine == contents.engine)
            compared += await asyncio.to_thread(_archived, into, contents.entries, contents.damaged)
            if against is not None:
                compared += await _rows(into / STORE, against, manifest.version)
    except DamagedBackup as problem:
        return Verified(manifest.backup_id, opened=False, compared=(Compared(problem.key, "whole", problem.reason),))
    return Verified(manifest.backup_id, opened=True, compared=tuple(compared))


async def _stored_only(manifest: Manifest, opener: Opener, on_progress: Progress) -> Verified:
    """Compare what lies there with its names, which are its sums."""
    compared, done, total = [], 0, sum(manifest.objects.values())
    for name, size in manifest.objects.items():
        try:
            await opener.stored(name)
        except DamagedBackup as problem:
            compared.append(Compared(problem.key, "whole", problem.reason))
        done += size
        on_progress(done, total)
    whole = Compared("objects", _each(len(manifest.objects)), _each(len(manifest.objects) - len(compared)))
    return Verified(manifest.backup_id, opened=False, compared=(whole, *compared))


def _sums(path: Path) -> tuple[str, dict[str, TableSum]]:
    from truetape.adapters.duckdb_store.holding import sums
    from truetape.adapters.duckdb_store.opening import connect

    connection = connect(path, read_only=True)
    try:
        return f"duckdb {duckdb.__version__}", {
            name: TableSum(one.rows, one.hashes) for name, one in sums(connection, path).items()
        }
    finally:
        connection.close()


def _tables(expected: dict[str, TableSum], found: dict[str, TableSum], *, is_comparable: bool) -> list[Compared]:
    """Compare tables that hold something: rows, and their hashes where the same engine computed them."""

    def told(one: TableSum | None) -> str:
        if one is None:
            return "missing"
        return f"{one.rows:,} rows {int(one.hashes) % 2**48:012x}" if is_comparable else f"{one.rows:,} rows"

    names = [name for name in {**expected, **found} if expected.get(name, found.get(name)) != TableSum(0, "0")]
    return [Compared(name, told(expected.get(name)), told(found.get(name))) for name in names]


def _archived(into: Path, entries: int, damaged: tuple[str, ...]) -> list[Compared]:
    """Compare the journal and the payloads it names."""
    archive = FileArchive(into / ARCHIVE, read_only=True)
    known = {str(into / one) for one in damaged}
    problems = [one for one in archive.scrub() if one.path not in known]
    read = sum(1 for _ in archive.journal()) if not problems else 0
    journal = Compared("journal", f"{entries:,} entries", f"{read:,} entries")
    payloads = [Compared(str(Path(one.path).relative_to(into)), "whole", one.reason) for one in problems]
    return [journal, *payloads] if payloads else [journal, Compared("payloads", "whole", "whole")]


async def _rows(path: Path, against: Store, version: int) -> list[Compared]:
    """Compare every row of every table, superseded and withdrawn ones too, with the store of which it is a copy."""
    from truetape.adapters.duckdb_store import DuckdbStore

    restored = DuckdbStore(path, read_only=True)
    different: Counter[str] = Counter()
    try:
        for name in TABLES:
            for withdrawn in (False, True):
                question = Selection(history=True, withdrawn=withdrawn, at_version=version)
                different[name] += await _different(restored, against, name, question)
    finally:
        await restored.close()
    unlike = [
        Compared(f"{name}, row by row", "0 differ", f"{many:,} differ") for name, many in different.items() if many
    ]
    return unlike or [Compared("every table, row by row", "0 differ", "0 differ")]


async def _different(one: Store, other: Store, table: str, question: Selection) -> int:
    """Return how many rows the stores answer otherwise; memory stays bounded."""
    ways = one.stream(table, question), other.stream(table, question)
    different = 0
    while True:
        ours, theirs = [await anext(way, None) for way in ways]
        if ours is not None and theirs is not None:
            different += 0 if ours.equals(theirs, null_equal=True) else _unlike(ours, theirs)
            continue
        for frame, way in zip((ours, theirs), ways, strict=True):
            different += 0 if frame is None else len(frame) + sum([len(rest) async for rest in way])
        return different


def _unlike(ours: pl.DataFrame, theirs: pl.DataFrame) -> int:
    if len(ours) != len(theirs):
        return max(len(ours), len(theirs))
    columns = [ours[name].ne_missing(theirs[name]) for name in ours.columns]
    return int(pl.DataFrame(columns).select(pl.any_horizontal(pl.all()).sum()).item())


def _each(number: int) -> str:
    return f"{number:,} whole"
