"""Read cold files: only the row groups and columns that a question needs, with the footers of files kept."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from truetape.adapters.tiered_store.layout import as_read, columns, stored_names, texts
from truetape.domain.errors import CorruptArchive
from truetape.domain.read_trace import tell
from truetape.domain.schema import Table
from truetape.ports.objects import Objects

FOOTERS_BYTES: Final = 64 << 20  # of footers that are kept, for all files together
AT_ONCE: Final = 4  # files that are read side by side
FOOTER_BYTES: Final = 64 << 10  # of the end of a file, read at once: more than most footers have
EVENTS: Final = ("ts_event", "ex_date", "session")

_MAGIC: Final = 4  # bytes at the very end
_TAIL: Final = 8  # with the length of the footer before


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

    def extent(self, group: int, names: Sequence[str]) -> tuple[int, int]:
        """Return where the columns `names` of a row group begin and how many bytes reach to their end."""
        held = self.metadata.row_group(group)
        columns = [held.column(number) for number in range(held.num_columns)]
        chunks = [column for column in columns if column.path_in_schema in names]
        start = min(_beginning(chunk) for chunk in chunks)
        return start, max(_beginning(chunk) + chunk.total_compressed_size for chunk in chunks) - start


class ColdFiles:
    """Read the files of the tiers `places`; the footers of those read last are kept."""

    def __init__(self, places: dict[str, Objects], *, footers_bytes: int = FOOTERS_BYTES) -> None:
        self._places = places
        self._footers: OrderedDict[str, Footer] = OrderedDict()
        self._footers_bytes = footers_bytes
        self._held_bytes = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def rows(self, file: ColdFile, table: Table, wanted: Wanted) -> pl.DataFrame:
        """Return the wanted rows of `file`.

        Raises:
            NotKept: The file is no longer there.
            CorruptArchive: It cannot be read as what it should be.
            StoreUnavailable: Its tier cannot be read now.
        """
        parts = [part async for part in self.parts(file, table, wanted)]
        return pl.concat(parts) if parts else pl.DataFrame(schema={name: columns(table)[name] for name in wanted.names})

    async def of_all(self, files: Sequence[ColdFile], table: Table, wanted: Wanted) -> list[pl.DataFrame]:
        """Return the wanted rows of each of `files`, a few of which are read at once.

        Raises:
            NotKept, CorruptArchive, StoreUnavailable: As for `rows`.
        """

        async def one(file: ColdFile) -> pl.DataFrame:
            async with self._turns:
                rows = await self.rows(file, table, wanted)
            tell("archive" if file.tier == "archive" else "warm", file.table, len(rows), files=1, size=file.bytes)
            return rows

        return await asyncio.gather(*(one(file) for file in files))

    async def parts(self, file: ColdFile, table: Table, wanted: Wanted) -> AsyncIterator[pl.DataFrame]:
        """Yield the wanted rows of `file`, one frame for each row group that may hold some.

        Raises:
            NotKept: The file is no longer there.
            CorruptArchive: It cannot be read as what it should be.
            StoreUnavailable: Its tier cannot be read now.
        """
        footer = await self._footer(file, table)
        names = stored_names(_needed(table, wanted), table)
        for group in footer.chosen(wanted):
            start, length = footer.extent(group, names)
            body = await self._places[file.tier].get(file.file, start=start, length=length)
            window = _Window(body, start=start, size=file.bytes)
            rows = await asyncio.to_thread(_group, file, window, footer, group, table, wanted)
            if len(rows):
                yield rows

    async def _footer(self, file: ColdFile, table: Table) -> Footer:
        if file.file in self._footers:
            self._footers.move_to_end(file.file)
            return self._footers[file.file]
        place = self._places[file.tier]
        start = max(0, file.bytes - FOOTER_BYTES)
        end = await place.get(file.file, start=start, length=file.bytes - start)
        length = int.from_bytes(end[-_TAIL:-_MAGIC], "little") + _TAIL if end.endswith(b"PAR1") else 0
        if length > len(end):
            start = max(0, file.bytes - length)
            end = await place.get(file.file, start=start, length=file.bytes - start)
        footer = await asyncio.to_thread(_read_footer, file, table, _Window(end, start=start, size=file.bytes))
        self._footers[file.file] = footer
        self._held_bytes += footer.metadata.serialized_size
        while self._held_bytes > self._footers_bytes and len(self._footers) > 1:
            _, oldest = self._footers.popitem(last=False)
            self._held_bytes -= oldest.metadata.serialized_size
        return footer


class _Window(io.RawIOBase):
    """A file of `size` bytes of which those of `body`, from `start` on, are at hand."""

    def __init__(self, body: bytes, *, start: int, size: int) -> None:
        self._body = body
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = self._size if size is None or size < 0 else self._at + size
        found = self._body[max(0, self._at - self._start) : max(0, end - self._start)]
        self._at += len(found)
        return found


class _told:  # noqa: N801  reads as a word
    """What PyArrow says of a file that it cannot read becomes CorruptArchive; errors of the port stay."""

    def __init__(self, file: ColdFile) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, pa.ArrowException | EOFError) or (isinstance(error, OSError) and error.errno is None):
            raise CorruptArchive(path=self._file.file, reason=str(error).partition("\n")[0].rstrip(".")) from None


def _read_footer(file: ColdFile, table: Table, window: _Window) -> Footer:
    with _told(file):
        metadata = pq.read_metadata(pa.PythonFile(window, mode="r"))
        return Footer(metadata, _ranges(metadata, table))


def _group(file: ColdFile, window: _Window, footer: Footer, group: int, table: Table, wanted: Wanted) -> pl.DataFrame:
    """Return the wanted rows of a row group; they are chosen before texts are made of what was read."""
    names = _needed(table, wanted)
    with _told(file):
        dictionaries = texts(table)
        opened = pq.ParquetFile(pa.PythonFile(window, mode="r"), metadata=footer.metadata, read_dictionary=dictionaries)
        found = opened.read_row_group(group, columns=stored_names(names, table), use_threads=False)
    if wanted.about is not None:
        values = found[table.key[0]].combine_chunks()
        found = found.filter(pc.is_in(values, value_set=pa.array(sorted(wanted.about), type=pa.string())))
    return _within(as_read(found, names, table), table, wanted).select(wanted.names)


def _needed(table: Table, wanted: Wanted) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*wanted.names, table.key[0], event_column(table))))


def _within(rows: pl.DataFrame, table: Table, wanted: Wanted) -> pl.DataFrame:
    event = event_column(table)
    day = pl.col(event) if table.columns[event] == pl.Date() else pl.col(event).dt.date()
    conditions = [day >= wanted.start] if wanted.start else []
    conditions += [day <= wanted.end] if wanted.end else []
    return rows.filter(conditions) if conditions else rows


def _beginning(chunk: pq.ColumnChunkMetaData) -> int:
    """Return where a column chunk begins: with its dictionary, if it has one."""
    first: int = chunk.data_page_offset
    return first if chunk.dictionary_page_offset is None else min(first, chunk.dictionary_page_offset)


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
