"""What a table of the store is, and the columns that many of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, Schema

ORIGIN_COLUMNS: Final = {"ts_known": INSTANT, "simulated": pl.Boolean()}
VERSIONED_COLUMNS: Final = {"ts_known": INSTANT, "version": pl.UInt32(), "simulated": pl.Boolean()}
VERDICT_COLUMNS: Final = {
    "score": pl.Float64(),  # share of the providers' weight that agrees, in [0, 1]
    "method": pl.String(),  # consensus, plurality, single_source or operator
    "agreed": pl.String(),  # providers that agree, comma separated, in alphabetical order
    "dissented": pl.String(),  # providers that claimed something else
}


@dataclass(frozen=True)
class Table:
    """A table of the store: its columns, what identifies a row, and who writes it.

    A `versioned` table keeps superseded rows: the row with the greatest version is current. Other tables only grow;
    a row whose key is there already is a repeat.
    """

    columns: Schema
    key: tuple[str, ...]
    writer: str
    versioned: bool = False

    @property
    def withdrawal(self) -> Schema:
        """The columns of a withdrawal, which says that the row of a key no longer stands."""
        return {name: self.columns[name] for name in (*self.key, *VERSIONED_COLUMNS)}
