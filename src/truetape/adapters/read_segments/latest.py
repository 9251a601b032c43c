"""The newest bar of every instrument, kept in memory from commit to commit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.adapters.read_segments.decode import Piece, decode
from truetape.adapters.read_segments.fresh import together
from truetape.adapters.read_segments.layout import COLUMNS, END_NS, FIRST_NS, TABLE
from truetape.adapters.read_segments.library import Library
from truetape.adapters.read_segments.shelf import Shelf
from truetape.ports.store import Selection, Store

FEW: Final = 2_000  # newest bars that were written since, before they are put among the others
MANY: Final = 20_000  # instruments of which an index is made
SHARE: Final = 20  # or one in so many of those, if that is more
MOST_NAMES: Final = 2_000  # instruments that are looked up in the store at once
_ORDER: Final = ("instrument_id", "ts_event", "version")


class Board:
    """Rows, ascending and one for each instrument, in which the rows of some instruments are soon found.

    Numbers are compared in place of names: of a million names, those lie where the processor has them at hand.
    """

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    def of(self, names: pl.Series) -> pl.DataFrame:
        """Return the rows of `names`, which ascend."""
        if self.rows.is_empty():
            return self.rows
        places = self._places(names)
        found = self.rows[pl.Series(places, dtype=pl.UInt32)]
        is_it = found["instrument_id"] == names
        if is_it.all():
            return found
        # What was not found is unknown, or has the number of another name.
        places[~is_it.to_numpy()] = self._searched(names.filter(~is_it))
        found = self.rows[pl.Series(places, dtype=pl.UInt32)]
        return found.filter(found["instrument_id"] == names)

    def _places(self, names: pl.Series) -> Any:
        """Return where the number of each of `names` stands first, or another place."""
        if len(self.rows) < MANY:
            return self._searched(names)
        numbers, order = self._index
        asked = _numbers(names)
        turned = np.argsort(asked)
        found = np.minimum(np.searchsorted(numbers, asked[turned]), len(numbers) - 1)
        places = np.empty(len(names), dtype=np.uint32)
        places[turned] = order[found]
        return places

    def _searched(self, names: pl.Series) -> Any:
        """Return where each of `names` stands, or would."""
        return np.minimum(self.rows["instrument_id"].search_sorted(names).to_numpy(), len(self.rows) - 1)

    @cached_property
    def _index(self) -> tuple[Any, Any]:
        """The numbers of all names, ascending, and where each stands."""
        numbers = _numbers(self.rows["instrument_id"])
        order = np.argsort(numbers).astype(np.uint32)
        return numbers[order], order


class Newest:
    """The newest bars of one timeframe: those of the segments, and above them those that were written since.

    `uncertain` are the instruments whose newest bar is not known: of some a row was withdrawn or came late.
    """

    def __init__(self, shelf: Shelf, timeframe: str) -> None:
        self._kept = Board(_last_rows(shelf, timeframe))
        self._since: list[pl.DataFrame] = []
        self._careful = {name for row in shelf.rows for one in row.segments for name in one.names.filter(one.changed)}
        self.uncertain: set[str] = set()

    def wrote(self, rows: pl.DataFrame) -> None:
        """Take note of rows of this timeframe that were committed."""
        is_odd = pl.col("version") != 1
        if self._careful:
            is_odd |= pl.col("instrument_id").is_in(list(self._careful))
        self.uncertain.update(rows.filter(is_odd)["instrument_id"])
        self._since.append(_newest(rows))
        if sum(map(len, self._since)) > max(FEW, len(self._kept.rows) // SHARE):
            self._settle()

    def _settle(self) -> None:
        """Put what was written since among the others; only rows of those instruments are compared."""
        since = _newest(pl.concat(self._since))
        names = since["instrument_id"]
        settled = _newest(pl.concat([self._kept.of(names), since]))
        others = self._kept.rows.filter(~pl.col("instrument_id").is_in(names.implode()))
        self._kept = Board(pl.concat([others, settled]).sort("instrument_id"))
        self._since = []

    def withdrew(self, instruments: Iterable[str]) -> None:
        """Take note of instruments of which a row was withdrawn."""
        self.uncertain.update(found := set(instruments))
        self._careful |= found

    def asked(self, names: list[str]) -> list[tuple[list[str], date | None]]:
        """Return `names` in portions, with the day from which on the store is to be asked about each; None: all days.

        What was known of them until now stands no more.
        """
        out = pl.col("instrument_id").is_in(names)
        self._since = [rows.filter(~out) for rows in self._since]
        held = (
            self._kept.rows.filter(out)
            .sort("ts_event")
            .select("instrument_id", pl.col("ts_event").dt.date().alias("day"))
        )
        new = sorted({*names}.difference(held["instrument_id"]))
        portions = [(some["instrument_id"].to_list(), some["day"][0]) for some in held.iter_slices(MOST_NAMES)]
        return portions + [(new[place : place + MOST_NAMES], None) for place in range(0, len(new), MOST_NAMES)]

    def found(self, names: list[str], rows: pl.DataFrame) -> None:
        """Put in what the store says about `names`, whatever was known of them; what was written since stays above."""
        without = ~pl.col("instrument_id").is_in(names)
        self._kept = Board(pl.concat([self._kept.rows.filter(without), _newest(rows)]).sort("instrument_id"))

    def of(self, names: pl.Series) -> pl.DataFrame:
        """Return the newest bars of `names`, which ascend."""
        kept = self._kept.of(names)
        if not self._since:
            return kept
        if len(self._since) > 1:
            self._since = [_newest(pl.concat(self._since))]
        fresh = Board(self._since[0]).of(names)
        return _newest(pl.concat([kept, fresh])) if len(fresh) else kept


class Latest:
    """The newest bars of each timeframe that was asked for."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library
        self._newest: dict[str, Newest] = {}
        self._rewrites = library.rewrites

    def wrote(self, writes: Mapping[str, pl.DataFrame], withdrawals: Mapping[str, pl.DataFrame]) -> None:
        """Take note of a commit that is done."""
        for timeframe, newest in self._newest.items():
            of_it = pl.col("timeframe") == timeframe
            if TABLE in writes and len(rows := writes[TABLE].filter(of_it)):
                newest.wrote(rows)
            if TABLE in withdrawals:
                newest.withdrew(withdrawals[TABLE].filter(of_it)["instrument_id"])

    def forget(self) -> None:
        """Begin anew: it is not known what was written."""
        self._newest.clear()

    async def of(self, names: pl.Series, *, timeframe: str) -> pl.DataFrame | None:
        """Return the newest bars of `names`, which ascend, or None if the store has to be asked for all of them."""
        if self._rewrites != self._library.rewrites:
            self.forget()
            self._rewrites = self._library.rewrites
        shelf = self._library.shelves.of_timeframe(timeframe)
        if shelf is None or not self._library.is_ready():
            return None
        newest = self._newest.get(timeframe) or await self._begun(shelf, timeframe)
        if newest is None:
            return None
        for _ in range(3):
            unsure = newest.uncertain.intersection(names) if newest.uncertain else set()
            if not unsure:
                return newest.of(names)
            await self._look_up(newest, unsure, timeframe)
        return None

    async def _begun(self, shelf: Shelf, timeframe: str) -> Newest | None:
        """Return the newest bars as the segments have them, and note what was written since; None: it is too much."""
        newest = await asyncio.to_thread(Newest, shelf, timeframe)
        if shelf is not self._library.shelves.of_timeframe(timeframe):
            return None
        written = self._library.marks.touched(timeframe, instruments=None, first=FIRST_NS, last=END_NS)
        if written is not None and written.is_everything:
            return None
        if written is not None:
            newest.uncertain.update(written.instruments)
            newest.wrote(together(written.runs))
        return self._newest.setdefault(timeframe, newest)

    async def _look_up(self, newest: Newest, names: set[str], timeframe: str) -> None:
        """Ask the store for the newest bars of `names`; what is written meanwhile is above what it says."""
        newest.uncertain -= names
        left = set(names)
        try:
            for some, start in newest.asked(sorted(names)):
                rows = await self._store.read(TABLE, _of(some, timeframe, start))
                gone = [] if start is None else sorted({*some}.difference(rows["instrument_id"].unique()))
                if gone:  # the bar that was the newest was withdrawn
                    rows = pl.concat([rows, await self._store.read(TABLE, _of(gone, timeframe, None))])
                newest.found(some, rows)
                left.difference_update(some)
        finally:
            newest.uncertain |= left


def _of(names: list[str], timeframe: str, start: date | None) -> Selection:
    return Selection(equal={"instrument_id": tuple(names), "timeframe": (timeframe,)}, start=start)


def _last_rows(shelf: Shelf, timeframe: str) -> pl.DataFrame:
    """Return the last row of each instrument, ascending by instrument."""
    found: list[pl.DataFrame] = []
    seen = pl.Series("instrument_id", [], dtype=pl.String)
    for row in reversed(shelf.rows):
        for segment in row.segments:
            names, last = segment.last_rows()
            new = ~names.is_in(seen.implode())
            piece = Piece(segment, last[new.to_numpy()])
            found.append(decode([piece], tuple(COLUMNS), timeframe=timeframe, lists=shelf.lists))
        seen = pl.concat([one["instrument_id"] for one in found])
    return pl.concat(found).sort("instrument_id") if found else pl.DataFrame(schema=COLUMNS)


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the row of the greatest `ts_event`, then version, of each instrument, ascending; of equals the first."""
    ordered = rows.sort(_ORDER, descending=[False, True, True], maintain_order=True)
    return ordered.unique("instrument_id", keep="first", maintain_order=True)


def _numbers(names: pl.Series) -> Any:
    return names.hash(seed=1).to_numpy()
