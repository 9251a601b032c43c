"""A store whose rows are carried to cold files after every second commit, the first one included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.folder_objects import FolderObjects
from truetape.adapters.tiered_store import ColdFiles, ColdTiers, TieredStore
from truetape.domain.schema import TABLES
from truetape.ports.objects import Objects
from truetape.ports.store import BATCH_ROWS, Selection, Store
from truetape.ports.tiering import Move, Span

EVENTS = {"ts_event", "ex_date", "session"}
MOVERS = ("cold_files", "moves")  # which have rows of the moves themselves


def tiered(folder: Path, *, read_only: bool = False) -> tuple[TieredStore, ColdTiers]:
    """Open a store of three tiers in `folder`."""
    places: dict[str, Objects] = {tier: FolderObjects(folder / tier) for tier in ("warm", "archive")}
    hot = DuckdbStore(folder / "truetape.duckdb", read_only=read_only)
    store = TieredStore(hot, ColdFiles(places))
    return store, ColdTiers(store, hot=hot, places=places, scratch=folder / "scratch")


class CarriedStore:
    """Count only the commits of its callers as versions; `versions` are the store's own after each of them."""

    def __init__(self, folder: Path, versions: list[int], *, read_only: bool = False) -> None:
        self._store, self._tiers = tiered(folder, read_only=read_only)
        self._versions = versions
        self._committing = asyncio.Lock()
        self._rests = False
        self._waiting: set[str] = set()  # tables with rows that were not carried yet
        self._written: set[str] = set()

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        rows = await self._store.read(table, self._own(selection))
        return _own_rows(rows) if table in MOVERS else rows

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        async for frame in self._store.stream(table, self._own(selection), rows=rows):
            yield _own_rows(frame) if table in MOVERS else frame

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        async with self._committing:
            before = self._store.version()
            if await self._store.commit(writes, withdrawals=withdrawals) > before:
                self._waiting |= {*writes, *(withdrawals or {})}
                self._written |= self._waiting
                if not self._rests and len(self._versions) % 2:
                    await self._carry(self._waiting, "warm")
                    self._waiting = set()
                self._versions.append(self._store.version())
            return self.version()

    async def archive(self) -> None:
        """Carry everything into the archive, and delete the files that it was in."""
        async with self._committing:
            await self._carry(self._written, "archive")
            await self._tiers.sweep(older_than_ns=2**62)
            self._versions[-1] = self._store.version()

    def rest(self) -> None:
        """Leave the rows of commits in the hot tier from now on, or carry them away again."""
        self._rests = not self._rests

    async def _carry(self, tables: set[str], tier: Literal["warm", "archive"]) -> None:
        for table in sorted(tables):
            if EVENTS & set(TABLES[table].columns):
                everything = Move(Span(table, date.min, date.max), tier, actor="test", why="at once")
                await self._tiers.move(everything, ts_known=1, simulated=False)

    def version(self) -> int:
        return len(self._versions) - 1

    async def close(self) -> None:
        async with self._committing:
            await self._store.close()

    def _own(self, selection: Selection) -> Selection:
        return replace(
            selection, at_version=self._at(selection.at_version), since_version=self._at(selection.since_version)
        )

    def _at(self, version: int | None) -> int | None:
        if version is None:
            return None
        return self._versions[version] if 0 <= version < len(self._versions) else version + 10**6


async def archive(store: Store) -> None:
    """Let a CarriedStore archive everything."""
    assert isinstance(store, CarriedStore)
    await store.archive()


async def rest(store: Store) -> None:
    """Let a CarriedStore leave new rows where they are, or carry them again."""
    assert isinstance(store, CarriedStore)
    store.rest()


def _own_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` without those that tell of moves."""
    return rows.filter(~pl.col("table").is_in(list(TABLES)).fill_null(value=False))
