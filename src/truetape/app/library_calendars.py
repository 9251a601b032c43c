"""The library's answers about venues: their calendars as the platform keeps them, and the venues themselves."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from truetape.app.library_source import Source, given_as


class CalendarAnswers:
    """Questions about venues; a part of a session."""

    _source: Source

    def calendar(
        self,
        mic: str,
        *,
        start: str | date | None = None,
        end: str | date | None = None,
        as_of: str | date | datetime | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return the sessions of a venue as they are kept, ascending, with opens, closes and lunch breaks in UTC.

        Args:
            mic: The venue, ISO 10383.
            start: First session date, inclusive.
            end: Last session date, inclusive.
            as_of: As this platform knew them then; None: now.
            snapshot: From the state of the store that has this name.

        Raises:
            BadInput: The store knows no calendar of this venue, or a value is not usable.
        """
        return self._source.table(
            "calendar", {"mic": mic, **given_as(start=start, end=end, as_of=as_of, snapshot=snapshot)}
        )

    def venues(
        self, q: str | None = None, *, mic: str | None = None, country: str | None = None,
        as_of: str | date | datetime | None = None,
    ) -> pl.DataFrame:  # fmt: skip
        """Return venues by ISO 10383, each operating one before its markets.

        Args:
            q: Part of a code, a name, an acronym or a city, in either case.
            mic: One venue, with its markets.
            country: ISO 3166, two letters.
            as_of: As this platform knew them then; None: now.
        """
        return self._source.table("venues", given_as(q=q, mic=mic, country=country, as_of=as_of))
