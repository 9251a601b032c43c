"""Put rows of read segments together as a frame with the columns of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from truetape.adapters.read_segments.layout import COLUMNS, CORE
from truetape.adapters.read_segments.lists import LISTED, Lists, Told, taken
from truetape.adapters.read_segments.segment import Segment
from truetape.domain.schema import INSTANT


@dataclass(frozen=True)
class Piece:
    """Rows of one segment, in the order wanted: a slice of them, or their numbers (uint32)."""

    segment: Segment
    rows: slice | Any
    instrument: str | None = None  # whose rows they all are, if that is known

    def __len__(self) -> int:
        return self.rows.stop - self.rows.start if isinstance(self.rows, slice) else len(self.rows)

    def known_by(self, as_of: int) -> Piece:
        """Return those rows that were known at `as_of`, UTC nanoseconds, inclusive."""
        if self.segment.last_known <= as_of:
            return self
        known = self.segment.known(self.rows) <= as_of
        count = int(known.sum())
        if isinstance(self.rows, slice) and bool(known[:count].all()):  # mostly the later ones were known later
            return Piece(self.segment, slice(self.rows.start, self.rows.start + count), self.instrument)
        rows = self.rows
        if isinstance(rows, slice):
            rows = np.arange(rows.start, rows.stop, dtype=np.uint32)
        return Piece(self.segment, rows[known], self.instrument)

    def prices(self) -> pl.DataFrame:
        """Return `ts_event` and open to volume of the rows."""
        if isinstance(self.rows, slice):
            return self.segment.prices.slice(self.rows.start, len(self))
        return taken(self.segment.prices, self.rows)

    def instruments(self) -> pl.Series:
        """Return the instrument of each row."""
        if self.instrument is not None:
            return _repeated("instrument_id", self.instrument, len(self))
        return self.segment.names.gather(pl.Series(self.segment.codes("series", self.rows)))


def decode(pieces: Sequence[Piece], columns: Sequence[str], *, timeframe: str, lists: Lists) -> pl.DataFrame:
    """Return the rows of all pieces, one piece after the other, with `columns` of the table."""
    held = [piece for piece in pieces if len(piece)]
    if not held:
        return pl.DataFrame(schema={name: COLUMNS[name] for name in columns})
    rows = sum(map(len, held))
    found = _prices(held, [name for name in CORE if name in columns])
    for told, listed in LISTED.items():
        if not set(listed).isdisjoint(columns):
            found |= _listed(held, told, lists).to_dict()
    if "timeframe" in columns:
        found["timeframe"] = _repeated("timeframe", timeframe, rows)
    if "instrument_id" in columns:
        found["instrument_id"] = _instruments(held, rows)
    return pl.DataFrame([found[name] for name in columns])


def _prices(pieces: Sequence[Piece], names: Sequence[str]) -> dict[str, pl.Series]:
    """Return `names` of `ts_event` and the prices, copied on one thread: it is little work, and waits for nobody."""
    if any(piece.segment.values is None for piece in pieces):
        joined = _joined([piece.prices() for piece in pieces])
        return {name: joined[name] for name in names}
    found = {}
    for name in names:
        parts = [piece.segment.values[name][piece.rows] for piece in pieces if piece.segment.values is not None]
        whole = pl.Series(name, parts[0] if len(parts) == 1 else np.concatenate(parts))
        found[name] = whole.cast(INSTANT) if name == "ts_event" else whole
    return found


def _listed(pieces: Sequence[Piece], told: Told, lists: Lists) -> pl.DataFrame:
    """Return what the numbers `told` of all rows stand for."""
    together = lists.together(told)
    if together is None:
        return _joined([taken(piece.segment.listed(told), piece.segment.codes(told, piece.rows)) for piece in pieces])
    codes = [piece.segment.codes(told, piece.rows) + lists.first(told, piece.segment) for piece in pieces]
    return taken(together, codes[0] if len(codes) == 1 else np.concatenate(codes))


def _joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=True)


def _instruments(pieces: Sequence[Piece], rows: int) -> pl.Series:
    only = {piece.instrument for piece in pieces}
    if len(only) == 1 and (name := only.pop()) is not None:
        return _repeated("instrument_id", name, rows)
    parts = [piece.instruments() for piece in pieces]
    return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=True)


def _repeated(name: str, value: str, rows: int) -> pl.Series:
    return pl.Series(name, [value], dtype=pl.String).new_from_index(0, rows)
