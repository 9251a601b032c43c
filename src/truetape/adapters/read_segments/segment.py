"""One read segment, mapped into memory: where rows stand, and rows by their places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from truetape.adapters.read_segments.encode import DAYS, RECEIPTS, ROWS, RUNS, SERIES, VERDICTS
from truetape.adapters.read_segments.layout import CORE, NUMBERS
from truetape.domain.time import DAY_NS

SUFFIX: Final = ".arrow"
_LAST: Final = 2**63 - 1


class Segment:
    """The files of a segment in `folder`. They are mapped at the first question and stay so while rows are in use."""

    def __init__(self, folder: Path, *, rows: int) -> None:
        self.folder = folder
        self.rows = rows

    @cached_property
    def core(self) -> pl.DataFrame:
        """Every row: `series`, `ts_event`, open to volume, `verdict`, `receipt`."""
        return _frame(self._mapped(ROWS))

    @cached_property
    def prices(self) -> pl.DataFrame:
        """Of every row, `ts_event` and open to volume."""
        return self.core.select(CORE)

    @cached_property
    def values(self) -> dict[str, Any] | None:
        """`ts_event` (UTC nanoseconds) and open to volume of each row, shape (rows,); None if a value is missing."""
        if any(self.prices.null_count().row(0)):
            return None
        return {name: self.prices[name].to_numpy() for name in NUMBERS} | {"ts_event": self.events}

    def listed(self, told: str) -> pl.DataFrame:
        """Return what the numbers `verdict` or `receipt` of rows stand for."""
        return self._lists[told]

    @cached_property
    def names(self) -> pl.Series:
        """The instruments, ascending; `series` counts them."""
        return _frame(self._series.select(["instrument_id"]))["instrument_id"]

    @cached_property
    def first_key(self) -> bytes:
        """The first instrument, in UTF-8."""
        return bytes(self._keys[0]) if len(self._keys) else b""

    @cached_property
    def last_known(self) -> int:
        """The latest `ts_known` of a row, UTC nanoseconds."""
        return int(self._known.max()) if len(self._known) else -_LAST

    @cached_property
    def changed(self) -> Any:
        """Of each instrument, whether rows of it were replaced or withdrawn. Shape (instruments,), bool."""
        return _frame(self._series.select(["changed"]))["changed"].to_numpy()

    @cached_property
    def events(self) -> Any:
        """`ts_event` of each row, UTC nanoseconds. Shape (rows,), int64."""
        return self.core["ts_event"].to_physical().to_numpy()

    def place(self, instrument: bytes) -> int | None:
        """Return the number of the instrument whose UTF-8 this is, or None if it is not here."""
        keys = self._keys
        at = int(keys.searchsorted(instrument))
        return at if at < len(keys) and keys[at] == instrument else None

    def rows_of(self, series: int) -> tuple[int, int]:
        """Return the first row of an instrument and the one after its last."""
        first = int(self._first[series])
        return first, first + int(self._counts[series])

    def last_rows(self) -> tuple[pl.Series, Any]:
        """Return the instruments that have rows, and the last row of each. Shape (instruments,), uint32."""
        has = self._counts > 0
        return self.names.filter(pl.Series(has)), (self._first + self._counts - 1)[has].astype(np.uint32)

    def ends(self, instruments: Sequence[str]) -> dict[str, int | None]:
        """Return the last `ts_event` of those of `instruments` that are here.

        It is None for those of which a row was replaced or withdrawn.
        """
        found: dict[str, int | None] = {}
        for name in instruments:
            place = self.place(name.encode())
            if place is not None:
                is_plain = self._counts[place] and not self.changed[place]
                found[name] = int(self.events[self.rows_of(place)[1] - 1]) if is_plain else None
        return found

    def within(self, series: int, first: int, end: int) -> tuple[int, int]:
        """Return which of an instrument's rows are from `first` (inclusive) to `end` (exclusive), UTC nanoseconds."""
        start, stop = self.rows_of(series)
        events = self.events[start:stop]
        return start + int(events.searchsorted(first)), start + int(events.searchsorted(end))

    def on_days(self, first: int, end: int) -> Any:
        """Return the rows of all instruments from `first` to `end`, as `within`, which are 00:00 UTC; in their order.

        Shape (rows,), uint32.
        """
        days, starts, rows, lengths = self._days
        begin, stop = days.searchsorted(max(first, -_LAST) // DAY_NS), days.searchsorted(-(-end // DAY_NS))
        runs = slice(int(starts[begin]), int(starts[stop]))
        found = rows[runs] if lengths is None else _spread(rows[runs], lengths[runs])
        return found if stop - begin <= 1 else np.sort(found)

    def codes(self, name: str, rows: slice | Any) -> Any:
        """Return the numbers `series`, `verdict` or `receipt` of `rows`. Shape (rows,), uint32."""
        return self._codes[name][rows]

    def known(self, rows: slice | Any) -> Any:
        """Return `ts_known` of `rows`, UTC nanoseconds; the farthest instant for null. Shape (rows,), int64."""
        return self._known[self._codes["receipt"][rows]]

    @cached_property
    def _codes(self) -> dict[str, Any]:
        return {name: self.core[name].to_numpy() for name in ("series", "verdict", "receipt")}

    @cached_property
    def _lists(self) -> dict[str, pl.DataFrame]:
        return {"verdict": _frame(self._mapped(VERDICTS)), "receipt": _frame(self._mapped(RECEIPTS))}

    @cached_property
    def _known(self) -> Any:
        return self._lists["receipt"]["ts_known"].to_physical().fill_null(_LAST).to_numpy()

    @cached_property
    def _series(self) -> pa.RecordBatch:
        return self._mapped(SERIES)

    @cached_property
    def _first(self) -> Any:
        return _frame(self._series.select(["first"]))["first"].to_numpy()

    @cached_property
    def _counts(self) -> Any:
        return _frame(self._series.select(["rows"]))["rows"].to_numpy()

    @cached_property
    def _keys(self) -> Any:
        keys = self._series.column("key")
        held = np.frombuffer(keys.buffers()[1], dtype=f"S{keys.type.byte_width}")
        return held[: len(keys)]

    @cached_property
    def _days(self) -> tuple[Any, Any, Any, Any]:
        days, runs = _frame(self._mapped(DAYS)), _frame(self._mapped(RUNS))
        lengths = runs["rows"].to_numpy() if "rows" in runs.columns else None
        starts = np.append(days["first"].to_numpy(), np.uint32(len(runs)))
        return days["day"].cast(pl.Int32).to_numpy(), starts, runs["row"].to_numpy(), lengths

    def _mapped(self, name: str) -> pa.RecordBatch:
        with pa.memory_map(str(self.folder / f"{name}{SUFFIX}")) as file:
            return pa.ipc.open_file(file).get_batch(0)


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    frame = pl.from_arrow(batch, rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _spread(rows: Any, lengths: Any) -> Any:
    """Return all rows of runs that begin at `rows` and have `lengths`."""
    ends = lengths.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    return (np.repeat(rows - (ends - lengths), lengths) + np.arange(total)).astype(np.uint32)
