"""Write sorted rows into cold files: beside first, then among the objects of a tier, then read back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import polars as pl

from truetape.adapters.tiered_store.cold import ColdFile, ColdFiles, Wanted, event_column
from truetape.adapters.tiered_store.layout import GROUP_ROWS, as_written, checksum, columns, sha256_of, writer
from truetape.domain.errors import CorruptArchive
from truetape.domain.schema import TABLES, Table
from truetape.ports.objects import Objects
from truetape.ports.tiering import STORED

FILE_ROWS: Final = 1 << 22  # of one file: some 60 MB of daily bars
_MODULUS: Final = 2**64


@dataclass
class Extent:
    """What the rows of one file range over, as they are written."""

    rows: int = 0
    checksum: int = 0
    days: set[date] = field(default_factory=set)  # first and last of each frame
    abouts: set[str] = field(default_factory=set)  # of the key's first column, likewise
    providers: dict[str, int] = field(default_factory=dict)  # rows of each
    stored_to: int = 0

    def add(self, rows: pl.DataFrame, table: Table) -> None:
        """Count `rows`, which are not empty."""
        self.rows += len(rows)
        self.checksum = (self.checksum + checksum(rows)) % _MODULUS
        days = rows[event_column(table)]
        days = days if days.dtype == pl.Date else days.dt.date()
        self.days = _ends({*self.days, days.min(), days.max()})
        abouts = rows[table.key[0]]
        self.abouts = _ends({*self.abouts, str(abouts.min()), str(abouts.max())})
        if "provider" in table.columns:
            for provider, count in rows["provider"].fill_null("").value_counts().iter_rows():
                self.providers[provider] = self.providers.get(provider, 0) + count
        newest = rows[STORED].max()
        assert isinstance(newest, int)
        self.stored_to = max(self.stored_to, newest)


@dataclass(frozen=True)
class Draft:
    """A file that is written whole, on the local disk."""

    path: Path
    extent: Extent

    def file(self, *, name: str, tier: str, version: int, number: int) -> ColdFile:
        """Return what it will be among the objects of `tier`."""
        extent, sha256 = self.extent, sha256_of(self.path)
        start, end = min(extent.days), max(extent.days)
        return ColdFile(
            file=f"{name}/{start.year}/{version}-{number}-{sha256[:16]}.parquet",
            table=name,
            tier=tier,
            start=start,
            end=end,
            least=min(extent.abouts),
            greatest=max(extent.abouts),
            rows=extent.rows,
            providers=msgspec.json.encode(extent.providers).decode(),
            bytes=self.path.stat().st_size,
            stored_to=extent.stored_to,
            sha256=sha256,
        )


class Drafting:
    """Write a stream of sorted rows into drafts in `folder`, a row group at a time."""

    def __init__(self, folder: Path, name: str, tier: str) -> None:
        self._folder = folder
        self._name = name
        self._tier = tier
        self._group_rows = GROUP_ROWS[tier]
        self._table = TABLES[name]
        self._open: tuple[Any, Extent, Path] | None = None
        self.drafts: list[Draft] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._open is not None:
            with contextlib.suppress(OSError):  # what went wrong is told already
                self._open[0].close()

    async def write(self, rows: AsyncIterator[pl.DataFrame]) -> list[Draft]:
        """Write all of `rows` and return the drafts."""
        held: list[pl.DataFrame] = []
        async for frame in rows:
            held.append(frame)
            while sum(map(len, held)) >= self._group_rows:
                whole = pl.concat(held)
                await asyncio.to_thread(self._group, whole.head(self._group_rows))
                held = [whole.slice(self._group_rows)]
        rest = pl.concat(held) if held else None
        if rest is not None and len(rest):
            await asyncio.to_thread(self._group, rest)
        await asyncio.to_thread(self._close)
        return self.drafts

    def _group(self, rows: pl.DataFrame) -> None:
        if self._open is None:
            path = self._folder / f"{self._name}-{len(self.drafts)}.parquet"
            self._open = (writer(path, self._table, self._tier), Extent(), path)
        opened, extent, _ = self._open
        opened.write_table(as_written(rows, self._table))
        extent.add(rows, self._table)
        if extent.rows >= FILE_ROWS:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            opened, extent, path = self._open
            self._open = None
            opened.close()
            self.drafts.append(Draft(path, extent))


async def publish(draft: Draft, file: ColdFile, place: Objects) -> None:
    """Put `draft` among the objects of `place`, and read every row of it back from there.

    Raises:
        StoreUnavailable: The tier cannot be written now.
        CorruptArchive: Other rows came back than were written.
    """
    await place.put(file.file, draft.path)
    table = TABLES[file.table]
    rows = total = 0
    async for part in ColdFiles({file.tier: place}).parts(file, table, Wanted(tuple(columns(table)))):
        rows += len(part)
        total = (total + checksum(part)) % _MODULUS
    if (rows, total) != (draft.extent.rows, draft.extent.checksum):
        reason = f"{rows} rows came back of {draft.extent.rows} that were written, or others"
        raise CorruptArchive(path=file.file, reason=reason)


def _ends(values: set[Any]) -> set[Any]:
    return {min(values), max(values)}
