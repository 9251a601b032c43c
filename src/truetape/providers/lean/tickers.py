"""LEAN's map files: which security had which ticker, when, and on which exchange.

A line is `yyyymmdd,ticker[,exchange]`, ascending: the security was traded under the ticker from the day after the line
before it up to and including its date. The first line says where the data begin; 20501231 means: still traded.
The file is named after the newest ticker; `.1`, `.2` and on mark older securities that had that ticker too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

SINCE_EVER: Final = date(1800, 1, 1)
OPEN: Final = date(2199, 12, 31)  # the last day of what is still traded
UNKNOWN_MIC: Final = "XXXX"  # ISO 10383: no market, or none that is told

_STILL: Final = date(2050, 1, 1)
_DAY: Final = timedelta(days=1)
_MICS: Final = {  # by LEAN's letter, which is the SIP's code of the primary exchange, or its name
    "A": "XASE",
    "AMEX": "XASE",
    "B": "XBOS",
    "C": "XCIS",
    "NSX": "XCIS",
    "D": "FINR",
    "FINRA": "FINR",
    "I": "XISX",
    "ISE": "XISX",
    "J": "EDGA",
    "EDGA": "EDGA",
    "K": "EDGX",
    "EDGX": "EDGX",
    "M": "XCHI",
    "CSE": "XCHI",
    "N": "XNYS",
    "NYSE": "XNYS",
    "P": "ARCX",
    "ARCA": "ARCX",
    "Q": "XNAS",
    "T": "XNAS",
    "NASDAQ": "XNAS",
    "U": "OTCM",
    "V": "IEXG",
    "IEX": "IEXG",
    "W": "CBSX",
    "CBOE": "CBSX",
    "X": "XPHL",
    "Y": "BATY",
    "Z": "BATS",
    "BATS": "BATS",
}


@dataclass(frozen=True)
class Claim:
    """A ticker of a security, from `first` to `last`, both inclusive."""

    security: str  # the name of its map file, in small letters
    ticker: str  # in small letters
    exchange: str  # in LEAN's code; "" where it is not told
    first: date  # SINCE_EVER where nothing says when
    last: date  # OPEN while it is traded

    @property
    def mic(self) -> str:
        """The venue by ISO 10383; UNKNOWN_MIC where it is not told."""
        return _MICS.get(self.exchange.upper(), UNKNOWN_MIC)

    def holds(self, day: date) -> bool:
        """Return whether the security had the ticker on `day`."""
        return self.first <= day <= self.last


def exchange_of(mic: str) -> str:
    """Return LEAN's letter of a venue by its MIC; "" where it has none."""
    return next((letter for letter, venue in _MICS.items() if venue == mic), "")


def claims(security: str, text: str) -> list[Claim]:
    """Return what a map file says, ascending; neighbours that say the same are one.

    Raises:
        ValueError: A line is none, or there is none; the words name its number.
    """
    rows = sorted(_rows(text), key=lambda row: row[0])
    if not rows:
        raise ValueError("it has no lines")
    first = rows[0][0] if len(rows) > 1 else SINCE_EVER
    found = [Claim(security, rows[0][1], _exchange(rows), first, _last(rows[0][0]))]
    for (before, _, _), (day, ticker, exchange) in pairwise(rows):
        if day > before:
            found.append(Claim(security, ticker, exchange, before + _DAY, _last(day)))
    return _merged(found)


def _rows(text: str) -> Iterator[tuple[date, str, str]]:
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not line.strip():
            continue
        day, _, rest = line.partition(",")
        ticker, _, exchange = (cell.strip() for cell in rest.partition(","))
        try:
            when = datetime.strptime(day.strip(), "%Y%m%d").date()  # noqa: DTZ007  a date has no zone
        except ValueError:
            when = None
        if when is None or not ticker:
            raise ValueError(f"line {number} was {line[:60]!r}, not yyyymmdd,ticker,exchange")
        yield when, ticker.lower(), exchange.partition(",")[0].strip()


def _exchange(rows: list[tuple[date, str, str]]) -> str:
    """Return the exchange of the first day: that of the next line if it goes on with the same ticker."""
    goes_on = len(rows) > 1 and rows[1][1] == rows[0][1]
    return rows[1][2] if goes_on else rows[0][2]


def _last(day: date) -> date:
    return OPEN if day >= _STILL else day


def _merged(found: Iterable[Claim]) -> list[Claim]:
    """Return `found`, in their order, with neighbours that differ in their days alone as one."""
    merged: list[Claim] = []
    for one in found:
        before = merged[-1] if merged else None
        if (
            before is not None
            and before.last + _DAY == one.first
            and replace(one, first=before.first) == replace(before, last=one.last)
        ):
            merged[-1] = replace(before, last=one.last)
        else:
            merged.append(one)
    return merged


def settled(found: Iterable[Claim]) -> list[Claim]:
    """Return claims of which no two have one ticker on one day, by ticker and date.

    Where several do, the one that ends first has it, as LEAN finds securities by the next line that names the ticker;
    of those that end together the one that began last.
    """
    ordered = sorted(found, key=lambda one: (one.ticker, one.first, one.last, one.security))
    apart: list[Claim] = []
    for _, group in groupby(ordered, key=lambda one: one.ticker):
        own = list(group)
        touching = any(after.first <= before.last for before, after in pairwise(own))
        apart += _swept(own) if touching or len(own) > 2 else own  # noqa: PLR2004  a long one may cover several
    return apart


def _swept(own: list[Claim]) -> list[Claim]:
    edges = sorted({one.first for one in own} | {one.last + _DAY for one in own})
    pieces = []
    for begins, ends in pairwise(edges):
        holders = [one for one in own if one.holds(begins)]
        if holders:
            best = min(holders, key=lambda one: (one.last, -one.first.toordinal(), one.security))
            pieces.append(replace(best, first=begins, last=ends - _DAY))
    return _merged(pieces)


def holder(own: Iterable[Claim], day: date) -> Claim | None:
    """Return which of the claims of one ticker is meant on `day`: the one then, else the last before, else the first.

    Args:
        own: Settled claims of the ticker, ascending.
        day: The day.
    """
    ordered = list(own)
    then = next((one for one in ordered if one.holds(day)), None)
    before = [one for one in ordered if one.last < day]
    return then or (before[-1] if before else next(iter(ordered), None))
