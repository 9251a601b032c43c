"""Adjustment factors in memory: every adjusted bar needs them, and all of them together are small."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np
import polars as pl

from truetape.domain.errors import StoreUnavailable
from truetape.domain.read_trace import tell
from truetape.domain.schema import TABLES
from truetape.ports.store import Selection, Store

Held = TypeVar("Held", pl.DataFrame, pl.Series)

TABLE: Final = "factors"
COLUMNS: Final = TABLES[TABLE].columns
MOST: Final = 1_000_000  # rows that are kept, some 60 MB; of a store with more, none are
_FARTHEST: Final = 2**63 - 1
STALE: Final = 1_000  # instruments that were written to since, before all are read again


class KeptFactors:
    """Answer about the factors of named instruments, as far as nothing was written of them since they were read.

    What is asked as it was earlier is answered for instruments of which no factor was ever replaced or withdrawn.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = 0
        self._rows = pl.DataFrame(schema=COLUMNS)
        self._known = pl.Series(dtype=pl.Int64)
        self._shown: dict[tuple[str, ...], pl.DataFrame] = {}  # by columns
        self._places: dict[str, tuple[int, int]] | None = None  # by instrument: its first row, and how many there are
        self._changed: set[str] = set()
        self._touched: set[str] = set()  # written to since the rows that are kept were read
        self._since: set[str] = set()  # and since those that are being read
        self._pending: Counter[str] = Counter()
        self._reading: asyncio.Task[None] | None = None
        self._is_too_large = False

    def of(self, selection: Selection) -> pl.DataFrame | None:
        """Return what `selection` asks of the factors, or None if the store has to answer it."""
        names = selection.equal.get("instrument_id", ())
        plain = Selection(
            equal={"instrument_id": names},
            as_of=selection.as_of,
            at_version=selection.at_version,
            columns=selection.columns,
        )
        if not names or selection != plain or not COLUMNS.keys() >= set(selection.columns):
            return None
        if self._places is None or len(self._touched) > STALE:
            self._begin_reading()
        if self._places is None or not self._touched.isdisjoint(names):
            return None
        if selection.at_version is not None and selection.at_version < self._version:
            return None
        if selection.as_of is not None and not self._changed.isdisjoint(names):
            return None
        spans = [
            self._places[name] for name in (names if len(names) == 1 else sorted({*names})) if name in self._places
        ]
        rows, known = _taken(self._of_columns(selection.columns), spans), _taken(self._known, spans)
        if selection.as_of is not None and not rows.is_empty():
            rows = rows.filter(known <= _clamped(selection.as_of))
        tell("memory", TABLE, len(rows))
        return rows

    def _of_columns(self, columns: tuple[str, ...]) -> pl.DataFrame:
        """Return all rows with `columns`; there are few ways to ask, and each is looked out once."""
        if columns not in self._shown:
            self._shown[columns] = self._rows.select(columns) if columns else self._rows
        return self._shown[columns]

    @contextlib.contextmanager
    def written(self, *frames: Mapping[str, pl.DataFrame]) -> Iterator[None]:
        """Ask the store about the instruments whose factors are written in the block, from now on."""
        names = {
            name
            for one in frames
            if TABLE in one and "instrument_id" in one[TABLE].columns
            for name in one[TABLE]["instrument_id"].unique()
        }
        self._touched |= names
        self._since |= names
        self._pending.update(names)
        try:
            yield
        except asyncio.CancelledError:  # it may be written yet
            raise
        except BaseException:
            self._pending.subtract(names)
            raise
        self._pending.subtract(names)

    async def ready(self) -> None:
        """Wait until what is being read is there."""
        if self._reading is not None:
            await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None and not self._reading.done():
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def _begin_reading(self) -> None:
        if not self._is_too_large and (self._reading is None or self._reading.done()):
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        """Read all factors; those that are written meanwhile stay with the store."""
        self._since = {name for name, count in self._pending.items() if count > 0}
        with contextlib.suppress(StoreUnavailable):
            await self._take()

    async def _take(self) -> None:
        version = self._store.version()
        frames: list[pl.DataFrame] = []
        async for frame in self._store.stream(TABLE):
            frames.append(frame)
            if sum(map(len, frames)) > MOST:
                self._is_too_large, self._places = True, None
                return
        gone = await self._store.read(TABLE, Selection(withdrawn=True))
        rows = pl.concat(frames) if frames else pl.DataFrame(schema=COLUMNS)
        replaced = rows.filter(pl.col("version") != 1)["instrument_id"]
        runs = rows["instrument_id"].rle().struct.unnest()
        ends = runs["len"].cum_sum()
        places = zip(runs["value"], (ends - runs["len"]).to_list(), runs["len"].to_list(), strict=True)
        self._version, self._rows, self._touched = version, rows, self._since
        self._known, self._shown = rows["ts_known"].to_physical(), {}
        self._changed = {*replaced, *gone["instrument_id"]}
        self._places = {name: (first, count) for name, first, count in places}


def _taken(held: Held, spans: Sequence[tuple[int, int]]) -> Held:
    """Return the rows of `held` that lie in `spans`: where each begins, and how many rows it has."""
    if len(spans) <= 1:
        return held.slice(*(spans[0] if spans else (0, 0)))
    starts, counts = np.array(spans).T
    ends = counts.cumsum()
    return held[np.repeat(starts - (ends - counts), counts) + np.arange(ends[-1])]


def _clamped(instant_ns: int) -> int:
    return max(-_FARTHEST, min(_FARTHEST, instant_ns))
