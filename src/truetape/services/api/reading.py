"""The store as one answer sees it: at one version, known as of one instant, with a note of what was looked at."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import replace

import polars as pl

from truetape.domain.subjects import Subject, read_subjects
from truetape.ports.changes import Changes
from truetape.ports.clock import Clock
from truetape.ports.store import BATCH_ROWS, Selection, Store


class VersionAlone:
    """Knows of a store's changes what its version says: after any commit, nothing is known to be the same."""

    is_alone = False  # as far as is known

    def __init__(self, store: Store) -> None:
        self._store = store

    def unchanged(self, subjects: Collection[Subject], *, since: int) -> bool:  # noqa: ARG002  that of the port
        """Return whether nothing at all was written after version `since`."""
        return since >= self._store.version()


class Reading:
    """Reads of one answer: whatever is written meanwhile, all of them see the store as it was after one commit.

    `version` is that commit, `as_of` the knowledge time that rows are read at (UTC nanoseconds; None: all that the
    store held), `told` the knowledge time that the answer tells, and `snapshot` the name that stands for all of it.
    `used` is what was looked at so far.
    """

    def __init__(
        self, store: Store, *, changes: Changes, version: int, as_of: int | None, told: int, snapshot: str = ""
    ) -> None:
        self._store = store
        self._changes = changes
        self.version = version
        self.as_of = as_of
        self.told = told
        self.snapshot = snapshot
        self.used: set[Subject] = set()

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows of the one version: as they are now, where that is known to be the same.

        Raises:
            StoreUnavailable, BadInput: As the store does.
        """
        subjects = read_subjects(table, selection.equal)
        self.used |= subjects
        if self._changes.is_alone and self.holds(subjects):
            rows = await self._store.read(table, selection)
            if self.holds(subjects):
                return rows
        return await self._store.read(table, replace(selection, at_version=self.version))

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncGenerator[pl.DataFrame]:
        """Yield rows of the one version in frames of at most `rows` rows.

        Raises:
            StoreUnavailable, BadInput: As the store does.
        """
        self.used |= read_subjects(table, selection.equal)
        frames = self._store.stream(table, replace(selection, at_version=self.version), rows=rows)
        try:
            async for frame in frames:
                yield frame
        finally:
            if isinstance(frames, AsyncGenerator):
                await frames.aclose()

    def holds(self, subjects: Collection[Subject], *, since: int | None = None) -> bool:
        """Return whether `subjects` are known to be the same now as at the version, and as at version `since`."""
        return self._changes.unchanged(subjects, since=self.version if since is None else min(since, self.version))


def changes_of(store: Store) -> Changes:
    """Return what knows of the changes of `store`: the store itself if it does, else its version."""
    return store if isinstance(store, Changes) else VersionAlone(store)


def reading_now(store: Store, clock: Clock, *, as_of: int | None = None) -> Reading:
    """Return a reading of what the store holds now, as known at `as_of`, UTC nanoseconds (None: all of it)."""
    now = clock.now_ns()
    return Reading(
        store,
        changes=changes_of(store),
        version=store.version(),
        as_of=as_of,
        told=now if as_of is None else min(as_of, now),
    )
