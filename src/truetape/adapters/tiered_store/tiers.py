"""Carry rows from the hot tier to cold files, from cold files to others, or delete them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from truetape.adapters.tiered_store.cold import ColdFile, ColdFiles, Wanted, event_column
from truetape.adapters.tiered_store.drafts import Draft, Drafting, publish
from truetape.adapters.tiered_store.layout import columns, order
from truetape.adapters.tiered_store.sorting import merged
from truetape.adapters.tiered_store.store import TieredStore
from truetape.domain.errors import NotKept, StoreUnavailable
from truetape.domain.schema import INSTANT, TABLES, Table
from truetape.ports.objects import Objects
from truetape.ports.store import Selection
from truetape.ports.tiering import CENSUS, Catalog, Damage, Movable, Move, Moved, Span

FIRST: Final = 1  # the version of a file that stands; it is replaced or deleted once
LAST: Final = 2
_BLOCK: Final = 8 << 20  # bytes of a file that are hashed at a time


class ColdTiers:
    """Move the rows of `store`, whose hot tier is `hot`, to the objects of `places`, by tier.

    Files are written in `scratch` first, a local folder. One move runs at a time; of several processes one may move.
    `mirror` holds a second copy of every file, from which a damaged one is repaired.
    """

    def __init__(
        self,
        store: TieredStore,
        *,
        hot: Movable,
        places: Mapping[str, Objects],
        scratch: Path,
        catalogs: Mapping[str, Catalog] | None = None,
        mirror: Objects | None = None,
    ) -> None:
        self._store = store
        self._hot = hot
        self._places = places
        self._scratch = scratch
        self._catalogs = catalogs or {}
        self._mirror = mirror
        self._cold = ColdFiles(dict(places))
        self._moving = asyncio.Lock()

    async def move(self, move: Move, *, ts_known: int, simulated: bool) -> Moved:
        """Do `move`; rows stay readable exactly once at any moment, whatever dies on the way.

        Cold files whose days all lie in the span are folded into what is written, but not from the archive into the
        warm tier. What is known of the rows by then is moved; later versions stay hot, and win.

        Raises:
            StoreUnavailable: A tier cannot be read or written now; what was begun is done the next time.
            CorruptArchive: What was written could not be read back; the rows stay where they were.
        """
        async with self._moving:
            upto = self._store.version()
            files = [file for file in await self._store.files() if file.table == move.span.table]
            with _scratch(self._scratch) as folder:
                task = self._carried if move.tier else self._cleared
                change = await task(move, files, upto, folder)
                if not change.rows:
                    return Moved(rows=0, files=0, bytes=0)
                made = [
                    await self._placed(draft, tier=tier, name=move.span.table, at=(upto, number))
                    for number, (draft, tier) in enumerate(change.drafts)
                ]
            moved = Moved(rows=change.rows, files=len(made), bytes=sum(file.bytes for file in made))
            origin = _Origin(ts_known, simulated=simulated)
            writes = {
                "cold_files": _file_rows(made, change.old, state="replaced" if move.tier else "deleted", origin=origin),
                "moves": _move_row(move, moved, upto, is_fold=change.is_fold, origin=origin),
            }
            with self._store.swapping():
                await self._hot.remove(move.span, upto=upto, writes=writes)
            await self._tell(move.span.table)
            return moved

    async def holdings(self) -> pl.DataFrame:
        """Return what lies where: the columns `tier` and CENSUS. Providers share the bytes of a file.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        hot = (await self._hot.census()).select(pl.lit("hot").alias("tier"), *CENSUS)
        files = await self._store.files()
        rows = [row for file in files for row in _shares(file)]
        cold = pl.DataFrame(rows, schema={"tier": pl.String(), **CENSUS}, orient="row")
        return pl.concat([hot, cold]).sort("tier", "table", "start", "provider")

    async def scrub(self) -> AsyncIterator[tuple[str, Damage | None]]:
        """Yield each cold file's key, with what is wrong with it, after reading all of it; mend it where that goes."""
        for file in await self._store.files():
            words = await self._damage(file, self._places[file.tier])
            if not words:
                yield file.file, None
                continue
            repaired = await self._repaired(file)
            yield file.file, Damage(file=file.file, table=file.table, tier=file.tier, words=words, repaired=repaired)

    async def sweep(self, *, older_than_ns: int) -> int:
        """Delete cold files that no standing row lies in, and return how many.

        What rows were deleted from goes at once; what was folded into other files, or never came to stand, goes if it
        was written before `older_than_ns`: a backup may still be reading it.

        Raises:
            StoreUnavailable: A tier cannot be listed or written now.
        """
        async with self._moving:
            standing = {file.file for file in await self._store.files()}
            gone = await self._store.read("cold_files", Selection(equal={"state": ("deleted",)}, columns=("file",)))
            deleted = set(gone["file"])
            count = 0
            for place in (*self._places.values(), *([self._mirror] if self._mirror is not None else [])):
                async for found in place.list():
                    is_due = found.key in deleted or found.modified < older_than_ns
                    if _is_cold(found.key) and found.key not in standing and is_due:
                        await place.delete(found.key)
                        count += 1
            return count

    async def _carried(self, move: Move, files: Sequence[ColdFile], upto: int, folder: Path) -> _Change:
        """Return what a move to a tier changes: the hot rows of the span and its files become sorted files."""
        assert move.tier is not None
        span, table = move.span, TABLES[move.span.table]
        old = [file for file in files if _is_within(file, span) and file.tier in ("warm", move.tier)]
        counted = _Counted(self._hot.extract(span, upto=upto))
        cold = [self._cold.parts(file, table, Wanted(tuple(columns(table)))) for file in old]
        with Drafting(folder, span.table, move.tier) as drafting:
            drafts = await drafting.write(merged([counted.frames(), *cold], by=order(table)))
        elsewhere = sum(file.rows for file in old if file.tier != move.tier)
        is_fold = not counted.rows and not elsewhere and len(old) > len(drafts)
        rows = sum(file.rows for file in old) if is_fold else counted.rows + elsewhere
        return _Change(rows=rows, drafts=[(draft, move.tier) for draft in drafts], old=old, is_fold=is_fold)

    async def _cleared(self, move: Move, files: Sequence[ColdFile], upto: int, folder: Path) -> _Change:
        """Return what a deletion changes: files of the span go, or are written again without its rows."""
        span, table = move.span, TABLES[move.span.table]
        counted = _Counted(self._hot.extract(span, upto=upto))
        async for _ in counted.frames():
            pass
        touched = [file for file in files if _may_lose(file, span)]
        old, drafts, rows = [], [], counted.rows
        for number, file in enumerate(touched):
            if _is_within(file, span) and span.is_whole:
                old.append(file)
                rows += file.rows
                continue
            kept = _kept(self._cold.parts(file, table, Wanted(tuple(columns(table)))), span, table)
            with Drafting(_made(folder / str(number)), span.table, file.tier) as drafting:
                rest = await drafting.write(kept)
            gone = file.rows - sum(draft.extent.rows for draft in rest)
            if gone:
                old.append(file)
                rows += gone
                drafts += [(draft, file.tier) for draft in rest]
        return _Change(rows=rows, drafts=drafts, old=old, is_fold=False)

    async def _placed(self, draft: Draft, *, tier: str, name: str, at: tuple[int, int]) -> ColdFile:
        version, number = at
        file = await asyncio.to_thread(draft.file, name=name, tier=tier, version=version, number=number)
        await publish(draft, file, self._places[tier])
        if self._mirror is not None:
            await self._mirror.put(file.file, draft.path)
        return file

    async def _tell(self, name: str) -> None:
        files = await self._store.files()
        for tier, catalog in self._catalogs.items():
            await catalog.publish(name, [file for file in files if (file.tier, file.table) == (tier, name)])

    async def _damage(self, file: ColdFile, place: Objects) -> str:
        """Return what is wrong with `file` at `place`; "" if nothing is."""
        digest = hashlib.sha256()
        try:
            for start in range(0, file.bytes, _BLOCK):
                digest.update(await place.get(file.file, start=start, length=_BLOCK))
        except NotKept:
            return "it is missing"
        return "" if digest.hexdigest() == file.sha256 else "its bytes are not those that were written"

    async def _repaired(self, file: ColdFile) -> bool:
        """Put the second copy of `file`, if there is a whole one, in place of the first."""
        if self._mirror is None or await self._damage(file, self._mirror):
            return False
        with _scratch(self._scratch) as folder:
            await self._mirror.fetch(file.file, folder / "copy")
            await self._places[file.tier].put(file.file, folder / "copy")
        return not await self._damage(file, self._places[file.tier])


@dataclass(frozen=True)
class _Origin:
    """When a change became known, in UTC nanoseconds, and of which kind of data."""

    ts_known: int
    simulated: bool


@dataclass(frozen=True)
class _Change:
    """What a move brings: drafts with their tiers, the files that they replace, and the rows that it is about."""

    rows: int
    drafts: list[tuple[Draft, str]]
    old: list[ColdFile]
    is_fold: bool


class _Counted:
    """A stream of frames whose rows are counted as they pass."""

    def __init__(self, frames: AsyncIterator[pl.DataFrame]) -> None:
        self._frames = frames
        self.rows = 0

    async def frames(self) -> AsyncIterator[pl.DataFrame]:
        """Yield the frames."""
        async for frame in self._frames:
            self.rows += len(frame)
            yield frame


async def _kept(frames: AsyncIterator[pl.DataFrame], span: Span, table: Table) -> AsyncIterator[pl.DataFrame]:
    """Yield what a deletion of `span` leaves of `frames`."""
    event = event_column(table)
    day = pl.col(event) if table.columns[event] == pl.Date() else pl.col(event).dt.date()
    goes = day.is_between(span.start, span.end)
    if span.provider:
        goes &= pl.col("provider").eq_missing(pl.lit(span.provider))
    if span.known_before is not None:
        goes &= pl.col("ts_known").dt.epoch("ns") < span.known_before
    async for frame in frames:
        yield frame.filter(~goes)


def _is_within(file: ColdFile, span: Span) -> bool:
    return span.start <= file.start and file.end <= span.end


def _may_lose(file: ColdFile, span: Span) -> bool:
    """Return whether a deletion of `span` may touch `file`."""
    is_near = file.start <= span.end and file.end >= span.start
    return is_near and (not span.provider or span.provider in msgspec.json.decode(file.providers))


def _shares(file: ColdFile) -> list[tuple[object, ...]]:
    """Return a row of holdings for each provider of the file, which has its share of the bytes."""
    providers = msgspec.json.decode(file.providers) or {"": file.rows}
    return [
        (file.tier, file.table, file.start, file.end, name, rows, round(file.bytes * rows / file.rows))
        for name, rows in sorted(providers.items())
    ]


def _is_cold(key: str) -> bool:
    return key.endswith(".parquet") and key.partition("/")[0] in TABLES


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Lend a new folder below `folder`; a full disk becomes StoreUnavailable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as path:
            yield Path(path)
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else str(error)  # PyArrow says more than people read
        raise StoreUnavailable(path=str(folder), reason=words.lower()) from None


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _file_rows(made: Sequence[ColdFile], old: Sequence[ColdFile], *, state: str, origin: _Origin) -> pl.DataFrame:
    """Return the rows of cold_files: those that stand now, and those that do no longer."""
    told = [(file, "standing", FIRST) for file in made] + [(file, state, LAST) for file in old]
    rows = [{**asdict(file), **asdict(origin), "state": state, "version": version} for file, state, version in told]
    return _frame("cold_files", rows)


def _move_row(move: Move, moved: Moved, upto: int, *, is_fold: bool, origin: _Origin) -> pl.DataFrame:
    """Return the row of moves that says who carried what, where and why."""
    span = move.span
    action = "delete" if move.tier is None else "fold" if is_fold else "move"
    row = {
        "move_id": f"{span.table}-{span.start}-{span.end}-{move.tier or 'none'}-{upto}",
        "action": action,
        "table": span.table,
        "tier": move.tier or "",
        "start": span.start,
        "end": span.end,
        "provider": span.provider,
        "rows": moved.rows,
        "bytes": float(moved.bytes),
        "actor": move.actor,
        "why": move.why,
        **asdict(origin),
    }
    return _frame("moves", [row])


def _frame(name: str, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    columns = TABLES[name].columns
    plain = {column: pl.Int64() if dtype == INSTANT else dtype for column, dtype in columns.items()}
    frame = pl.DataFrame([{column: row[column] for column in columns} for row in rows], schema=plain)
    return frame.with_columns(pl.col(column).cast(dtype) for column, dtype in columns.items())
