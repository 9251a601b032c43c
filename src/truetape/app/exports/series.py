"""One instrument as it is exported: who it is, which tickers it had when, its bars and what was paid and split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby, repeat
from operator import itemgetter
from typing import Final, NamedTuple, Protocol

import polars as pl

from truetape.domain.errors import BadInput

_DAY: Final = timedelta(days=1)
_PLAIN: Final = re.compile(r"[A-Za-z0-9^$][A-Za-z0-9.^$_+=#-]*")
PRICES: Final = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Era:
    """A ticker of an instrument on a venue, from `first` to `last`, both inclusive."""

    symbol: str
    mic: str
    first: date
    last: date


@dataclass(frozen=True)
class Member:
    """An instrument that is exported. `asked` is what it was asked for as."""

    instrument_id: str
    asked: str
    name: str
    asset_class: str
    currency: str
    eras: tuple[Era, ...]  # ascending, without gaps: from date.min to date.max
    begins: date | None  # its first listing; None: since ever
    ends: date | None  # the last day of its last listing; None: still listed

    @property
    def symbol(self) -> str:
        """Its newest ticker."""
        return self.eras[-1].symbol

    @property
    def mic(self) -> str:
        """The venue of its newest ticker."""
        return self.eras[-1].mic

    def listed(self) -> Iterator[Era]:
        """Yield its eras as far as it was listed."""
        first, last = self.begins or date.min, self.ends or date.max
        for era in self.eras:
            begins, ends = max(era.first, first), min(era.last, last)
            if begins <= ends:
                yield replace(era, first=begins, last=ends)


@dataclass(frozen=True)
class Series:
    """An instrument with its rows. `bars` have the columns that a session's bars have, ascending."""

    member: Member
    timeframe: str
    basis: str
    bars: pl.DataFrame
    actions: pl.DataFrame
    closes: pl.DataFrame  # `date`, `close` as traded, ascending; only where the form wants them

    def priced(self) -> pl.DataFrame:
        """Return the bars of which every price is known; engines have no place for others."""
        return self.bars.filter(pl.all_horizontal(pl.col(PRICES).is_not_null()))


class Sink(Protocol):
    """Where series go, one after another."""

    @property
    def notes(self) -> list[str]:
        """What the form could not hold as it was, in sentences."""
        ...

    def add(self, series: Series) -> int:
        """Write a series, and return how many of its bars were written."""
        ...

    def finish(self) -> None:
        """Write what stands at the end."""
        ...

    def close(self) -> None:
        """Close every file, whether all was written or not."""
        ...


@dataclass
class Losses:
    """What a form could not hold, counted, and told in one sentence for each kind."""

    counted: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, rows: int) -> None:
        """Count `rows` more of `what`, which has {} in the place of the number."""
        if rows:
            self.counted[what] = self.counted.get(what, 0) + rows

    def told(self) -> list[str]:
        """Return the sentences."""
        return [what.format(f"{rows:,}") for what, rows in self.counted.items()]


NO_PRICE: Final = "Bars that were left out because one of their prices is missing: {}."
NO_VOLUME: Final = "Volumes that are not known and stand as 0: {}."


def members(instruments: pl.DataFrame, wanted: Mapping[str, str] | None = None) -> Iterator[Member]:
    """Yield the instruments that are wanted, in that order; every one by its id where none is named.

    Args:
        instruments: Listings with their instruments, as a session returns them.
        wanted: Ids of instruments, each with what it was asked for as.
    """
    own = instruments if wanted is None else instruments.filter(pl.col("instrument_id").is_in(list(wanted)))
    ordered = own.sort("instrument_id", "valid_from", nulls_last=False).select(_LISTED).iter_rows()
    found = {key: _member([_Listed(*row) for row in rows]) for key, rows in groupby(ordered, key=itemgetter(0))}
    for instrument, asked in wanted.items() if wanted is not None else zip(found, repeat("")):
        yield replace(found[instrument], asked=asked) if asked else found[instrument]


class _Listed(NamedTuple):
    instrument_id: str
    symbol: str
    mic: str
    valid_from: date | None
    valid_to: date | None
    name: str | None
    asset_class: str | None
    currency: str | None


_LISTED: Final = _Listed._fields


def _member(rows: Sequence[_Listed]) -> Member:
    last, begins = rows[-1], rows[0].valid_from
    ends = None if any(one.valid_to is None for one in rows) else max(one.valid_to for one in rows if one.valid_to)
    return Member(
        instrument_id=last.instrument_id,
        asked=last.symbol,
        name=last.name or last.symbol,
        asset_class=last.asset_class or "",
        currency=last.currency or "",
        eras=tuple(_eras(rows)),
        begins=begins,
        ends=ends - _DAY if ends is not None else None,
    )


def _eras(rows: Sequence[_Listed]) -> Iterator[Era]:
    """Yield the tickers one after another; neighbours that say the same are one."""
    changes = [next(group) for _, group in groupby(rows, key=lambda one: (one.symbol, one.mic))]
    begins = [one.valid_from or date.min for one in changes]
    ends = [*(date.fromordinal(max(one.toordinal() - 1, 1)) for one in begins[1:]), date.max]
    for number, one in enumerate(changes):
        first = begins[number] if number else date.min
        yield Era(symbol=one.symbol, mic=one.mic, first=first, last=max(begins[number], ends[number]))


def filed(symbol: str) -> str:
    """Return a ticker that may be a file's name.

    Raises:
        BadInput: It has a letter that no file should have.
    """
    if not _PLAIN.fullmatch(symbol):
        fix = "A file cannot be called so; export it as parquet, arrow, csv or dbn."
        raise BadInput(parameter="The ticker", value=symbol, fix=fix)
    return symbol
