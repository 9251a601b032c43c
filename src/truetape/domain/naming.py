"""From a ticker and a date to the permanent instrument, the ticker that it had then, and the one that it has now.

A ticker may have named several securities one after another, and a security may have had several tickers. What counts
is who had the ticker on the date; where nobody did, the only instrument that was listed then and had it earlier or
later is meant: BAC in August 1998 is the bank that was called NB, and NB in 1999 is the one that is called BAC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Final

import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.symbology import spellings

MOST_CANDIDATES: Final = 8
_DAY: Final = timedelta(days=1)
_Date = date  # a field of the same name hides it
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Named:
    """A ticker of an instrument on a venue; both dates inclusive, null where there is no end."""

    instrument_id: str
    symbol: str
    mic: str
    first: date | None
    last: date | None


@dataclass(frozen=True)
class Resolved:
    """What a ticker meant on a date."""

    instrument_id: str
    asked: str
    date: _Date
    ticker_then: str
    mic_then: str
    ticker_now: str  # the newest, also of what is listed no more
    mic_now: str
    name: str | None
    asset_class: str | None
    currency: str | None
    listed_from: _Date | None  # first day, inclusive
    listed_until: _Date | None  # last day, inclusive; None: still listed
    matched: str  # then, or at another time
    listings: tuple[Named, ...]  # ascending


class Unresolved(BadInput):
    """A ticker meant nothing, or too much; `candidates` are instruments that it may have been."""

    def __init__(self, *, ticker: str, on: date, fix: str, candidates: Sequence[Named] = ()) -> None:
        super().__init__(parameter="The ticker", value=f"{ticker} on {on}", fix=fix)
        self.candidates = tuple(candidates)


def resolve(listings: pl.DataFrame, ticker: str, *, on: date, mic: str | None = None) -> Resolved:
    """Return what `ticker`, or an instrument's id, meant on the day `on`.

    Args:
        listings: `instrument_id`, `symbol`, `mic`, `valid_from` (inclusive; null: since ever), `valid_to` (exclusive;
            null: still valid), and `name`, `asset_class` and `currency` of the instrument.
        ticker: In any case and spelling of its class: BRK.B, brk-b.
        on: The day.
        mic: The venue, where several list the ticker at once.

    Raises:
        Unresolved: Nothing had it and was listed then, or several instruments did.
    """
    rows = listings.with_columns(
        pl.col("valid_from").fill_null(_FIRST).alias("first"),
        (pl.col("valid_to").fill_null(_LAST) - _DAY).alias("last"),
    ).sort("first", "last", "symbol")
    asked = ticker.strip()
    own = _own(rows, asked)
    named = own if mic is None else own.filter(pl.col("mic") == mic.upper())
    if named.is_empty():
        raise _unknown(rows, own, asked, on, mic)
    alive = rows.filter((pl.col("first") <= on) & (pl.col("last") >= on))
    holders = named.filter((pl.col("first") <= on) & (pl.col("last") >= on))["instrument_id"].unique().sort()
    matched = "then" if len(holders) else "at another time"
    if not len(holders):
        there = named.filter(pl.col("instrument_id").is_in(alive["instrument_id"].implode()))
        holders = there["instrument_id"].unique().sort()
    if len(holders) != 1:
        raise _undecided(named, asked, on, list(holders))
    return _resolved(rows.filter(pl.col("instrument_id") == holders[0]), asked, on, matched)


def latest_day(listings: pl.DataFrame, ticker: str, *, today: date) -> date:
    """Return today if `ticker` is listed, else the last day on which it was; today too if it never was.

    Args:
        listings: As for `resolve`.
        ticker: In any case, or an instrument's id.
        today: The present day.
    """
    asked = ticker.strip()
    own = _own(listings, asked)
    ends = own["valid_to"].to_list()
    return min(max((end - _DAY if end is not None else today for end in ends), default=today), today)


def _own(rows: pl.DataFrame, asked: str) -> pl.DataFrame:
    """Return the rows of a ticker or an id, in any case; where there are none, those of it in our spelling (BRK.B)."""
    is_id = pl.col("instrument_id") == asked.lower()
    found = (rows.filter((pl.col("symbol") == way) | is_id) for way in spellings(asked))
    return next((own for own in found if not own.is_empty()), rows.clear())


def _resolved(own: pl.DataFrame, asked: str, on: date, matched: str) -> Resolved:
    """Return the one instrument that `own` is about."""
    then = own.filter((pl.col("first") <= on) & (pl.col("last") >= on))
    preferred = then.filter(pl.col("symbol").is_in(spellings(asked)))
    at = (preferred if len(preferred) else then).row(-1, named=True)
    now = own.sort("last", "first").row(-1, named=True)
    return Resolved(
        instrument_id=at["instrument_id"],
        asked=asked,
        date=on,
        ticker_then=at["symbol"],
        mic_then=at["mic"],
        ticker_now=now["symbol"],
        mic_now=now["mic"],
        name=now["name"],
        asset_class=now["asset_class"],
        currency=now["currency"],
        listed_from=None if own["valid_from"].null_count() else own["valid_from"][0],
        listed_until=None if now["valid_to"] is None else now["last"],
        matched=matched,
        listings=tuple(_named(row) for row in own.iter_rows(named=True)),
    )


def _named(row: dict[str, object]) -> Named:
    last = None if row["valid_to"] is None else row["last"]
    return Named(str(row["instrument_id"]), str(row["symbol"]), str(row["mic"]), row["valid_from"], last)  # type: ignore[arg-type]


def _unknown(rows: pl.DataFrame, own: pl.DataFrame, asked: str, on: date, mic: str | None) -> Unresolved:
    if not own.is_empty():
        venues = ", ".join(own["mic"].unique().sort())
        fix = f"No listing of it is on {mic}; those that are known are on {venues}. Leave --mic out, or name one."
        return Unresolved(ticker=asked, on=on, fix=fix, candidates=[_named(one) for one in own.iter_rows(named=True)])
    symbols = rows["symbol"].unique().sort().to_list()
    near = get_close_matches(asked.upper()[:16], symbols, n=5, cutoff=0.5)
    known = ", ".join(near or symbols[:MOST_CANDIDATES]) or "none yet"
    return Unresolved(ticker=asked, on=on, fix=f"No listing has this ticker. Known are {known}.")


def _undecided(named: pl.DataFrame, asked: str, on: date, holders: list[str]) -> Unresolved:
    """Return what to say where none or several of the instruments that ever had the ticker may be meant."""
    chosen = named.filter(pl.col("instrument_id").is_in(holders)) if holders else named
    shown = [(row, _named(row)) for row in chosen.head(MOST_CANDIDATES).iter_rows(named=True)]
    told = "; ".join(f"{row['instrument_id']} had it {_span(one)} on {one.mic}" for row, one in shown)
    if holders:
        several = named.filter(pl.col("instrument_id").is_in(holders))["mic"].n_unique() > 1
        way = "Name the venue with --mic, or the id" if several else "Name the id"
        fix = f"Several instruments may be meant. {way} instead of the ticker: {told}."
    else:
        fix = (
            f"Nothing that had this ticker was listed then. Choose a date within one of these, or name the id: {told}."
        )
    return Unresolved(ticker=asked, on=on, fix=fix, candidates=[one for _, one in shown])


def _span(one: Named) -> str:
    return f"from {one.first or 'ever'} to {one.last or 'today'}"
