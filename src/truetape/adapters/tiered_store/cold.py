"""Read cold files: only the row groups and columns that a question needs, with the footers of files kept."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from truetape.adapters.tiered_store.layout import as_read, columns, stored_names
from truetape.domain.errors import CorruptArchive
from truetape.domain.schema import Table
from truetape.ports.objects import Objects

FOOTERS_BYTES: Final = 64 << 20  # of footers that are kept, for all files together
EVENTS: Final = ("ts_event", "ex_date", "session")


@dataclass(frozen=True)
class Wanted:
    """Which rows of cold files are wanted: by the first column of the key, and by session dates, both inclusive."""

    names: tuple[str, ...]
    about: frozenset[str] | None = None  # values of the first column of the key; None: all
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class ColdFile:
    """One file of a tier, as the table cold_files has it."""

    file: str
    table: str
    tier: str
    start: date
    end: date
    least: str
    greatest: str
    rows: int
    providers: str
    bytes: int
    stored_to: int
    sha256: str

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Return the file of a row of cold_files."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    def may_hold(self, wanted: Wanted) -> bool:
        """Return whether rows that are wanted may lie in the file."""
        if (wanted.start and wanted.start > self.end) or (wanted.end and wanted.end < self.start):
            return False
        return wanted.about is None or any(self.least <= one <= self.greatest for one in wanted.about)


@dataclass(frozen=True)
class Footer:
    """What the end of a file says: where its row groups lie and what range each holds."""

    metadata: pq.FileMetaData
    groups: tuple[tuple[str, str, date, date], ...]  # least and greatest of the key's first column, and of the days

    def chosen(self, wanted: Wanted) -> list[int]:
        """Return the row groups that may hold what is wanted."""
        return [number for number, group in enumerate(self.groups) if _overlaps(group, wanted)]


class ColdFiles:
    """Read the files of the tiers `places`; the footers of those read last are kept."""

    def __init__(self, places: dict[str, Objects], *, footers_bytes: int = FOOTERS_BYTES) -> None:
        self._places = places
        self._footers: OrderedDict[str, Footer] = OrderedDict()
        self._footers_bytes = footers_bytes
        self._held_bytes = 0

    async def rows(self, file: ColdFile, table: Table, wanted: Wanted) -> pl.DataFrame:
        """Return the wanted rows of `file`.

        Raises:
            NotKept: The file is no longer there.
            CorruptArchive: It cannot be read as what it should be.
            StoreUnavailable: Its tier cannot be read now.
        """
        parts = [part async for part in self.parts(file, table, wanted)]
        return pl.concat(parts) if parts else pl.DataFrame(schema={name: columns(table)[name] for name in wanted.names})

    async def parts(self, file: ColdFile, table: Table, wanted: Wanted) -> AsyncIterator[pl.DataFrame]:
        """Yield the wanted rows of `file`, one frame for each row group that may hold some.

        Raises:
            NotKept: The file is no longer there.
            CorruptArchive: It cannot be read as what it should be.
            StoreUnavailable: Its tier cannot be read now.
        """
        source = _Ranges(self._places[file.tier], file, asyncio.get_running_loop())
        footer = await asyncio.to_thread(self._footer, file, table, source)
        for group in footer.chosen(wanted):
            rows = await asyncio.to_thread(_group, source, footer, group, table, wanted)
            if len(rows):
                yield rows

    def _footer(self, file: ColdFile, table: Table, source: _Ranges) -> Footer:
        if file.file in self._footers:
            self._footers.move_to_end(file.file)
            return self._footers[file.file]
        with _told(file):
            metadata = pq.read_metadata(pa.PythonFile(source.again(), mode="r"))
            footer = Footer(metadata, _ranges(metadata, table))
        self._footers[file.file] = footer
        self._held_bytes += metadata.serialized_size
        while self._held_bytes > self._footers_bytes and len(self._footers) > 1:
            _, oldest = self._footers.popitem(last=False)
            self._held_bytes -= oldest.metadata.serialized_size
        return footer


class _Ranges(io.RawIOBase):
    """A file that is read from a worker thread through a port that belongs to the event loop."""

    def __init__(self, place: Objects, file: ColdFile, loop: asyncio.AbstractEventLoop) -> None:
        self._place = place
        self._loop = loop
        self._at = 0
        self.file = file

    def again(self) -> _Ranges:
        """Return the same file, read from its beginning."""
        return _Ranges(self._place, self.file, self._loop)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.file.bytes}[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = self.file.bytes - self._at
        length = left if size is None or size < 0 else min(size, left)
        if length <= 0:
            return b""
        reading = self._place.get(self.file.file, start=self._at, length=length)
        body = asyncio.run_coroutine_threadsafe(reading, self._loop).result()
        self._at += len(body)
        return body


class _told:  # noqa: N801  reads as a word
    """What PyArrow says of a file that it cannot read becomes CorruptArchive; errors of the port stay."""

    def __init__(self, file: ColdFile) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, pa.ArrowException | EOFError) or (isinstance(error, OSError) and error.errno is None):
            raise CorruptArchive(path=self._file.file, reason=str(error).partition("\n")[0].rstrip(".")) from None


def _group(source: _Ranges, footer: Footer, group: int, table: Table, wanted: Wanted) -> pl.DataFrame:
    first, event = table.key[0], event_column(table)
    names = tuple(dict.fromkeys((*wanted.names, first, event)))
    with _told(source.file):
        file = pq.ParquetFile(pa.PythonFile(source.again(), mode="r"), metadata=footer.metadata, pre_buffer=True)
        found = file.read_row_group(group, columns=stored_names(names, table), use_threads=False)
    rows = as_read(found, names, table)
    conditions = [pl.col(first).is_in(list(wanted.about))] if wanted.about is not None else []
    day = pl.col(event) if table.columns[event] == pl.Date() else pl.col(event).dt.date()
    conditions += [day >= wanted.start] if wanted.start else []
    conditions += [day <= wanted.end] if wanted.end else []
    return (rows.filter(conditions) if conditions else rows).select(wanted.names)


def event_column(table: Table) -> str:
    """Return the column that says when a row of `table` happened.

    Raises:
        StopIteration: It has none.
    """
    return next(name for name in EVENTS if name in table.columns)


def _ranges(metadata: pq.FileMetaData, table: Table) -> tuple[tuple[str, str, date, date], ...]:
    names = [metadata.row_group(0).column(number).path_in_schema for number in range(metadata.num_columns)]
    first, event = names.index(table.key[0]), names.index(event_column(table))
    found = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        about, when = group.column(first).statistics, group.column(event).statistics
        found.append((str(about.min), str(about.max), _day(when.min), _day(when.max)))
    return tuple(found)


def _day(value: date | datetime) -> date:
    return value.astimezone(UTC).date() if isinstance(value, datetime) else value


def _overlaps(group: tuple[str, str, date, date], wanted: Wanted) -> bool:
    least, greatest, start, end = group
    if (wanted.start and wanted.start > end) or (wanted.end and wanted.end < start):
        return False
    return wanted.about is None or any(least <= one <= greatest for one in wanted.about)
