"""The part of the library that answers questions about the instrument master."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from typing import Final

import polars as pl

from truetape.app.library_source import Source, given_as
from truetape.domain.errors import UnknownTarget
from truetape.services.api.master import InstrumentCase

INSTRUMENT: Final = "ins_"  # how an id of an instrument begins
MOST: Final = 20  # instruments that a search tells, unless more are asked for


class MasterAnswers:
    """Search instruments and tell all that is known of one, from a source."""

    _source: Source

    def search(self, q: str, *, limit: int = MOST, as_of: str | date | datetime | None = None) -> pl.DataFrame:
        """Return the instruments that `q` may mean, the likeliest first.

        Args:
            q: A ticker, an identifier, or words of a name; one letter may be wrong.
            limit: The most that are returned.
            as_of: Answer as known then.

        Returns:
            `rank` (from 1), `instrument_id`, `symbol` (the present ticker, or the last one), `mic`, `name`,
            `asset_class`, `currency`, `listed` (somewhere, now), `valid_to` (exclusive) and `matched`, which says how.

        Raises:
            BadInput: A parameter is not usable.
        """
        return self._source.table("search", {**given_as(q=q, as_of=as_of), "limit": str(limit)})

    def instrument(self, one: str, *, as_of: str | date | datetime | None = None) -> InstrumentCase:
        """Return all that is known of the instrument whose id or ticker is `one`, as known at `as_of`.

        Raises:
            UnknownTarget: Nothing is.
            BadInput: Several instruments have the ticker, or `as_of` is none.
        """
        return self._source.instrument(one, given_as(as_of=as_of))

    def standing_for(self, one: str) -> str:
        """Return the id of the record that stands for the id `one`; anything else, and what nobody knows, as it is."""
        if not one.startswith(INSTRUMENT):
            return one
        with contextlib.suppress(UnknownTarget):
            return self.instrument(one).instrument_id
        return one
