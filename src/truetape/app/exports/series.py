"""One instrument as it is exported: who it is, which tickers it had when, its bars and what was paid and split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final, Protocol

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
    groups = instruments.partition_by("instrument_id", as_dict=True, maintain_order=True)
    for instrument in wanted or sorted(str(key[0]) for key in groups):
        rows = groups[(instrument,)].sort("valid_from", nulls_last=False)
        yield _member(instrument, rows, asked=wanted[instrument] if wanted else None)


def _member(instrument: str, rows: pl.DataFrame, *, asked: str | None) -> Member:
    ends = None if rows["valid_to"].null_count() else rows["valid_to"].max()
    begins = None if rows["valid_from"].null_count() else rows["valid_from"].min()
    last = rows.row(-1, named=True)
    assert begins is None or isinstance(begins, date)
    assert ends is None or isinstance(ends, date)
    return Member(
        instrument_id=instrument,
        asked=asked or last["symbol"],
        name=last["name"] or last["symbol"],
        asset_class=last["asset_class"] or "",
        currency=last["currency"] or "",
        eras=tuple(_eras(rows)),
        begins=begins,
        ends=ends - _DAY if ends is not None else None,
    )


def _eras(rows: pl.DataFrame) -> Iterator[Era]:
    """Yield the tickers one after another; neighbours that say the same are one."""
    told = [
        (symbol, mic, begin or date.min) for symbol, mic, begin in rows.select("symbol", "mic", "valid_from").rows()
    ]
    changes = [one for number, one in enumerate(told) if not number or one[:2] != told[number - 1][:2]]
    for number, (symbol, mic, begin) in enumerate(changes):
        is_last = number + 1 == len(changes)
        yield Era(
            symbol=symbol,
            mic=mic,
            first=begin if number else date.min,
            last=date.max if is_last else max(begin, changes[number + 1][2] - _DAY),
        )


def filed(symbol: str) -> str:
    """Return a ticker that may be a file's name.

    Raises:
        BadInput: It has a letter that no file should have.
    """
    if not _PLAIN.fullmatch(symbol):
        fix = "A file cannot be called so; export it as parquet, arrow, csv or dbn."
        raise BadInput(parameter="The ticker", value=symbol, fix=fix)
    return symbol
