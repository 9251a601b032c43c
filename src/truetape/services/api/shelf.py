"""What many answers need and is costly to read or make: made anew only when it has changed."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import polars as pl

from truetape.domain.merging import redirected, redirects
from truetape.domain.subjects import ANY
from truetape.ports.store import Selection
from truetape.services.api.directory import Directory
from truetape.services.api.reading import Reading
from truetape.services.api.searching import SearchIndexes

MOST: Final = 4  # directories of past versions
MOST_FACTORS: Final = 1024  # instruments
FACTOR: Final = ("ex_date", "split", "dividend", "version", "ts_known")
_LISTINGS: Final = frozenset({("listings", ANY, ANY), ("merges", ANY, ANY)})


class Shelf(SearchIndexes):
    """Keep listings by symbol, the newest and a few that snapshots and later pages ask for, and the newest factors."""

    def __init__(self) -> None:
        super().__init__()
        self._directory: tuple[int, Directory] | None = None
        self._past: OrderedDict[int, Directory] = OrderedDict()
        self._factors: OrderedDict[str, tuple[int, pl.DataFrame]] = OrderedDict()

    async def directory(self, reading: Reading) -> Directory:
        """Return the listings as `reading` sees them.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        reading.used |= _LISTINGS
        if self._directory is not None and reading.holds(_LISTINGS, since=self._directory[0]):
            return self._directory[1]
        if reading.version in self._past:
            return self._past[reading.version]
        listings, merges = await reading.read("listings"), await reading.read("merges")
        made = Directory(redirected(listings, merges), merged=redirects(merges))
        if reading.holds(_LISTINGS):
            self._directory = (reading.version, made)
        else:
            self._past[reading.version] = made
            while len(self._past) > MOST:
                self._past.popitem(last=False)
        return made

    async def factors(self, reading: Reading, instrument: str) -> pl.DataFrame:
        """Return the factors of an instrument by ex-date, columns FACTOR, as `reading` sees them.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        wanted = Selection(equal={"instrument_id": (instrument,)}, as_of=reading.as_of, columns=FACTOR)
        if reading.as_of is not None:
            return await reading.read("factors", wanted)
        subjects = frozenset({("factors", instrument, ANY)})
        kept = self._factors.get(instrument)
        if kept is not None and reading.holds(subjects, since=kept[0]):
            reading.used |= subjects
            return kept[1]
        rows = await reading.read("factors", wanted)
        if reading.holds(subjects):
            self._factors[instrument] = (reading.version, rows)
            while len(self._factors) > MOST_FACTORS:
                self._factors.popitem(last=False)
        return rows
