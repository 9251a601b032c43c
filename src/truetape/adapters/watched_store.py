"""A store that knows what was written to it, by subject."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Final, Protocol

import polars as pl

from truetape.domain.subjects import Subject, written_subjects
from truetape.ports.store import BATCH_ROWS, Selection, Store

MOST_SUBJECTS: Final = 200_000  # that are remembered; of others only the newest commit is


class Closable(Store, Protocol):
    """A store that is given back in the end."""

    async def close(self) -> None:
        """Give it back."""
        ...


class WatchedStore:
    """Pass everything on to `store`, and remember which commit changed what.

    A commit counts as a change of its subjects from before it begins until it is accounted for. Commits of others,
    which the store's version gives away, count as changes of everything. `is_alone` says whether there are no others.
    """

    def __init__(self, store: Closable, *, is_alone: bool, most_subjects: int = MOST_SUBJECTS) -> None:
        self._store = store
        self.is_alone = is_alone
        self._most = most_subjects
        self._changed: OrderedDict[Subject, int] = OrderedDict()  # the commit that changed it last
        self._tables: dict[str, int] = {}  # the last commit that changed all of a table
        self._writing: Counter[Subject] = Counter()  # of commits that are under way
        self._rewriting: Counter[str] = Counter()  # tables that they change all of
        self._writes = 0  # commits that are under way
        self._seen = self._floor = store.version()  # seen: all commits up to it are accounted for
        self._ahead: set[int] = set()  # and these after it
        self._forgotten = 0  # the newest commit of a subject that is remembered no longer

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows, as the store does."""
        return await self._store.read(table, selection)

    def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield rows, as the store does."""
        return self._store.stream(table, selection, rows=rows)

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        """Write, as the store does."""
        subjects, tables = _touched(writes, withdrawals or {})
        self._begin(subjects, tables)
        try:
            version = await self._store.commit(writes, withdrawals=withdrawals)
            self._account(subjects, tables, version)
        finally:
            self._end(subjects, tables)
        return version

    def version(self) -> int:
        """Return the store's version."""
        return self._store.version()

    def unchanged(self, subjects: Collection[Subject], *, since: int) -> bool:
        """Return whether no commit after version `since` changed rows of `subjects`; False where it is not known."""
        if any(subject in self._writing or subject[0] in self._rewriting for subject in subjects):
            return False
        now = self._store.version()
        if since >= now:
            return True
        if now != self._seen and not self._writes:
            self._lose_track(now)
        return now == self._seen and since >= self._floor and all(self._last(one) <= since for one in subjects)

    async def close(self) -> None:
        """Give the store back."""
        await self._store.close()

    def _begin(self, subjects: Collection[Subject], tables: Collection[str]) -> None:
        self._writing.update(subjects)
        self._rewriting.update(tables)
        self._writes += 1

    def _end(self, subjects: Collection[Subject], tables: Collection[str]) -> None:
        self._writing -= Counter(subjects)
        self._rewriting -= Counter(tables)
        self._writes -= 1

    def _account(self, subjects: Collection[Subject], tables: Collection[str], version: int) -> None:
        for subject in subjects:
            self._changed[subject] = version
            self._changed.move_to_end(subject)
        self._tables.update(dict.fromkeys(tables, version))
        while len(self._changed) > self._most:
            self._forgotten = max(self._forgotten, self._changed.popitem(last=False)[1])
        if version > self._seen:
            self._ahead.add(version)
            while self._seen + 1 in self._ahead:
                self._seen += 1
                self._ahead.remove(self._seen)

    def _last(self, subject: Subject) -> int:
        """Return the last commit that may have changed rows of `subject`."""
        return max(self._changed.get(subject, self._forgotten), self._tables.get(subject[0], 0))

    def _lose_track(self, now: int) -> None:
        """Take everything for changed: somebody else wrote, or a commit ended in an error and may be there yet."""
        self._seen = self._floor = now
        self._ahead.clear()


def _touched(
    writes: Mapping[str, pl.DataFrame], withdrawals: Mapping[str, pl.DataFrame]
) -> tuple[frozenset[Subject], frozenset[str]]:
    """Return the subjects that change, and the tables that change as a whole."""
    subjects: set[Subject] = set()
    tables: set[str] = set()
    for table, rows in (*writes.items(), *withdrawals.items()):
        written = written_subjects(table, rows)
        if written is None:
            tables.add(table)
        else:
            subjects |= written
    return frozenset(subjects), frozenset(tables)
