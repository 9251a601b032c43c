"""Turn rows in PostgreSQL's binary COPY format into a frame, a column at a time. The format: see encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from psycopg.abc import Buffer

from truetape.adapters.timescale_store.encoding import EPOCH_DAYS, HEADER, SLICE_ROWS, TRAILER
from truetape.adapters.timescale_store.names import ESCAPE, unescape

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
_SPARE = bytes(8)  # after the last row, so that a null in its last column can be looked at as if it were a number


def decoded(messages: Sequence[Buffer], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the rows that `messages` hold, with `columns`: one row in each message, as libpq hands them out.

    The header stands before the first row, and the trailer in a message of its own: both are left out.
    """
    rows = [*messages]
    if rows and bytes(rows[0][: len(HEADER)]) == HEADER:
        rows[0] = rows[0][len(HEADER) :]
    if rows and bytes(rows[-1]) == TRAILER:
        rows.pop()
    if not rows or not columns:
        return pl.DataFrame(schema=dict(columns))
    parts = [_rows(rows[first : first + SLICE_ROWS], columns) for first in range(0, len(rows), SLICE_ROWS)]
    return pl.concat(parts, rechunk=False)


def _rows(rows: Sequence[Buffer], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    data = np.frombuffer(b"".join([*rows, _SPARE]), np.uint8)
    widths = np.fromiter(map(len, rows), np.int64, len(rows))
    at = np.cumsum(widths) - widths + 2
    found = {}
    for name, dtype in columns.items():
        lengths = _gathered(data, at, ">i4").astype(np.int64)
        at += 4
        found[name] = _column(data, at, lengths, dtype)
        at += np.maximum(lengths, 0)
    return pl.DataFrame(found)


def _column(data: Bytes, at: Numbers, lengths: Numbers, dtype: pl.DataType) -> pl.Series:
    known = lengths >= 0
    if dtype == pl.String():
        return _texts(data, at, np.maximum(lengths, 0), known)
    values = _numbers(data, at, dtype)  # where there is none, whatever stands there
    if known.all():
        return pl.Series(values).cast(dtype)
    masked = pl.from_arrow(pa.array(values, mask=~known))
    assert isinstance(masked, pl.Series)
    return masked.cast(dtype)


def _numbers(data: Bytes, at: Numbers, dtype: pl.DataType) -> Any:
    if dtype == pl.Float64():
        return _gathered(data, at, ">f8").astype(np.float64)
    if dtype == pl.Boolean():
        return _gathered(data, at, "u1") == 1
    if dtype == pl.Date():
        return (_gathered(data, at, ">i4").astype(np.int64) + EPOCH_DAYS).astype(np.int32)
    return _gathered(data, at, ">i8").astype(np.int64)


def _texts(data: Bytes, at: Numbers, lengths: Numbers, known: Flags) -> pl.Series:
    ends = np.cumsum(lengths)
    places = np.repeat(at - (ends - lengths), lengths)
    places += np.arange(len(places))
    held = data[places]
    offsets = np.concatenate([[0], ends])
    validity = None if known.all() else pa.array(known).buffers()[1]
    array = pa.LargeStringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(held), validity)
    texts = pl.from_arrow(array)
    assert isinstance(texts, pl.Series)
    return unescape(texts) if (held == ESCAPE).any() else texts


def _gathered(data: Bytes, at: Numbers, dtype: str) -> Any:
    """Return the number that stands at each place of `at`."""
    width = np.dtype(dtype).itemsize
    return np.ndarray((len(data) - width + 1,), dtype, data, strides=(1,))[at]
