"""The index that instruments are searched in, made of the master as one answer sees it."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl

from truetape.domain.instrument_search import InstrumentIndex
from truetape.domain.merging import redirected
from truetape.domain.subjects import ANY
from truetape.ports.store import Selection
from truetape.services.api.reading import Reading

TABLES: Final = ("instruments", "instrument_details", "listings", "identifiers", "merges")
SUBJECTS: Final = frozenset((table, ANY, ANY) for table in TABLES)
_NAMES: Final = ("instrument_id", "name", "asset_class")


class SearchIndexes:
    """Keep the index of the newest state, until the master says something else."""

    def __init__(self) -> None:
        self._newest: tuple[int, InstrumentIndex] | None = None

    async def index(self, reading: Reading) -> InstrumentIndex:
        """Return the index of the master as `reading` sees it.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        reading.used |= SUBJECTS
        is_now = reading.as_of is None
        if is_now and self._newest is not None and reading.holds(SUBJECTS, since=self._newest[0]):
            return self._newest[1]
        rows = [await reading.read(table, Selection(as_of=reading.as_of)) for table in TABLES]
        made = await asyncio.to_thread(index_of, *rows)
        if is_now and reading.holds(SUBJECTS):
            self._newest = (reading.version, made)
        return made


def index_of(
    instruments: pl.DataFrame,
    details: pl.DataFrame,
    listings: pl.DataFrame,
    identifiers: pl.DataFrame,
    merges: pl.DataFrame,
) -> InstrumentIndex:
    """Return the index of instruments by present and former names, tickers and identifiers, merged ones as one."""
    standing = merges.filter(pl.col("stands"))
    present = instruments.select(_NAMES).join(standing, on="instrument_id", how="anti")
    merged = instruments.select(_NAMES).join(standing, on="instrument_id", how="semi")
    former = details.filter(pl.col("valid_to").is_not_null()).with_columns(asset_class=pl.lit(None, dtype=pl.String))
    names = pl.concat([present, redirected(merged, merges), redirected(former.select(_NAMES), merges)])
    return InstrumentIndex(names, redirected(listings, merges), redirected(identifiers, merges))
