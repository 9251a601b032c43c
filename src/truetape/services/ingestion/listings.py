"""What the room knows of the market: who is listed where and when, and on which dates the venue trades."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from truetape.services.ingestion.intervals import ONE_DAY
from truetape.services.ingestion.rounds import Listed


@dataclass
class Market:
    """The instruments that are asked about."""

    listed: dict[str, Listed] = field(default_factory=dict)  # by instrument id: its current listing, its whole life
    symbols: dict[str, str] = field(default_factory=dict)  # by instrument id
    assets: dict[str, str] = field(default_factory=dict)  # asset class by instrument id
    sessions: dict[str, Sequence[date]] = field(default_factory=dict)  # ascending, by MIC
    _by_symbol: dict[str, str] = field(default_factory=dict)

    def update(self, other: Market) -> None:
        """Take over what `other` knows newer or more of."""
        self.listed |= other.listed
        self.symbols |= other.symbols
        self.assets |= other.assets
        self.sessions |= other.sessions
        self._by_symbol |= {one.symbol: name for name, one in other.listed.items()}

    def find(self, symbols: Iterable[str]) -> dict[str, Listed | None]:
        """Return the listing of each symbol (an instrument id will do too); None where it is unknown."""
        return {one: self.listed.get(self._by_symbol.get(one, one)) for one in symbols}


def market_of(listings: pl.DataFrame, sessions: pl.DataFrame, instruments: pl.DataFrame) -> Market:
    """Return what rows of the tables listings, sessions (`mic`, `session`) and instruments say.

    Of an instrument's listings the latest gives the symbol; a history is asked for from the first one on.
    """
    ordered = listings.sort("valid_from", nulls_last=False)
    latest = ordered.unique("instrument_id", keep="last", maintain_order=True)
    since = dict(ordered.unique("instrument_id", keep="first").select("instrument_id", "valid_from").iter_rows())
    listed = {
        row["instrument_id"]: Listed(
            row["instrument_id"],
            row["symbol"],
            row["mic"],
            since[row["instrument_id"]],
            row["valid_to"] and row["valid_to"] - ONE_DAY,
        )
        for row in latest.iter_rows(named=True)
    }
    days: dict[str, Sequence[date]] = {
        str(mic): rows["session"].sort().to_list() for (mic,), rows in sessions.group_by("mic", maintain_order=True)
    }
    return Market(
        listed=listed,
        symbols={name: one.symbol for name, one in listed.items()},
        assets=dict(instruments.select("instrument_id", "asset_class").iter_rows()),
        sessions=days,
    )
