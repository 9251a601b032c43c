"""Put rows of read segments together as a frame with the columns of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from truetape.adapters.read_segments.layout import COLUMNS, CORE, RECEIPT, VERDICT
from truetape.adapters.read_segments.segment import Segment


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
        numbers = self.rows
        if isinstance(numbers, slice):
            numbers = np.arange(numbers.start, numbers.stop, dtype=np.uint32)
        return Piece(self.segment, numbers[self.segment.known(self.rows) <= as_of], self.instrument)

    def core(self) -> pl.DataFrame:
        """Return the rows as the segment has them."""
        if isinstance(self.rows, slice):
            return self.segment.core.slice(self.rows.start, len(self))
        return _taken(self.segment.core, self.rows)


def decode(pieces: Sequence[Piece], columns: Sequence[str], *, timeframe: str) -> pl.DataFrame:
    """Return the rows of all pieces, one piece after the other, with `columns` of the table."""
    held = [piece for piece in pieces if len(piece)]
    if not held:
        return pl.DataFrame(schema={name: COLUMNS[name] for name in columns})
    cores = [piece.core() for piece in held]
    core = cores[0] if len(cores) == 1 else pl.concat(cores, rechunk=True)
    found = {name: core[name] for name in columns if name in CORE}
    for told, listed in (("verdict", VERDICT), ("receipt", RECEIPT)):
        if not set(listed).isdisjoint(columns):
            lists = _listed(held, told)
            found |= {name: lists[name] for name in listed}
    if "timeframe" in columns:
        found["timeframe"] = _repeated("timeframe", timeframe, len(core))
    if "instrument_id" in columns:
        found["instrument_id"] = _instruments(held, cores, len(core))
    return pl.DataFrame([found[name] for name in columns])


def _listed(pieces: Sequence[Piece], told: str) -> pl.DataFrame:
    """Return what the numbers `told` of all rows stand for. Where a piece has one number only, it is looked up once."""
    parts, places, start, is_single = [], [], 0, True
    for piece in pieces:
        listed = piece.segment.verdicts if told == "verdict" else piece.segment.receipts
        codes = piece.segment.codes(told, piece.rows)
        first = int(codes[0])
        if first == codes[-1] and bool((codes == first).all()):
            parts.append(listed.slice(first, 1))
            places.append(np.full(len(codes), start, dtype=np.uint32))
            start += 1
            is_single = False
        else:
            parts.append(_taken(listed, codes))
            places.append(np.arange(start, start + len(codes), dtype=np.uint32))
            start += len(codes)
    rows = parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=True)
    return rows if is_single else _taken(rows, np.concatenate(places))


def _instruments(pieces: Sequence[Piece], cores: Sequence[pl.DataFrame], rows: int) -> pl.Series:
    only = {piece.instrument for piece in pieces}
    if len(only) == 1 and (name := only.pop()) is not None:
        return _repeated("instrument_id", name, rows)
    parts = [
        _repeated("instrument_id", piece.instrument, len(piece))
        if piece.instrument is not None
        else piece.segment.names.gather(core["series"])
        for piece, core in zip(pieces, cores, strict=True)
    ]
    return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=True)


def _repeated(name: str, value: str, rows: int) -> pl.Series:
    return pl.Series(name, [value], dtype=pl.String).new_from_index(0, rows)


def _taken(frame: pl.DataFrame, rows: Any) -> pl.DataFrame:
    return frame[pl.Series(rows, dtype=pl.UInt32)]
