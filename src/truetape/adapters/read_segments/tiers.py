"""Tiers that tell the segments which bars were deleted: no commit does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import polars as pl

from truetape.adapters.read_segments.layout import TABLE
from truetape.adapters.read_segments.library import Library
from truetape.adapters.read_segments.spans import About
from truetape.domain.time import DAY_NS, day_start_ns
from truetape.ports.tiering import Damage, Move, Moved, Tiers


class SegmentedTiers:
    """Pass everything on to `tiers`; what is deleted of the bars is read from segments no more."""

    def __init__(self, tiers: Tiers, library: Library) -> None:
        self._tiers = tiers
        self._library = library

    async def move(self, move: Move, *, ts_known: int, simulated: bool) -> Moved:
        """Do `move`, as the tiers do.

        Raises:
            StoreUnavailable: A tier cannot be read or written now; what was begun is done the next time.
            CorruptArchive: What was written could not be read back; the rows stay where they were.
        """
        if move.tier is not None or move.span.table != TABLE:
            return await self._tiers.move(move, ts_known=ts_known, simulated=simulated)
        first, last = day_start_ns(move.span.start), day_start_ns(move.span.end) + DAY_NS - 1
        spans = tuple(self._library.held_between(first, last))
        with self._library.written(About(spans, unfit=frozenset())):
            return await self._tiers.move(move, ts_known=ts_known, simulated=simulated)

    async def holdings(self) -> pl.DataFrame:
        """Return what lies where, as the tiers do.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        return await self._tiers.holdings()

    def scrub(self) -> AsyncIterator[tuple[str, Damage | None]]:
        """Yield each cold file's key, with what is wrong with it."""
        return self._tiers.scrub()

    async def sweep(self, *, older_than_ns: int) -> int:
        """Delete cold files that no standing row lies in, and return how many."""
        return await self._tiers.sweep(older_than_ns=older_than_ns)
