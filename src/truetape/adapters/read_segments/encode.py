"""Turn bars of one period into the lists and numbers that a read segment is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from truetape.adapters.read_segments.layout import CORE, RECEIPT, VERDICT
from truetape.domain.time import DAY_NS

ROWS: Final = "rows"
SERIES: Final = "series"
DAYS: Final = "days"
RUNS: Final = "runs"
RECEIPTS: Final = "receipts"
VERDICTS: Final = "verdicts"
FILES: Final = (ROWS, SERIES, DAYS, RUNS, RECEIPTS, VERDICTS)


@dataclass(frozen=True)
class Encoded:
    """A segment as Arrow tables, by the names of its files.

    - rows: `series` (number of the instrument), `ts_event`, open to volume, `verdict` and `receipt` (row numbers of
      those lists); ordered by instrument, then time.
    - series: `instrument_id`, `key` (the same in bytes of one width, padded with zero), `first` (its first row),
      `rows`, and `changed`: rows of it were replaced or withdrawn, so what was known earlier is not in the segment.
    - days: `day` (UTC), `first` (its first run).
    - runs: `row` (the first row of one instrument on one day); `rows` if there can be several on a day.
    - receipts, verdicts: each combination of values that occurs.
    """

    tables: dict[str, pa.Table]
    rows: int
    series: int


def encode(bars: pl.DataFrame, *, withdrawn: Collection[str] = ()) -> Encoded:
    """Return `bars` as a segment.

    Args:
        bars: Current rows of one timeframe, with the columns of the table, ordered by instrument and `ts_event`.
        withdrawn: Instruments of which a row was withdrawn; they need no row left.
    """
    number, names = _numbered(bars)
    series = _series(number, names, bars, withdrawn)
    place = np.flatnonzero(series["rows"].to_numpy()).astype(np.uint32)  # instruments without a row have places too
    verdict, verdicts = _listed(bars, VERDICT)
    receipt, receipts = _listed(bars, RECEIPT)
    lists = (pl.Series("series", place[number]), verdict.alias("verdict"), receipt.alias("receipt"))
    rows = bars.select(CORE).with_columns(*lists).select("series", *CORE, "verdict", "receipt")
    days, runs = _by_day(rows)
    tables = {ROWS: rows, SERIES: series, DAYS: days, RUNS: runs, RECEIPTS: receipts, VERDICTS: verdicts}
    arrow = {name: _compact(table) for name, table in tables.items()}
    arrow[SERIES] = _with_keys(arrow[SERIES], series["instrument_id"])
    return Encoded(tables=arrow, rows=len(rows), series=len(series))


def _numbered(bars: pl.DataFrame) -> tuple[Any, pl.Series]:
    """Return the number of the instrument of each row, from 0, and the instruments in that order."""
    heads = _heads(bars, ("instrument_id",))
    return heads.to_numpy().cumsum(dtype=np.int64) - 1, bars["instrument_id"].filter(heads)


def _listed(bars: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.Series, pl.DataFrame]:
    """Return, for each row, the place of its values among the combinations of values that occur; and those."""
    heads = _heads(bars, columns)
    told = bars.select(columns).filter(heads)
    combinations = told.unique(maintain_order=True)
    places = combinations.with_row_index("place")
    of_head = told.join(places, on=columns, how="left", nulls_equal=True, maintain_order="left")["place"]
    run = heads.cast(pl.UInt32).cum_sum() - 1
    return of_head.cast(pl.UInt32).gather(run), combinations


def _heads(bars: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Return whether each row differs in `columns` from the one before it; the first one does."""
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in columns)
    first = pl.int_range(pl.len()) == 0
    return bars.select((differs | first).alias("head"))["head"]


def _series(number: Any, names: pl.Series, bars: pl.DataFrame, withdrawn: Collection[str]) -> pl.DataFrame:
    """Return the instruments in order with where their rows are; those that have none left stand among them."""
    first = np.flatnonzero(_changes(number)).astype(np.uint32)
    counted = np.diff(first, append=np.uint32(len(bars))).astype(np.uint32)
    replaced = bars.filter(pl.col("version").ne_missing(1))["instrument_id"].unique().to_list()
    here = pl.DataFrame({"instrument_id": names, "first": first, "rows": counted})
    gone = pl.DataFrame(
        {"instrument_id": sorted({*withdrawn}.difference(names.to_list())), "first": 0, "rows": 0}, schema=here.schema
    )
    changed = pl.col("instrument_id").is_in([*replaced, *withdrawn]).alias("changed")
    return pl.concat([here, gone]).sort("instrument_id").with_columns(changed)


def _compact(table: pl.DataFrame) -> pa.Table:
    """Return `table` with texts as views, which need no work when they are read, over bytes that it uses only."""
    plain = table.to_arrow(compat_level=pl.CompatLevel.oldest())
    columns = [one.cast(pa.string_view()) if pa.types.is_large_string(one.type) else one for one in plain.columns]
    return pa.table(columns, names=plain.column_names)


def _with_keys(series: pa.Table, names: pl.Series) -> pa.Table:
    spelled = [name.encode() for name in names]
    width = max(map(len, spelled), default=1)
    padded = b"".join(name.ljust(width, b"\0") for name in spelled)
    keys = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(spelled), [None, pa.py_buffer(padded)])
    return series.append_column("key", keys)


def _by_day(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the days with their first run, and the runs: by day, then by instrument."""
    day = (rows["ts_event"].to_physical() // DAY_NS).cast(pl.Int32).to_numpy()
    series = rows["series"].to_numpy()
    heads = np.flatnonzero(_changes(day) | _changes(series)).astype(np.uint32)
    lengths = np.diff(heads, append=np.uint32(len(rows))).astype(np.uint32)
    order = np.argsort(day[heads], kind="stable")
    days, first = np.unique(day[heads][order], return_index=True)
    runs = {"row": heads[order]} | ({"rows": lengths[order]} if (lengths > 1).any() else {})
    listed = pl.DataFrame({"day": pl.Series(days, dtype=pl.Int32).cast(pl.Date), "first": first.astype(np.uint32)})
    return listed, pl.DataFrame(runs)


def _changes(values: Any) -> Any:
    """Return whether each value differs from the one before it; the first one does."""
    return np.append(np.ones(min(1, len(values)), dtype=bool), values[1:] != values[:-1])
