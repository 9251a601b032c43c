"""The tickers of all instruments as one immutable map, exchanged as a whole when the master changes."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

import polars as pl

from truetape.domain.merging import redirected
from truetape.domain.subjects import ANY
from truetape.domain.symbology import Symbology
from truetape.ports.changes import Changes
from truetape.ports.store import Selection, Store

_TABLES: Final = ("listings", "merges")
_SUBJECTS: Final = frozenset((table, ANY, ANY) for table in _TABLES)


class _Held(NamedTuple):
    """A map, and the version of the store that it is of."""

    version: int
    symbology: Symbology


class SymbolMap:
    """Hold the newest map, and make the next one beside it.

    Whoever was given a map keeps it as long as the work lasts, so that one payload is never read by two. While a new
    one is made the old one stays in use; only who asks after the master has changed waits for what holds the change,
    and all who wait do so for one reading of the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: _Held | None = None
        self._loading: asyncio.Task[None] | None = None

    async def current(self) -> Symbology:
        """Return a map that holds everything that the master held when it was asked for.

        Raises:
            StoreUnavailable: The master cannot be read now.
        """
        wanted = self._store.version()
        while True:
            held = self._held
            if held is not None and (held.version >= wanted or self._is_same(since=held.version)):
                return held.symbology
            if self._loading is None:
                self._loading = asyncio.create_task(self._load())
            await asyncio.shield(self._loading)

    async def _load(self) -> None:
        try:
            version = self._store.version()
            rows = [await self._store.read(table) for table in _TABLES]
            if not self._is_same(since=version):
                rows = [await self._store.read(table, Selection(at_version=version)) for table in _TABLES]
            self._held = _Held(version, await asyncio.to_thread(_made, *rows))
        finally:
            self._loading = None

    def _is_same(self, *, since: int) -> bool:
        """Return whether the master is known to say the same now as at version `since`."""
        if isinstance(self._store, Changes):
            return self._store.unchanged(_SUBJECTS, since=since)
        return since >= self._store.version()


def _made(listings: pl.DataFrame, merges: pl.DataFrame) -> Symbology:
    return Symbology(redirected(listings, merges))
