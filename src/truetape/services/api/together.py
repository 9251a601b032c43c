"""Daily bars of many instruments, read and adjusted together: one question to the store instead of thousands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from truetape.ports.store import Selection
from truetape.services.api.adjusting import DAILY, Adjusting
from truetape.services.api.query import BarsQuery
from truetape.services.api.reading import Reading

FEWEST: Final = 8  # instruments that are worth it
AT_ONCE: Final = 512  # instruments of one read
_BY: Final = "instrument_id"


def reach_of_page(query: BarsQuery, limit: int | None) -> int:
    """Return of how many instruments the daily bars are sure to be on a page of `limit` rows; 0: that is not known."""
    if query.timeframe != DAILY:
        return 0
    if limit is None:
        return len(query.symbols)
    if query.start is None or query.end is None:
        return 0
    return limit // ((query.end - query.start).days + 1)


async def read_together(
    reading: Reading,
    adjusting: Adjusting,
    query: BarsQuery,
    instruments: Sequence[str],
    *,
    columns: tuple[str, ...],
    also: pl.Expr,
) -> dict[str, pl.DataFrame]:
    """Return the stored daily bars of `instruments` as `query` wants them, by instrument; none where there are none.

    Rows have `columns` of the table, and what `also` gives.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    found: dict[str, pl.DataFrame] = {}
    unique = sorted(set(instruments))
    for first in range(0, len(unique), AT_ONCE):
        names = tuple(unique[first : first + AT_ONCE])
        wanted = Selection(
            equal={_BY: names, "timeframe": (DAILY,)},
            start=query.start,
            end=query.end,
            as_of=reading.as_of,
            columns=(_BY, *columns),
        )
        rows = await reading.read("bars", wanted)
        adjusted = await adjusting.adjusted_together(rows, query, instruments=names)
        found |= dict(_apart(adjusted.with_columns(also)))
    return found


def _apart(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    runs = rows[_BY].rle().struct.unnest()
    own, place = rows.drop(_BY), 0
    for name, length in zip(runs["value"], runs["len"], strict=True):
        yield name, own.slice(place, length)
        place += length
