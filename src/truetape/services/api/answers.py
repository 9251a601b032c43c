"""Answers: read the store as known at a time, adjust, resample, and cut into pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

import polars as pl

from truetape.domain.adjust import Adjustment, adjust
from truetape.domain.errors import BadInput
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.api.directory import Directory, Listing
from truetape.services.api.paging import Position
from truetape.services.api.query import ActionsQuery, BarsQuery, InstrumentsQuery, LevelsQuery
from truetape.services.api.resample import resample, whole_periods

VERDICT: Final = ("provider", "score", "method", "agreed")
VERSION: Final = ("version", "ts_known", "simulated")
BAR: Final = ("ts_event", "open", "high", "low", "close", "volume", "currency", "basis", *VERDICT, *VERSION)
ACTION: Final = ("symbol", "ex_date", "type", "value", "currency", *VERDICT, "dissented", *VERSION)
LISTING: Final = ("symbol", "mic", "name", "asset_class", "currency", "valid_from", "valid_to", "instrument_id")
LEVEL: Final = ("index_id", "ts_event", "level", "members", *VERSION)
_KEPT_FACTORS: Final = 1024
_TRIES: Final = 3

Found = TypeVar("Found")


@dataclass(frozen=True)
class Page:
    """Rows of an answer, where the next ones begin, and of which store at which knowledge time they are."""

    frame: pl.DataFrame
    following: Position | None
    store_version: int
    as_of: int  # UTC nanoseconds


@dataclass
class _Known:
    """What many questions need, as it is at one version of the store."""

    version: int
    directory: Directory
    factors: dict[str, pl.DataFrame] = field(default_factory=dict)


class Answers:
    """Answer questions from the store. Keeps listings and factors until the store's version changes."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept: _Known | None = None

    async def bars(
        self,
        query: BarsQuery,
        *,
        limit: int | None = None,
        position: Position | None = None,
        pinned: int | None = None,
    ) -> Page:
        """Return golden bars, symbol by symbol in the order of the question, each ascending.

        Columns: `symbol` as asked for, then BAR; `basis` is the adjustment. Weekly and monthly bars are whole, and
        belong to the range if their label does. Bars below a day are those that were acquired in that timeframe; a page
        of them ends with a day, so it may hold more than `limit` rows if one day does.

        Args:
            query: The question.
            limit: The most rows wanted; None for all.
            position: Where the page begins.
            pinned: The knowledge time of the first page, in UTC nanoseconds.

        Raises:
            UnknownSymbol, BadInput: A symbol means nothing, or too much.
            StoreUnavailable: The store cannot be read now.
        """
        return await self._at_one_version(query.as_of, pinned, lambda as_of: self._bars(query, limit, position, as_of))

    async def actions(self, query: ActionsQuery) -> Page:
        """Return splits and dividends, symbol by symbol in the order of the question, each by ex-date.

        Raises:
            UnknownSymbol, BadInput: A symbol means nothing, or too much.
            StoreUnavailable: The store cannot be read now.
        """
        return await self._at_one_version(query.as_of, None, lambda as_of: self._actions(query, as_of))

    async def instruments(
        self, query: InstrumentsQuery, *, limit: int | None = None, position: Position | None = None
    ) -> Page:
        """Return listings with their instruments, ordered by symbol, venue and date.

        Raises:
            UnknownSymbol: A symbol is not listed.
            StoreUnavailable: The store cannot be read now.
        """
        return await self._at_one_version(None, None, lambda _: self._instruments(query, limit, position))

    async def levels(self, query: LevelsQuery) -> Page:
        """Return the levels of an index, ascending.

        Raises:
            BadInput: There is no such index.
            StoreUnavailable: The store cannot be read now.
        """
        return await self._at_one_version(query.as_of, None, lambda as_of: self._levels(query, as_of))

    async def listing(self, symbol: str, *, start: date | None, end: date | None) -> Listing:
        """Return the listing that `symbol` means between two dates, both inclusive.

        Raises:
            UnknownSymbol, BadInput: It means nothing, or too much.
        """
        known = await self._known()
        return known.directory.find(symbol, start=start, end=end)

    async def _at_one_version(
        self,
        as_of: int | None,
        pinned: int | None,
        answer: Callable[[int | None], Awaitable[tuple[pl.DataFrame, Position | None]]],
    ) -> Page:
        """Answer again if the store was written to meanwhile, so that all reads of one answer fit together."""
        now = self._clock.now_ns()
        known_at = pinned if pinned is not None else as_of
        page = None
        for _ in range(_TRIES):
            version = self._store.version()
            frame, following = await answer(known_at)
            page = Page(frame, following, version, now if known_at is None else min(known_at, now))
            if self._store.version() == version:
                break
        assert page is not None
        return page

    async def _bars(
        self, query: BarsQuery, limit: int | None, position: Position | None, as_of: int | None
    ) -> tuple[pl.DataFrame, Position | None]:
        directory = (await self._known()).directory
        listings = [directory.find(symbol, start=query.start, end=query.end) for symbol in query.symbols]
        first = min(position.place, len(listings) - 1) if position is not None else 0
        start = position.start if position is not None else query.start
        parts, left = [], limit
        for place in range(first, len(listings)):
            wanted = None if left is None else left + 1
            part = await self._series(query, listings[place].instrument_id, start=start, limit=wanted, as_of=as_of)
            shown = len(part) if left is None else _whole_days(part, left)
            following = None if shown == len(part) else Position(place=place, start=_label(part, shown))
            named = pl.lit(query.symbols[place]).alias("symbol")
            parts.append(part.head(shown).select(named, *BAR))
            if following is not None:
                return pl.concat(parts), following
            left = None if left is None else max(0, left - len(part))
            start = query.start
        return pl.concat(parts), None

    async def _series(
        self, query: BarsQuery, instrument: str, *, start: date | None, limit: int | None, as_of: int | None
    ) -> pl.DataFrame:
        """Return up to `limit` bars of one instrument whose label is not before `start`."""
        first, last, most = start, query.end, limit
        derived = query.timeframe in DERIVED_TIMEFRAMES
        if derived:
            first, last = whole_periods(start, query.end, timeframe=query.timeframe)
        if query.timeframe != "1d":
            most = None  # pages end with a day, and a longer bar wants all of its days
        wanted = Selection(
            equal={"instrument_id": (instrument,), "timeframe": ("1d" if derived else query.timeframe,)},
            start=first,
            end=last,
            as_of=as_of,
            columns=BAR,
            limit=most,
        )
        bars = await self._store.read("bars", wanted)
        bars = await self._adjusted(bars, instrument, adjustment=query.adjustment, as_of=as_of)
        if not derived:
            return bars
        labelled = resample(bars, timeframe=query.timeframe)
        label = pl.col("ts_event").dt.date()
        return labelled.filter(label >= (start or date.min), label <= (query.end or date.max)).head(
            len(bars) if limit is None else limit
        )

    async def _adjusted(
        self, bars: pl.DataFrame, instrument: str, *, adjustment: Adjustment, as_of: int | None
    ) -> pl.DataFrame:
        if adjustment == "raw":
            return bars
        factors = await self._factors(instrument, as_of)
        return adjust(bars, factors, adjustment=adjustment).with_columns(pl.lit(adjustment).alias("basis"))

    async def _actions(self, query: ActionsQuery, as_of: int | None) -> tuple[pl.DataFrame, None]:
        directory = (await self._known()).directory
        parts = []
        for symbol in query.symbols:
            listing = directory.find(symbol, start=query.start, end=query.end)
            one = {"instrument_id": (listing.instrument_id,)}
            rows = await self._store.read(
                "actions", Selection(equal=one, start=query.start, end=query.end, as_of=as_of)
            )
            parts.append(rows.with_columns(pl.lit(symbol).alias("symbol")).select(ACTION))
        return pl.concat(parts), None

    async def _instruments(
        self, query: InstrumentsQuery, limit: int | None, position: Position | None
    ) -> tuple[pl.DataFrame, Position | None]:
        listings = await self._store.read("listings")
        if query.symbols:
            directory = (await self._known()).directory
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

    async def _levels(self, query: LevelsQuery, as_of: int | None) -> tuple[pl.DataFrame, None]:
        one = {"index_id": (query.index,)}
        wanted = Selection(equal=one, start=query.start, end=query.end, as_of=as_of, columns=LEVEL)
        rows = await self._store.read("index_levels", wanted)
        if rows.is_empty():
            known = await self._store.read("index_levels", Selection(columns=("index_id",)))
            ids = known["index_id"].unique().sort().to_list()
            if query.index not in ids:
                fix = f"Known indices: {', '.join(ids) or 'none yet'}."
                raise BadInput(parameter="index", value=query.index, fix=fix)
        return rows, None

    async def _factors(self, instrument: str, as_of: int | None) -> pl.DataFrame:
        one = Selection(equal={"instrument_id": (instrument,)}, as_of=as_of, columns=("ex_date", "split", "dividend"))
        if as_of is not None:
            return await self._store.read("factors", one)
        known = await self._known()
        if instrument not in known.factors:
            if len(known.factors) >= _KEPT_FACTORS:
                known.factors.clear()
            known.factors[instrument] = await self._store.read("factors", one)
        return known.factors[instrument]

    async def _known(self) -> _Known:
        version = self._store.version()
        if self._kept is None or self._kept.version != version:
            self._kept = _Known(version, Directory(await self._store.read("listings")))
        return self._kept


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
