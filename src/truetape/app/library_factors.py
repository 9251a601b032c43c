"""The part of the library that answers questions about adjustment factors."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import polars as pl

from truetape.app.library_source import Source, given_as


class FactorAnswers:
    """Answer questions about adjustment factors from a source."""

    _source: Source

    def factors(
        self,
        symbols: str | Iterable[str],
        *,
        start: date | str | None = None,
        end: date | str | None = None,
        as_of: datetime | date | str | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return what adjusts the bars before each ex-date, alone (`split`, `dividend`) and with all later ones.

        Prices before an ex-date times `price_multiplier`, and volumes times `volume_multiplier`, are adjusted for it
        and for all later ones. `ts_known` is when the last action or close that a factor follows from was known.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        given = given_as(symbols=symbols, start=start, end=end, as_of=as_of, snapshot=snapshot)
        return self._source.table("factors", given)
