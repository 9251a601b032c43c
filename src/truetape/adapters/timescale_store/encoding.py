"""Turn a frame into PostgreSQL's binary COPY format, a column at a time.

The format (PostgreSQL's manual, COPY, "Binary Format"): a header; for each row the count of its fields in two bytes,
then each field as its length in four bytes (-1: null) and its bytes, all big-endian; at the end a count of -1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.adapters.timescale_store.names import ESCAPE, KINDS, escape

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
TRAILER: Final = b"\xff\xff"
SLICE_ROWS: Final = 4096  # that are turned at once: their bytes stay in the cache of a core
EPOCH_DAYS: Final = 10_957  # from 1970-01-01 to PostgreSQL's 2000-01-01
_NULL: Final = -1

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class _Fields:
    """One column: how long its fields are, and their bytes, of text one after the other, of others one in each row."""

    lengths: Numbers | int  # -1: null; one number if all are as long
    cells: Bytes


def encoded(frame: pl.DataFrame) -> Iterator[Bytes]:
    """Yield the bytes of the rows of `frame`, header and trailer included, in pieces of some megabytes."""
    yield np.frombuffer(HEADER, np.uint8)
    for rows in frame.iter_slices(SLICE_ROWS):
        yield _rows(rows)
    yield np.frombuffer(TRAILER, np.uint8)


def _rows(rows: pl.DataFrame) -> Bytes:
    fields = [_fields(column) for column in rows.iter_columns()]
    if all(isinstance(one.lengths, int) for one in fields):
        return _even(fields, len(rows))
    return _uneven(fields, len(rows))


def _even(fields: list[_Fields], count: int) -> Bytes:
    """Return the bytes of rows that are all as long: a table of bytes."""
    width = 2 + sum(4 + max(int(one.lengths), 0) for one in fields)
    out = np.empty((count, width), np.uint8)
    out[:, :2] = _big(len(fields), ">i2")
    at = 2
    for one in fields:
        length = int(one.lengths)
        out[:, at : at + 4] = _big(length, ">i4")
        at += 4
        if length > 0:
            out[:, at : at + length] = one.cells.reshape(count, length)
            at += length
    return out.reshape(-1)


def _uneven(fields: list[_Fields], count: int) -> Bytes:
    """Return the bytes of rows of several lengths: each field is put where the ones before it end."""
    widths = np.full(count, 2 + 4 * len(fields), np.int64)
    for one in fields:
        widths += np.maximum(one.lengths, 0)
    ends = np.cumsum(widths)
    out = np.empty(int(ends[-1]), np.uint8)
    at = ends - widths
    _put(out, at, np.broadcast_to(_big(len(fields), ">i2"), (count, 2)))
    at += 2
    for one in fields:
        lengths = np.broadcast_to(np.asarray(one.lengths, np.int64), (count,))
        _put(out, at, lengths.astype(">i4").view(np.uint8).reshape(count, 4))
        at += 4
        held = np.maximum(lengths, 0)
        _fill(out, at, one, held)
        at += held
    return out


def _fill(out: Bytes, at: Numbers, field: _Fields, held: Numbers) -> None:
    """Put the bytes of `field` into `out`, each from its place in `at` on."""
    if field.cells.ndim > 1:
        known = held > 0
        whole = bool(known.all())
        _put(out, at if whole else at[known], field.cells if whole else field.cells[known])
    elif len(field.cells):
        places = np.repeat(at - (np.cumsum(held) - held), held)
        places += np.arange(len(places))
        out[places] = field.cells


def _put(out: Bytes, at: Numbers, cells: Bytes) -> None:
    for number in range(cells.shape[1]):
        out[at + number] = cells[:, number]


def _fields(column: pl.Series) -> _Fields:
    if column.dtype == pl.String():
        return _texts(column)
    width = KINDS[column.dtype].width
    nulls = column.is_null().to_numpy() if column.null_count() else None
    cells = _numbers(column).view(np.uint8).reshape(len(column), width)
    return _Fields(width if nulls is None else np.where(nulls, _NULL, width), cells)


def _numbers(column: pl.Series) -> Any:
    if column.dtype == pl.Boolean():
        return column.fill_null(value=False).to_numpy().astype(np.uint8)
    if column.dtype == pl.Float64():
        return column.fill_null(0.0).to_numpy().astype(">f8")
    plain = column.to_physical().fill_null(0).to_numpy()
    return (plain - EPOCH_DAYS).astype(">i4") if column.dtype == pl.Date() else plain.astype(">i8")


def _texts(column: pl.Series) -> _Fields:
    lengths, held = _bytes(column)
    if (held <= ESCAPE).any():
        lengths, held = _bytes(escape(column))
    if column.null_count():
        lengths = np.where(column.is_null().to_numpy(), _NULL, lengths)
    first = int(lengths[0])
    return _Fields(first if (lengths == first).all() else lengths, held)


def _bytes(texts: pl.Series) -> tuple[Numbers, Bytes]:
    """Return how long each of `texts` is, and the bytes of all, one after the other; a null has none."""
    plain = texts.fill_null("") if texts.null_count() else texts
    array = plain.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, np.int64, count=len(array) + 1, offset=array.offset * 8)
    held = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]] if data is not None else np.empty(0, np.uint8)
    return np.diff(bounds), held


def _big(number: int, dtype: str) -> Bytes:
    return np.array([number], dtype).view(np.uint8)
