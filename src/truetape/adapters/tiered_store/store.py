"""A store that reads its cold files where rows have left it, and is otherwise the store that it wraps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, Final, Protocol

import polars as pl

from truetape.adapters.tiered_store.cold import EVENTS, ColdFile, ColdFiles, Wanted, event_column
from truetape.adapters.tiered_store.merging import NEWEST, chosen, known, standing, states, without
from truetape.domain.errors import CorruptArchive, NotKept, StoreUnavailable
from truetape.domain.schema import TABLES, Table
from truetape.ports.store import BATCH_ROWS, Selection, Store
from truetape.ports.tiering import STORED

FEW: Final = 1_000  # values of a key's first column that are looked up one by one
TRIES: Final = 8  # of a read whose rows are carried away meanwhile
STANDING: Final = Selection(equal={"state": ("standing",)})


class HotStore(Store, Protocol):
    """A store that is given back in the end."""

    async def close(self) -> None:
        """Finish what was begun and give everything back."""
        ...


class _UnderWay:
    """Count what is under way, and wait until nothing is."""

    def __init__(self) -> None:
        self._count = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def __aenter__(self) -> None:
        self._count += 1
        self._is_idle.clear()

    async def __aexit__(self, *error: object) -> None:
        self._count -= 1
        if not self._count:
            self._is_idle.set()

    async def wait(self) -> None:
        """Return when nothing is under way."""
        await self._is_idle.wait()


class TieredStore:
    """Read `hot` and the cold files that its table `cold_files` names as if all rows were in one store.

    Rows that are recent, that is outside of every cold file's days, cost what they cost in `hot`. A row that was
    carried away may get new versions: they stand in `hot`, and win.
    """

    def __init__(self, hot: HotStore, cold: ColdFiles) -> None:
        self._hot = hot
        self._cold = cold
        self._files: tuple[ColdFile, ...] = ()
        self._committing = _UnderWay()
        self._is_closed = False
        self._is_swapping = False
        self._seen = -1  # the version of `hot` whose files these are

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows with exactly the table's columns (or `selection.columns`), in the order of the key.

        Raises:
            StoreUnavailable: A tier cannot be read now.
            CorruptArchive: A cold file is damaged.
            BadInput: The table or a column does not exist, or the selection makes no sense for it.
        """
        for _ in range(TRIES):
            files = await self.files()
            held = _that_may_hold(files, table, selection)
            try:
                rows = await self._read(table, selection, held) if held else await self._hot.read(table, selection)
            except NotKept as error:
                self._seen = -1  # mostly it was folded into another file, and deleted since
                if files is await self.files():
                    raise CorruptArchive(path=error.key, reason="it is missing") from None
                continue
            if files is await self.files():
                return rows
        raise _carried_meanwhile(table)

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield what `read` returns in frames of at most `rows` rows, in bounded memory, all of one store version.

        Raises:
            StoreUnavailable: A tier cannot be read now.
            CorruptArchive: A cold file is damaged.
            BadInput: As for `read`.
        """
        pinned = replace(_pinned(selection, self._hot.version()), limit=None)
        counts, frames = await self._begun(table, selection, pinned, rows)
        if frames is not None:
            async with aclosing(frames):
                async for frame in frames:
                    yield frame
        left = selection.limit
        for about in _portions(counts, rows):
            found = await self.read(table, _only(pinned, TABLES[table], about))
            found = found if left is None else found.head(left)
            left = None if left is None else left - len(found)
            for frame in found.iter_slices(rows):
                if self._is_closed:
                    raise StoreUnavailable(path=table, reason="it was closed")
                if len(frame):
                    yield frame
            if left == 0:
                return

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        """Write frames by table name and return the store's version after it; what a cold file holds is a repeat.

        Raises:
            SchemaMismatch: A frame has not exactly its columns.
            StoreUnavailable: The store cannot be written now; nothing was written.
            BadInput: A table does not exist.
        """
        async with self._committing:
            fresh = {name: await self._fresh(name, frame) for name, frame in writes.items()}
            gone = {name: await self._fresh(name, frame) for name, frame in (withdrawals or {}).items()}
            return await self._hot.commit(fresh, withdrawals=gone)

    def version(self) -> int:
        """Return a number that grows with every commit that changed something."""
        return self._hot.version()

    async def close(self) -> None:
        """Finish the commits that were begun and give the hot tier back."""
        await self._committing.wait()
        self._is_closed = True
        await self._hot.close()

    @contextmanager
    def swapping(self) -> Iterator[None]:
        """Let reads look up for themselves which files stand while a commit carries rows away."""
        self._is_swapping = True
        try:
            yield
        finally:
            self._is_swapping = False
            self._seen = -1

    async def files(self) -> tuple[ColdFile, ...]:
        """Return the cold files whose rows stand; the same tuple until they change.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        version = self._hot.version()
        if version != self._seen or self._is_swapping:
            rows = await self._hot.read("cold_files", STANDING)
            found = tuple(ColdFile.of(row) for row in rows.iter_rows(named=True))
            self._seen = version if not self._is_swapping else -1
            self._files = self._files if found == self._files else found
        return self._files

    async def _read(self, name: str, selection: Selection, files: list[ColdFile]) -> pl.DataFrame:
        if selection.limit is not None and selection.limit < 0:
            return await self._hot.read(name, selection)  # which says what is wrong with it
        table = TABLES[name]
        if selection.since_version is not None:  # asks the hot tier several times
            selection = _pinned(selection, self._hot.version())
        hot = await self._hot_states(name, selection)
        if hot.is_empty() and selection.since_version is not None and _all_before(files, selection.since_version):
            return chosen(hot, table, selection)
        names = (*dict.fromkeys((*hot.columns, "ts_known")),)
        wanted = _wanted(table, selection, names)
        cold = [known(rows, selection) for rows in await self._cold.of_all(files, table, wanted)]
        found = standing(pl.concat([hot, *(rows.select(hot.columns) for rows in cold)]), table, selection)
        if selection.since_version is not None:
            found = await self._since(name, found, selection)
        return chosen(found, table, selection)

    async def _hot_states(self, name: str, selection: Selection) -> pl.DataFrame:
        """Return what the hot tier holds of the keys that are asked for, all of one version of the store."""
        asked = selection
        while True:
            version = self._hot.version()
            found = await self._both(name, asked)
            if version == self._hot.version() or asked.at_version is not None:
                return found
            asked = replace(selection, at_version=version)

    async def _both(self, name: str, selection: Selection) -> pl.DataFrame:
        table = TABLES[name]
        identity = _identity(table)
        names = (*dict.fromkeys((*identity, *(selection.columns or tuple(table.columns)), *selection.equal)),)
        asked = replace(_by_key(selection, table), columns=names, limit=None, since_version=None, withdrawn=False)
        rows = states(await self._hot.read(name, asked), withdrawn=False)
        if not table.versioned:
            return rows
        gone = await self._hot.read(name, replace(asked, withdrawn=True))
        return pl.concat([rows, states(gone, withdrawn=True)])

    async def _since(self, name: str, found: pl.DataFrame, selection: Selection) -> pl.DataFrame:
        """Return those of `found` that were written after `since_version`; hot rows do not say when they were."""
        assert selection.since_version is not None
        table = TABLES[name]
        identity = _identity(table)
        hot = await self._hot.read(name, replace(_by_key(selection, table), columns=identity, limit=None))
        is_newer = pl.col(STORED) > selection.since_version
        cold = found.filter(is_newer & (pl.col(STORED) < NEWEST))
        warm = found.filter(pl.col(STORED) == NEWEST).join(hot, on=list(identity), how="semi", nulls_equal=True)
        return pl.concat([cold, warm]).sort(*identity, nulls_last=True)

    async def _begun(
        self, name: str, selection: Selection, pinned: Selection, rows: int
    ) -> tuple[dict[Any, int], AsyncGenerator[pl.DataFrame] | None]:
        """Return the rows of each value of the key's first column, or a stream of the hot tier if all lie there."""
        for _ in range(TRIES):
            files = await self.files()
            held = _that_may_hold(files, name, selection)
            counts = await self._counts(name, pinned, held) if held else {}
            frames = None if held else self._hot.stream(name, selection, rows=rows)
            first = await anext(frames, None) if frames is not None else None  # from now on it is of one version
            if files is await self.files():
                return counts, None if frames is None else _after(first, frames)
        raise _carried_meanwhile(name)

    async def _counts(self, name: str, selection: Selection, files: list[ColdFile]) -> dict[Any, int]:
        """Return how many rows each value of the key's first column has, in their order."""
        table = TABLES[name]
        first = table.key[0]
        counts: dict[Any, int] = {}
        for file in files:
            async for part in self._cold.parts(file, table, _wanted(table, selection, (first,))):
                _count(counts, part[first])
        alone = replace(_by_key(selection, table), columns=(first,), since_version=None)
        async for frame in self._hot.stream(name, alone):
            _count(counts, frame[first])
        return dict(sorted(counts.items()))

    async def _fresh(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of `frame` that no cold file holds."""
        table = TABLES.get(name)
        event = next((one for one in EVENTS if table and one in table.key and one in frame.columns), None)
        if table is None or event is None or frame.is_empty() or not await self.files():
            return frame
        identity = _identity(table)
        if any(column not in frame.columns for column in identity):
            return frame  # the hot tier says what is missing
        wanted = _about(frame, table, identity)
        files = [file for file in self._files if file.table == name and file.may_hold(wanted)]
        for file in files:
            frame = without(frame, await self._cold.rows(file, table, wanted), identity)
        return frame


def _carried_meanwhile(name: str) -> StoreUnavailable:
    return StoreUnavailable(path=name, reason="its rows are being carried between tiers; try again")


async def _after(first: pl.DataFrame | None, rest: AsyncIterator[pl.DataFrame]) -> AsyncGenerator[pl.DataFrame]:
    """Yield `first`, if there is one, and the rest; a stream that is closed early closes the other one."""
    try:
        if first is not None:
            yield first
            async for frame in rest:
                yield frame
    finally:
        if isinstance(rest, AsyncGenerator):
            await rest.aclose()


def _is_text(table: Table) -> bool:
    return table.columns[table.key[0]] == pl.String()


def _identity(table: Table) -> tuple[str, ...]:
    return (*table.key, "version") if table.versioned else table.key


def _pinned(selection: Selection, version: int) -> Selection:
    return selection if selection.at_version is not None else replace(selection, at_version=version)


def _by_key(selection: Selection, table: Table) -> Selection:
    """Return `selection` without its filters of columns that are no key: they judge what stands in the end."""
    return replace(selection, equal={name: values for name, values in selection.equal.items() if name in table.key})


def _that_may_hold(files: tuple[ColdFile, ...], name: str, selection: Selection) -> list[ColdFile]:
    own = [file for file in files if file.table == name]
    if not own:
        return []
    wanted = _wanted(TABLES[name], selection, ())
    return [file for file in own if file.may_hold(wanted)]


def _wanted(table: Table, selection: Selection, names: tuple[str, ...]) -> Wanted:
    about = selection.equal.get(table.key[0]) if _is_text(table) else None
    needed = (*dict.fromkeys((*names, *(("ts_known",) if selection.as_of is not None else ()), STORED)),)
    return Wanted(needed, about=None if about is None else frozenset(about), start=selection.start, end=selection.end)


def _about(frame: pl.DataFrame, table: Table, identity: tuple[str, ...]) -> Wanted:
    """Return what of cold files may repeat rows of `frame`."""
    event, values = event_column(table), frame[table.key[0]].unique()
    least, greatest = frame[event].min(), frame[event].max()
    about = frozenset(values.to_list()) if len(values) <= FEW and _is_text(table) else None
    return Wanted(identity, about=about, start=_day(least), end=_day(greatest))


def _day(value: Any) -> Any:
    return value.date() if hasattr(value, "date") else value


def _all_before(files: list[ColdFile], version: int) -> bool:
    return all(file.stored_to <= version for file in files)


def _count(counts: dict[Any, int], values: pl.Series) -> None:
    for value, count in values.value_counts().iter_rows():
        counts[value] = counts.get(value, 0) + count


def _only(selection: Selection, table: Table, about: tuple[Any, ...]) -> Selection:
    """Return `selection` of those rows whose first column of the key is among `about`: names, or session dates."""
    if _is_text(table):
        return replace(selection, equal={**selection.equal, table.key[0]: about})
    return replace(selection, start=about[0], end=about[-1])


def _portions(counts: dict[Any, int], rows: int) -> Iterator[tuple[Any, ...]]:
    """Yield values that have about `rows` rows together."""
    portion: list[Any] = []
    held = 0
    for value, count in counts.items():
        if portion and (held + count > rows or len(portion) == FEW):
            yield tuple(portion)
            portion, held = [], 0
        portion.append(value)
        held += count
    if portion:
        yield tuple(portion)
