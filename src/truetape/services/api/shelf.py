"""What many answers need and is costly to make: listings by symbol, made anew only when they have changed."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from truetape.domain.subjects import ANY
from truetape.services.api.directory import Directory
from truetape.services.api.reading import Reading

MOST: Final = 4  # directories of past versions
_LISTINGS: Final = frozenset({("listings", ANY, ANY)})


class Shelf:
    """Keep the directory of the newest listings, and a few of versions that snapshots and later pages ask for."""

    def __init__(self) -> None:
        self._newest: tuple[int, Directory] | None = None
        self._past: OrderedDict[int, Directory] = OrderedDict()

    async def directory(self, reading: Reading) -> Directory:
        """Return the listings as `reading` sees them.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        reading.used |= _LISTINGS
        if self._newest is not None and reading.holds(_LISTINGS, since=self._newest[0]):
            return self._newest[1]
        if reading.version in self._past:
            return self._past[reading.version]
        made = Directory(await reading.read("listings"))
        if reading.holds(_LISTINGS):
            self._newest = (reading.version, made)
        else:
            self._past[reading.version] = made
            while len(self._past) > MOST:
                self._past.popitem(last=False)
        return made
