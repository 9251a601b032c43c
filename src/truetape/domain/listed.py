"""One list of listings at one moment, ready to be compared with another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Final

import polars as pl

from truetape.domain.ticker_classes import canonical

IN_ORDER: Final = 0.98  # share of neighbours that ascend, in a list that is sorted by ticker
DELISTED: Final = "delisted"
_FIELDS: Final = (
    "symbol",
    "name",
    "exchange",
    "mic",
    "asset_class",
    "status",
    "first_date",
    "last_date",
    "isin",
    "figi",
    "cik",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list: what its source says of one ticker."""

    key: str  # the ticker, in the spelling that both lists share
    symbol: str
    name: str | None = None
    exchange: str | None = None
    mic: str | None = None
    asset_class: str | None = None
    status: str | None = None
    first_date: date | None = None
    last_date: date | None = None
    isin: str | None = None
    figi: str | None = None
    cik: str | None = None
    condition: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether the row stands for a listing that goes on; where nothing is told, it does."""
        return self.status != DELISTED


@dataclass(frozen=True)
class Snapshot:
    """A whole list, by ticker.

    A ticker that was used several times stands in `live` with its newest use that goes on, and in `past` with all uses
    that ended.
    """

    rows: tuple[Listed, ...]
    whole: bool = True  # the source says that nothing is missing, or never says so
    live: dict[str, Listed] = field(init=False)
    past: dict[str, tuple[Listed, ...]] = field(init=False)

    def __post_init__(self) -> None:
        live: dict[str, Listed] = {}
        past: dict[str, tuple[Listed, ...]] = {}
        for row in self.rows:
            if not row.is_live:
                past[row.key] = (*past.get(row.key, ()), row)
            elif row.key not in live or _later(row, live[row.key]):
                live[row.key] = row
        object.__setattr__(self, "live", live)
        object.__setattr__(self, "past", past)

    @cached_property
    def newest(self) -> date | None:
        """The latest day that the list knows of; None where it tells none."""
        days = [day for row in self.rows for day in (row.first_date, row.last_date) if day is not None]
        return max(days, default=None)

    @cached_property
    def venues(self) -> Counter[str]:
        """How many listings go on, by exchange."""
        return Counter(row.exchange for row in self.live.values() if row.exchange)

    @cached_property
    def in_order(self) -> bool:
        """Whether the list is sorted by ticker, so that its end shows whether it was cut."""
        symbols = [row.symbol for row in self.rows]
        rising = sum(one <= other for one, other in pairwise(symbols))
        return len(symbols) > 1 and rising >= IN_ORDER * (len(symbols) - 1)

    @cached_property
    def last_symbol(self) -> str:
        """The greatest ticker that stands in the list; "" of an empty one."""
        return max((row.symbol for row in self.rows), default="")


def snapshot(frame: pl.DataFrame, *, whole: bool = True, one_spelling: bool = False) -> Snapshot:
    """Return a list of schema DECODED["listings"], to which a column `condition` may be added.

    Args:
        frame: Rows in the order of their source; those without a symbol are left out.
        whole: Whether the source says that the list is whole, or never says so.
        one_spelling: Compare tickers by one spelling of their classes, for lists of different sources.
    """
    known = frame.filter(pl.col("symbol").is_not_null() & (pl.col("symbol") != ""))
    names = [*_FIELDS, *(["condition"] if "condition" in known.columns else [])]
    rows = known.select(names).iter_rows(named=True)
    told = (Listed(key=canonical(row["symbol"]) if one_spelling else row["symbol"], **row) for row in rows)
    return Snapshot(tuple(told), whole=whole)


def _later(one: Listed, other: Listed) -> bool:
    return (one.first_date or date.min) > (other.first_date or date.min)
