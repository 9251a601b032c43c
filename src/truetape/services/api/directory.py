"""From the symbols that people write to the instruments they mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

import polars as pl

from truetape.domain.errors import BadInput, UnknownSymbol
from truetape.domain.symbology import spellings


@dataclass(frozen=True)
class Listing:
    """A ticker of an instrument on a venue, from `valid_from` (inclusive) until `valid_to` (exclusive)."""

    symbol: str
    instrument_id: str
    mic: str
    valid_from: date
    valid_to: date


class Directory:
    """All listings that are known, by symbol and by instrument."""

    def __init__(self, listings: pl.DataFrame, *, merged: Mapping[str, str] | None = None) -> None:
        """Read `listings`; `merged` says which ids stand for which others, that are no instrument's own any more."""
        self._by_symbol: dict[str, list[Listing]] = defaultdict(list)
        self._by_instrument: dict[str, list[Listing]] = defaultdict(list)
        wanted = listings.select("symbol", "instrument_id", "mic", "valid_from", "valid_to")
        for symbol, instrument, mic, valid_from, valid_to in wanted.iter_rows():
            one = Listing(symbol, instrument, mic, valid_from or date.min, valid_to or date.max)
            self._by_symbol[symbol].append(one)
            self._by_instrument[instrument].append(one)
        for other, instrument in (merged or {}).items():
            self._by_instrument[other] = self._by_instrument[instrument]

    def find(self, symbol: str, *, start: date | None = None, end: date | None = None) -> Listing:
        """Return the listing that `symbol` means between `start` and `end`, both inclusive.

        A ticker that named several instruments one after another means the last of them in the range. One that named
        none in the range means the latest of those that had it at another time and were listed in the range, under
        whatever ticker, else the latest that ever had it. An instrument id means itself. Where nothing is called so to
        the letter, small letters and other ways to write a class count too: aapl, BRK-B, brk/b.

        Raises:
            UnknownSymbol: No listing has it; the symbols nearest to it come first in `known`.
            BadInput: Two venues list different instruments under it at the same time.
        """
        listings = self._by_symbol.get(symbol) or self._by_instrument.get(symbol) or self._spelled(symbol)
        if listings is None:
            raise UnknownSymbol(symbol=symbol[:64], known=self.nearest(symbol))
        first, last = start or date.min, end or date.max
        alive = [one for one in listings if _reaches(one, first, last)]
        if not alive:
            alive = [one for one in listings if self._was_there(one.instrument_id, first, last)] or listings
        newest = max(one.valid_to for one in alive)
        latest = [one for one in alive if one.valid_to == newest]
        if len({one.instrument_id for one in latest}) > 1:
            raise BadInput(parameter="symbols", value=symbol, fix=_which(latest))
        return max(latest, key=lambda one: (one.valid_from, one.mic))

    def _spelled(self, symbol: str) -> list[Listing] | None:
        """Return the listings of what `symbol` is in our spelling; None if there are none."""
        return next((found for way in spellings(symbol[:64]) if (found := self._by_symbol.get(way))), None)

    def _was_there(self, instrument: str, first: date, last: date) -> bool:
        """Return whether an instrument had any ticker between two days, both inclusive."""
        return any(_reaches(one, first, last) for one in self._by_instrument[instrument])

    def nearest(self, symbol: str) -> tuple[str, ...]:
        """Return up to eight known symbols, those that look like `symbol` first."""
        close = get_close_matches(symbol[:16].upper(), self._by_symbol, n=5, cutoff=0.5)
        return tuple(dict.fromkeys([*close, *sorted(self._by_symbol)[:8]]))[:8]


def _reaches(listing: Listing, first: date, last: date) -> bool:
    return listing.valid_from <= last and listing.valid_to > first


def _which(listings: Iterable[Listing]) -> str:
    choices = ", ".join(f"{one.instrument_id} ({one.mic})" for one in sorted(listings, key=lambda one: one.mic))
    return f"Several venues list it. Name the instrument by its id instead: {choices}."
