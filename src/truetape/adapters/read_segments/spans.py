"""Where rows are, as spans of their series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from truetape.adapters.read_segments.fresh import MOST_ROWS, Lines
from truetape.adapters.read_segments.layout import COLUMNS, periods_between
from truetape.adapters.read_segments.marks import Span

KEY: Final = ("instrument_id", "timeframe", "ts_event")


@dataclass(frozen=True)
class About:
    """What frames are about: the spans of their series, and the timeframes that segments cannot hold from now on.

    `lines` are the rows of those spans that may be kept beside the segments.
    """

    spans: tuple[Span, ...]
    unfit: frozenset[str]
    lines: Mapping[Span, Lines] = field(default_factory=dict)


def about(frames: Iterable[pl.DataFrame]) -> About:
    """Return what `frames`, rows or withdrawals of bars, are about; the store refuses frames without the columns."""
    usable = [frame for frame in frames if {*KEY, "version"}.issubset(frame.columns)]
    spans = tuple(span for frame in usable for span in spans_of(frame))
    whole = [frame for frame in usable if frame.width == len(COLUMNS) and len(frame) <= MOST_ROWS]
    lines = dict(one for frame in whole for one in lines_of(frame))
    return About(spans, frozenset(name for frame in usable for name in unfit(frame)), lines)


def lines_of(bars: pl.DataFrame) -> Iterator[tuple[Span, Lines]]:
    """Yield the series of `bars` in one period of which every row is a first version, of an instant of its own."""
    rows = bars.select(*COLUMNS).sort(KEY)
    series = rows.with_row_index("place").group_by("instrument_id", "timeframe")
    event = pl.col("ts_event").to_physical()
    is_plain = ((pl.col("version") == 1) & pl.col("ts_event").is_unique()).all()
    found = series.agg(event.min().alias("first"), event.max().alias("last"), pl.col("place").min(), pl.len(), is_plain)
    for name, timeframe, first, last, place, count, plain in found.drop_nulls().iter_rows():
        if plain and len(periods_between(timeframe, first, last)) == 1:
            yield Span(timeframe, name, first, last), Lines(rows, place, count)


def spans_of(rows: pl.DataFrame) -> list[Span]:
    """Return the first and last `ts_event` of each series of `rows`, which have at least the columns KEY."""
    if rows.is_empty():
        return []
    whole = rows.select(KEY).drop_nulls()
    event = pl.col("ts_event").to_physical()
    bounds = whole.group_by("instrument_id", "timeframe").agg(event.min().alias("first"), event.max().alias("last"))
    return [Span(timeframe, name, first, last) for name, timeframe, first, last in bounds.iter_rows()]


def unfit(rows: pl.DataFrame) -> Iterator[str]:
    """Yield the timeframes of `rows` that have a row which segments cannot hold.

    Those are rows without an instrument or an instant, with a zero byte in the instrument's name (keys are padded with
    it), or of version 0 (versions begin with 1, so that a row of version 1 has replaced nothing).
    """
    strange = (
        pl.any_horizontal(pl.col(*KEY).is_null())
        | (pl.col("instrument_id").str.len_bytes() == 0)
        | pl.col("instrument_id").str.contains("\0", literal=True)
        | (pl.col("version") == 0)
    )
    found = rows.filter(strange.fill_null(value=True))["timeframe"].unique()
    yield from found.drop_nulls().to_list()
