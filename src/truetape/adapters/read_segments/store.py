"""A store whose bars are read from segments where they can be, and from the store behind it where they must."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import polars as pl
import pyarrow as pa

from truetape.adapters.read_segments.building import Builder, Load, Quiet
from truetape.adapters.read_segments.decode import Piece, decode
from truetape.adapters.read_segments.factors import TABLE as FACTORS
from truetape.adapters.read_segments.factors import KeptFactors
from truetape.adapters.read_segments.latest import Latest
from truetape.adapters.read_segments.layout import END_NS, FIRST_NS, TABLE
from truetape.adapters.read_segments.library import Library
from truetape.adapters.read_segments.lists import Lists
from truetape.adapters.read_segments.marks import Span, Touched
from truetape.adapters.read_segments.question import Question, kept_of, question_of, rest_of
from truetape.adapters.read_segments.shelf import Shelf, changed, pieces
from truetape.adapters.read_segments.spans import About, about
from truetape.domain.read_trace import because, tell
from truetape.ports.store import BATCH_ROWS, Selection, Store

AT_ONCE: Final = 65_536  # rows that are put together on the event loop: a millisecond, less than a thread's turn costs
MOST_NAMES: Final = 4_096  # instruments that the store is asked for beside the segments
_TRIES: Final = 3


class ClosableStore(Store, Protocol):
    """A store that can be given back."""

    async def close(self) -> None:
        """Finish what was begun and give everything back."""
        ...


class SegmentedStore:
    """Answer for `store`, with segments of its bars in `folder`.

    Every answer is what the store itself would say. Whatever was written after a segment was made, or is asked as it
    was before, is read from the store; all commits must therefore come through here. `identity` names the store, so
    that segments of another one are never believed.

    With `quiet` segments are made in the background; without it the folder is only read.
    """

    def __init__(self, store: ClosableStore, folder: Path, *, identity: str, quiet: Quiet | None = None) -> None:
        self._store = store
        self._library = Library(folder, store, identity=identity)
        self._quiet = quiet
        self._load = Load()
        self._latest = Latest(self, self._library)
        self.factors = KeptFactors(store)
        self._task: asyncio.Task[None] | None = None

    @property
    def library(self) -> Library:
        """The segments."""
        return self._library

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows with exactly the table's columns (or `selection.columns`), in the order of the key.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: The table or a column does not exist, or the selection makes no sense for it.
        """
        self._wake()
        if table == FACTORS and (kept := self.factors.of(selection)) is not None:
            return kept
        question = question_of(table, selection)
        if question is not None and self._library.is_ready():
            answer = await self._read(question)
            if answer is not None:
                return answer
        with self._load.one(), because(self._why_not(question)):
            return await self._store.read(table, selection)

    def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield what `read` returns in frames of at most `rows` rows, as the store does.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: As for `read`.
        """
        return self._store.stream(table, selection, rows=rows)

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        """Write frames by table name and return the store's version after it.

        Raises:
            SchemaMismatch: A frame has not exactly its columns.
            StoreUnavailable: The store cannot be written now; nothing was written.
            BadInput: A table does not exist.
        """
        self._wake()
        frames = [frames[TABLE] for frames in (writes, withdrawals or {}) if TABLE in frames]
        with self._load.one(), self.factors.written(writes, withdrawals or {}):
            if not frames:
                return await self._store.commit(writes, withdrawals=withdrawals)
            about = await _about(frames)
            with self._library.written(about, ends=await self._ends(about)):
                try:
                    version = await self._store.commit(writes, withdrawals=withdrawals)
                except BaseException:
                    self._latest.forget()
                    raise
                self._latest.wrote(writes, withdrawals or {})
                return version

    async def latest(self, instruments: Sequence[str], *, timeframe: str) -> pl.DataFrame:
        """Return the bar of the greatest `ts_event` of each of `instruments` that has one.

        Rows have the columns of the table bars, in the order of the instruments' ids.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        self._wake()
        names = pl.Series("instrument_id", instruments, dtype=pl.String).drop_nulls().unique().sort()
        found = await self._latest.of(names, timeframe=timeframe)
        if found is not None:
            return found
        equal = {"instrument_id": tuple(names), "timeframe": (timeframe,)}
        rows = await self.read(TABLE, Selection(equal=equal))
        return rows.unique("instrument_id", keep="last", maintain_order=True)

    def version(self) -> int:
        """Return a number that grows with every commit that changed something."""
        return self._store.version()

    async def close(self) -> None:
        """Stop making segments, note what they lack, and close the store."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._library.close()
        await self.factors.close()
        if self._quiet is not None:
            with contextlib.suppress(OSError):  # what was written since is then found out again
                self._library.note()
        await self._store.close()

    async def _read(self, question: Question) -> pl.DataFrame | None:
        """Return the answer, or None if the store has to give it."""
        try:
            return await self._tried(question)
        except (OSError, pa.ArrowInvalid) as error:
            self._library.doubt(reason=str(error))
            return None

    async def _tried(self, question: Question) -> pl.DataFrame | None:
        for _ in range(_TRIES):
            shelves = self._library.shelves
            shelf = shelves.of_timeframe(question.timeframe)
            if shelf is None or not _reaches(shelf, question):
                return None
            touched = self._touched(shelf, question)
            if touched is None:
                found = pieces(shelf, question, except_for=frozenset(), low=0, high=0)
                _tell(found)
                return await _put_together(found, question, shelf.lists)
            if len(touched.instruments) > MOST_NAMES:
                return None
            fresh, low, high = pl.DataFrame(), END_NS, FIRST_NS
            if touched.instruments:
                rest, low, high = rest_of(question, touched)
                with self._load.one(), because(_touched_words(touched)):
                    fresh = await self._store.read(TABLE, rest)
                again = self._touched(shelf, question)
                if again is None or again != touched or shelves is not self._library.shelves:
                    continue
                touched = again
            kept = kept_of(question, touched.runs)
            if kept is None:
                return None
            found = pieces(shelf, question, except_for=touched.instruments, low=low, high=high)
            _tell(found)
            tell("memory", TABLE, len(kept))
            held = await _put_together(found, question, shelf.lists, columns=question.names)
            return _merged([one for one in (held, kept, fresh) if len(one)] or [held], question)
        return None

    def _why_not(self, question: Question | None) -> str:
        """Return why segments cannot answer; "" where nobody would expect them to."""
        if question is None:
            return ""
        if not self._library.is_ready():
            return "it is not yet known what was written since the segments were made"
        shelf = self._library.shelves.of_timeframe(question.timeframe)
        if shelf is None:
            return f"there are no segments of {question.timeframe} bars"
        return (
            "too much was written since the segments were made" if _reaches(shelf, question) else "segments are newer"
        )

    def _touched(self, shelf: Shelf, question: Question) -> Touched | None:
        """Return what the segments do not know: what was written since, and what was known before."""
        last = question.end - 1
        found = self._library.marks.touched(
            question.timeframe, instruments=question.instruments, first=question.first, last=last
        )
        earlier = frozenset(changed(shelf, question)) if question.as_of is not None else frozenset()
        if not earlier:
            return found
        if found is None:
            return Touched(earlier, question.first, last)
        runs = tuple(run for run in found.runs if run.instrument not in earlier)
        return Touched(earlier | found.instruments, question.first, last, runs)

    async def _ends(self, about: About) -> dict[Span, int]:
        """Return where the segments end of what is written for the first time since they were made."""
        if not any(self._library.unmarked(about)):
            return {}
        shelves = self._library.shelves
        try:
            ends = await asyncio.to_thread(self._library.ends, about)
        except (OSError, pa.ArrowInvalid):  # whoever reads it finds it out too, and says so
            return {}
        return ends if shelves is self._library.shelves else {}

    def _wake(self) -> None:
        """Begin to make segments, now that there is an event loop."""
        if self._quiet is not None and self._task is None:
            builder = Builder(self._store, self._library, load=self._load)
            self._task = asyncio.get_running_loop().create_task(builder.keep(self._quiet))


async def _about(frames: list[pl.DataFrame]) -> About:
    if sum(map(len, frames)) > AT_ONCE:
        return await asyncio.to_thread(about, frames)
    return about(frames)


def _tell(found: Sequence[Piece]) -> None:
    tell("segments", TABLE, sum(map(len, found)), files=len({piece.segment.folder for piece in found}))


def _touched_words(touched: Touched) -> str:
    if touched.is_everything:
        return "the segments of the period are still to be made"
    count = len(touched.instruments)
    return f"{count:,} instrument{'' if count == 1 else 's'} written to or corrected since the segments were made"


def _reaches(shelf: Shelf, question: Question) -> bool:
    """Return whether the segments are no newer than the version that is asked for."""
    version = question.selection.at_version
    if version is None:
        return True
    return all(one <= version for one in (shelf.version, *(row.version for row in shelf.between(*question.span))))


async def _put_together(
    found: list[Piece], question: Question, lists: Lists, *, columns: Sequence[str] = ()
) -> pl.DataFrame:
    if sum(map(len, found)) > AT_ONCE:
        return await asyncio.to_thread(_decoded, found, question, lists, columns)
    return _decoded(found, question, lists, columns)


def _decoded(found: list[Piece], question: Question, lists: Lists, columns: Sequence[str]) -> pl.DataFrame:
    """Return the rows of `found`, in order and limited; rows with other `columns` are to be merged first."""
    if columns:
        return decode(found, columns, timeframe=question.timeframe, lists=lists)
    if question.instruments is None and len({piece.segment for piece in found}) > 1:
        return _ordered(decode(found, question.names, timeframe=question.timeframe, lists=lists), question)
    rows = decode(found, question.columns, timeframe=question.timeframe, lists=lists)
    limit = question.selection.limit
    return rows if limit is None else rows.head(limit)


def _ordered(rows: pl.DataFrame, question: Question) -> pl.DataFrame:
    ordered = rows.sort("instrument_id", "ts_event")
    limit = question.selection.limit
    return (ordered if limit is None else ordered.head(limit)).select(question.columns)


def _merged(frames: list[pl.DataFrame], question: Question) -> pl.DataFrame:
    """Return all in order. Mostly one instrument is asked for, and what is fresh comes after what is held."""
    rows = pl.concat(frames)
    if question.instruments is not None and len(question.instruments) == 1 and rows["ts_event"].is_sorted():
        limit = question.selection.limit
        return (rows if limit is None else rows.head(limit)).select(question.columns)
    return _ordered(rows, question)
