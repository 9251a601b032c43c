"""Answers: read the store as known at a time, adjust, resample, and cut into pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.merging import redirected
from truetape.domain.time import iso
from truetape.ports.store import Selection
from truetape.services.api.adjusting import Adjusting
from truetape.services.api.currency import FX, InCurrency, fx_used, in_currency
from truetape.services.api.directory import Listing
from truetape.services.api.paging import Position
from truetape.services.api.query import ActionsQuery, BarsQuery, InstrumentsQuery, LevelsQuery
from truetape.services.api.reading import Reading
from truetape.services.api.render import FactorsUsed, FxUsed
from truetape.services.api.resample import resample
from truetape.services.api.shelf import Shelf
from truetape.services.api.timeframes import enough, reach, source_of, spans_of
from truetape.services.api.together import FEWEST, reach_of_page, read_together

VERDICT: Final = ("provider", "score", "method", "agreed")
VERSION: Final = ("version", "ts_known", "simulated")
BAR: Final = ("ts_event", "open", "high", "low", "close", "volume", "currency", "basis", *VERDICT, *VERSION)
DERIVED_FROM: Final = "derived_from"  # the timeframe whose bars make up a bar; null: it was acquired as it is
ANSWER: Final = (*BAR, DERIVED_FROM)
ACTION: Final = ("symbol", "ex_date", "type", "value", "currency", *VERDICT, "dissented", *VERSION)
LISTING: Final = ("symbol", "mic", "name", "asset_class", "currency", "valid_from", "valid_to", "instrument_id")
LEVEL: Final = ("index_id", "ts_event", "level", "members", *VERSION)
_MORE: Final = 4  # times as many bars are read where those before made too few


@dataclass(frozen=True)
class Page:
    """Rows of an answer, where the next ones begin, and the factors that adjust them."""

    frame: pl.DataFrame
    following: Position | None = None
    factors: tuple[pl.DataFrame, ...] = ()  # one frame for each instrument, columns shelf.FACTOR
    fx: FxUsed | None = None


class Answers:
    """Answer questions from one reading of the store. `shelf` holds what many readings have in common."""

    def __init__(self, reading: Reading, shelf: Shelf) -> None:
        self._store = reading
        self._shelf = shelf
        self._adjusting = Adjusting(reading, shelf)
        self._together: dict[str, pl.DataFrame] = {}  # daily bars of the whole range that were read at once
        self._fx: list[InCurrency] = []  # bars that were told in another currency

    async def bars(self, query: BarsQuery, *, limit: int | None = None, position: Position | None = None) -> Page:
        """Return golden bars, symbol by symbol in the order of the question, each ascending.

        Columns: `symbol` as asked for, then ANSWER, and FX in another currency; `basis` is the adjustment. Bars are
        those that were acquired in the timeframe, or else made of finer ones: see `timeframes`. Weekly and monthly ones
        are whole, and belong to the range if their label does. A page of bars below a day ends with a day, so it may
        hold more than `limit` rows if one day does.

        Args:
            query: The question.
            limit: The most rows wanted; None for all.
            position: Where the page begins.

        Raises:
            UnknownSymbol, BadInput: A symbol means nothing, or too much.
            StoreUnavailable: The store cannot be read now.
        """
        frame, following = await self._bars(query, limit, position)
        return Page(frame, following, self._adjusting.used, fx_used(self._fx, currency=query.currency))

    async def actions(self, query: ActionsQuery) -> Page:
        """Return splits and dividends, symbol by symbol in the order of the question, each by ex-date.

        Raises:
            UnknownSymbol, BadInput: A symbol means nothing, or too much.
            StoreUnavailable: The store cannot be read now.
        """
        directory = await self._shelf.directory(self._store)
        parts = []
        for symbol in query.symbols:
            listing = directory.find(symbol, start=query.start, end=query.end)
            one = {"instrument_id": (listing.instrument_id,)}
            wanted = Selection(equal=one, start=query.start, end=query.end, as_of=self._store.as_of)
            rows = await self._store.read("actions", wanted)
            parts.append(rows.with_columns(pl.lit(symbol).alias("symbol")).select(ACTION))
        return Page(pl.concat(parts))

    async def instruments(
        self, query: InstrumentsQuery, *, limit: int | None = None, position: Position | None = None
    ) -> Page:
        """Return listings with their instruments, ordered by symbol, venue and date.

        Raises:
            UnknownSymbol: A symbol is not listed.
            StoreUnavailable: The store cannot be read now.
        """
        frame, following = await self._instruments(query, limit, position)
        return Page(frame, following)

    async def levels(self, query: LevelsQuery) -> Page:
        """Return the levels of an index, ascending.

        Raises:
            BadInput: There is no such index.
            StoreUnavailable: The store cannot be read now.
        """
        one = {"index_id": (query.index,)}
        wanted = Selection(equal=one, start=query.start, end=query.end, as_of=self._store.as_of, columns=LEVEL)
        rows = await self._store.read("index_levels", wanted)
        if rows.is_empty():
            known = await self._store.read("index_levels", Selection(columns=("index_id",)))
            ids = known["index_id"].unique().sort().to_list()
            if query.index not in ids:
                fix = f"Known indices: {', '.join(ids) or 'none yet'}."
                raise BadInput(parameter="index", value=query.index, fix=fix)
        return Page(rows)

    async def listing(self, symbol: str, *, start: date | None, end: date | None) -> Listing:
        """Return the listing that `symbol` means between two dates, both inclusive.

        Raises:
            UnknownSymbol, BadInput: It means nothing, or too much.
        """
        directory = await self._shelf.directory(self._store)
        return directory.find(symbol, start=start, end=end)

    async def _bars(
        self, query: BarsQuery, limit: int | None, position: Position | None
    ) -> tuple[pl.DataFrame, Position | None]:
        directory = await self._shelf.directory(self._store)
        listings = [directory.find(symbol, start=query.start, end=query.end) for symbol in query.symbols]
        first = min(position.place, len(listings) - 1) if position is not None else 0
        start = position.start if position is not None else query.start
        near = [one.instrument_id for one in listings[first:]][: reach_of_page(query, limit)]
        if len(near) >= FEWEST:
            self._together = await read_together(
                self._store, self._adjusting, query, near, columns=BAR, also=_acquired()
            )
        parts, left = [], limit
        for place in range(first, len(listings)):
            wanted = None if left is None else left + 1
            part = await self._series(query, listings[place], start=start, limit=wanted)
            shown = len(part) if left is None else _whole_days(part, left)
            following = None if shown == len(part) else Position(place=place, start=_label(part, shown))
            named = pl.lit(query.symbols[place]).alias("symbol")
            told = await self._told(query, listings[place], part.head(shown))
            parts.append(told.select(named, *answered(query)))
            if following is not None:
                return pl.concat(parts), following
            left = None if left is None else max(0, left - len(part))
            start = query.start
        return pl.concat(parts), None

    async def _told(self, query: BarsQuery, listing: Listing, bars: pl.DataFrame) -> pl.DataFrame:
        """Return `bars` in the currency that is asked for, if one is; the page will tell by which rates."""
        if not query.currency:
            return bars
        about = {"mic": listing.mic, "timeframe": query.timeframe, "currency": query.currency, "fixing": query.fixing}
        found = await in_currency(self._store, bars, **about)
        self._fx.append(found)
        return found.bars

    async def _series(
        self, query: BarsQuery, listing: Listing, *, start: date | None, limit: int | None
    ) -> pl.DataFrame:
        """Return bars of one instrument whose label is not before `start`: at least `limit`, if there are so many."""
        one = listing.instrument_id
        if one in self._together and start == query.start:
            return self._together[one]
        if query.timeframe == "1d":
            bars = await self._stored(query, one, "1d", (start, query.end), limit=limit)
            if len(bars):
                return bars.with_columns(_acquired())
        source = await source_of(self._store, one, query.timeframe)
        if source != query.timeframe:
            return await self._derived(query, listing, source, start=start, limit=limit)
        bars = await self._stored(query, one, source, (start, query.end), limit=None)  # pages end with a day
        return bars.with_columns(_acquired())

    async def _stored(
        self,
        query: BarsQuery,
        instrument: str,
        timeframe: str,
        days: tuple[date | None, date | None],
        *,
        limit: int | None,
    ) -> pl.DataFrame:
        """Return up to `limit` bars as they are stored, adjusted; `days` are the first and the last date of theirs."""
        wanted = Selection(
            equal={"instrument_id": (instrument,), "timeframe": (timeframe,)},
            start=days[0],
            end=days[1],
            as_of=self._store.as_of,
            columns=BAR,
            limit=limit,
        )
        bars = await self._store.read("bars", wanted)
        return await self._adjusting.adjusted(bars, instrument, query)

    async def _derived(
        self, query: BarsQuery, listing: Listing, source: str, *, start: date | None, limit: int | None
    ) -> pl.DataFrame:
        """Return bars that bars of `source` make up now; as many of those are read as it takes."""
        timeframe, label = query.timeframe, pl.col("ts_event").dt.date()
        days = reach(start, query.end, timeframe=timeframe)
        most = None if limit is None else enough(limit, source=source, timeframe=timeframe)
        while True:
            bars = await self._stored(query, listing.instrument_id, source, days, limit=most)
            spans = await spans_of(self._store, listing.mic, bars)
            made = resample(bars, source=source, timeframe=timeframe, spans=spans)
            is_cut = most is not None and len(bars) >= most
            if is_cut:  # what the last bars belong to may go on
                made = made.filter(label < label.max())
            made = made.filter(label >= (start or date.min), label <= (query.end or date.max))
            if most is None or not is_cut or len(made) >= (limit or 0):
                return made.with_columns(pl.lit(source).alias(DERIVED_FROM))
            most *= _MORE

    async def _instruments(
        self, query: InstrumentsQuery, limit: int | None, position: Position | None
    ) -> tuple[pl.DataFrame, Position | None]:
        listings = redirected(await self._store.read("listings"), await self._store.read("merges"))
        if query.symbols:
            directory = await self._shelf.directory(self._store)
            ids = [directory.find(symbol).instrument_id for symbol in query.symbols]
            listings = listings.filter(pl.col("instrument_id").is_in(ids))
        names = await self._store.read("instruments")
        details = names.select("instrument_id", "name", "asset_class", "currency")
        rows = listings.join(details, on="instrument_id", how="left")
        if query.q:
            looked_in = pl.concat_str("symbol", pl.col("name").fill_null(""), separator="\n").str.to_lowercase()
            rows = rows.filter(looked_in.str.contains(query.q.lower(), literal=True))
        rows = rows.select(*LISTING, "simulated").sort("symbol", "mic", "valid_from", nulls_last=False)
        begin = position.place if position is not None else 0
        following = None if limit is None or begin + limit >= len(rows) else Position(place=begin + limit)
        return rows.slice(begin, limit), following


def answered(query: BarsQuery) -> tuple[str, ...]:
    """Return the columns of an answer about bars behind `symbol`."""
    return (*ANSWER, *FX) if query.currency else ANSWER


def factors_used(frames: Sequence[pl.DataFrame]) -> FactorsUsed | None:
    """Return how many rows of factors were used, their newest version, and when the last of them was known."""
    held = [frame for frame in frames if len(frame)]
    if not held:
        return None
    version = max(frame["version"].to_numpy().max() for frame in held)
    known = max(frame["ts_known"].to_numpy().max() for frame in held)
    return FactorsUsed(rows=sum(map(len, held)), version=int(version), known=iso(int(known.astype("int64"))))


def _acquired() -> pl.Expr:
    return pl.lit(None, dtype=pl.String).alias(DERIVED_FROM)


def _whole_days(bars: pl.DataFrame, most: int) -> int:
    """Return how many of the first rows make a page: at most `most`, ended with a day, but not less than one day.

    A page is continued at a date, so bars below a day must not be cut within one.
    """
    if len(bars) <= most or not most:
        return min(len(bars), most)
    days = bars["ts_event"].dt.date()
    before = int((days < days[most]).sum())
    return before or int((days == days[0]).sum())


def _label(bars: pl.DataFrame, row: int) -> date:
    label = bars["ts_event"].dt.date()[row]
    assert isinstance(label, date)
    return label
