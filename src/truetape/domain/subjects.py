"""What rows are about, as precisely as it is worth knowing: whose answers change when they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from truetape.domain.schema import TABLES

Subject = tuple[str, str, str]  # the table, what its rows are about, and their timeframe; "" stands for any

ANY: Final = ""
MOST: Final = 1000  # subjects of one frame or question that are told apart
_ABOUT: Final = ("instrument_id", "index_id", "mic", "name")  # columns; the first that a table has counts
_TIMEFRAME: Final = "timeframe"


def read_subjects(table: str, equal: Mapping[str, Sequence[str]]) -> frozenset[Subject]:
    """Return what is read of `table` where its columns equal what `equal` says."""
    abouts = equal.get(_about(table), ())
    if not 0 < len(abouts) <= MOST:
        return frozenset({(table, ANY, ANY)})
    return frozenset((table, about, timeframe) for about in abouts for timeframe in equal.get(_TIMEFRAME, (ANY,)))


def written_subjects(table: str, rows: pl.DataFrame) -> frozenset[Subject] | None:
    """Return everything that is read otherwise once `rows` are in `table`: None means all of the table.

    What is read without naming what it is about, or its timeframe, is among it.
    """
    if rows.is_empty():
        return frozenset()
    columns = [name for name in (_about(table), _TIMEFRAME) if name in rows.columns]
    if not columns or columns == [_TIMEFRAME]:
        return None
    pairs = rows.select(columns).unique()
    if len(pairs) > MOST or any(column.null_count() for column in pairs):
        return None
    found = {(table, ANY, ANY)}
    for about, *timeframes in pairs.iter_rows():
        found |= {(table, about, timeframe) for timeframe in (ANY, *timeframes)}
    return frozenset(found)


def _about(table: str) -> str:
    return next((name for name in _ABOUT if name in TABLES[table].columns), ANY)
