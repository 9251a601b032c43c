"""Trades and quotes as they were told, to the nanosecond: a day of one instrument is read at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, QUOTE_COLUMNS, TRADE_COLUMNS
from truetape.domain.schema import TABLES
from truetape.domain.time import to_datetime
from truetape.ports.store import Selection
from truetape.services.api.answers import Page
from truetape.services.api.paging import Position
from truetape.services.api.query import TicksQuery
from truetape.services.api.reading import Reading
from truetape.services.api.shelf import Shelf

TICKS: Final = {
    "trades": ("ts_event", *TRADE_COLUMNS, "correction", "currency", "provider", "ts_known", "simulated"),
    "quotes": ("ts_event", *QUOTE_COLUMNS, "currency", "provider", "ts_known", "simulated"),
}
_ORDER: Final = {
    "trades": ("ts_event", "provider", "ts_known", "place"),
    "quotes": ("ts_event", "provider", "ts_known", "payload"),
}
_DAY: Final = timedelta(days=1)


async def ticks(
    reading: Reading, shelf: Shelf, query: TicksQuery, *, limit: int | None = None, position: Position | None = None
) -> Page:
    """Return the trades or quotes that `query` asks for, symbol by symbol, each in the order of time.

    Columns: `symbol` as asked for, then those of TICKS.

    Args:
        reading: From where they are read.
        shelf: Of listings.
        query: The question.
        limit: The most rows wanted; None for all.
        position: Where the page begins.

    Raises:
        UnknownSymbol, BadInput: A symbol means nothing, or too much.
        StoreUnavailable: The store cannot be read now.
    """
    directory = await shelf.directory(reading)
    first, last = to_datetime(query.start).date(), to_datetime(query.end - 1).date()
    found = [directory.find(symbol, start=first, end=last).instrument_id for symbol in query.symbols]
    at = position or Position(place=0)
    parts, left, skip = [_none(query.table)], limit, at.skip
    for place in range(min(at.place, len(found) - 1), len(found)):
        begins = at.start if place == at.place and at.start is not None else first
        async for day, rows in _days(reading, query, found[place], begins, last):
            own = rows.slice(skip).with_columns(pl.lit(query.symbols[place]).alias("symbol"))
            parts.append(own.head(len(own) if left is None else left).select(parts[0].columns))
            if left is not None and len(own) > left:
                return Page(pl.concat(parts), Position(place=place, start=day, skip=skip + left))
            left, skip = None if left is None else left - len(own), 0
        skip = 0
    return Page(pl.concat(parts))


async def _days(
    reading: Reading, query: TicksQuery, instrument: str, first: date, last: date
) -> AsyncGenerator[tuple[date, pl.DataFrame]]:
    """Yield the rows of each day that has some in the range, from `first` to `last`, both inclusive."""
    order = _ORDER[query.table]
    equal = {"instrument_id": (instrument,), **({"provider": (query.provider,)} if query.provider else {})}
    when, start, end = pl.col("ts_event"), *(pl.lit(at).cast(INSTANT) for at in (query.start, query.end))
    day: date | None = first
    while day is not None and (day := await _next(reading, query.table, equal, day, last)) is not None:
        columns = tuple(dict.fromkeys((*TICKS[query.table], *order)))
        one_day = Selection(equal=equal, start=day, end=day, as_of=reading.as_of, columns=columns)
        rows = (await reading.read(query.table, one_day)).filter(when >= start, when < end)
        if len(rows):
            yield day, rows.sort(order)
        day = day + _DAY if day < last else None


async def _next(
    reading: Reading, table: str, equal: Mapping[str, tuple[str, ...]], first: date, last: date
) -> date | None:
    """Return the first day from `first` to `last`, both inclusive, that has rows; None if none has."""
    is_in_time = TABLES[table].key[:2] == ("instrument_id", "ts_event")  # so that the first row is the earliest
    wanted = Selection(
        equal=equal,
        start=first,
        end=last,
        as_of=reading.as_of,
        columns=("ts_event",),
        limit=1 if is_in_time else None,
    )
    day = (await reading.read(table, wanted))["ts_event"].dt.date().min()
    assert day is None or isinstance(day, date)
    return day


def _none(table: str) -> pl.DataFrame:
    columns = TABLES[table].columns
    return pl.DataFrame(schema={"symbol": pl.String(), **{name: columns[name] for name in TICKS[table]}})
