"""Turn rows in PostgreSQL's binary COPY format into a frame, a column at a time. The format: see encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from psycopg.abc import Buffer

from truetape.adapters.timescale_store.encoding import EPOCH_DAYS, HEADER
from truetape.adapters.timescale_store.names import KINDS, unescape

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def decoded(messages: Sequence[Buffer], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the rows that `messages` hold, with `columns`: one row in each message, as libpq hands them out.

    The header stands before the first row, and the trailer in a message of its own: both are left out.
    """
    rows = [bytes(one[len(HEADER) :]) if bytes(one[: len(HEADER)]) == HEADER else one for one in messages]
    rows = [one for one in rows if len(one) > 2]  # noqa: PLR2004  a trailer is two bytes, and a header alone is none
    if not rows or not columns:
        return pl.DataFrame(schema=dict(columns))
    data = np.frombuffer(b"".join(rows), np.uint8)
    widths = np.fromiter(map(len, rows), np.int64, len(rows))
    at = np.cumsum(widths) - widths + 2
    found = {}
    for name, dtype in columns.items():
        lengths = _gathered(data, at, 4).view(">i4").astype(np.int64).reshape(-1)
        at += 4
        found[name] = _column(data, at, lengths, dtype)
        at += np.maximum(lengths, 0)
    return pl.DataFrame(found)


def _column(data: Bytes, at: Numbers, lengths: Numbers, dtype: pl.DataType) -> pl.Series:
    known = lengths >= 0
    if dtype == pl.String():
        return _texts(data, at, np.maximum(lengths, 0), known)
    width = KINDS[dtype].width
    whole = bool(known.all())
    cells = _gathered(data, at if whole else np.where(known, at, 0), width)
    series = _numbers(cells, dtype)
    return series if whole else pl.select(pl.when(pl.Series(known)).then(series)).to_series()


def _numbers(cells: Bytes, dtype: pl.DataType) -> pl.Series:
    if dtype == pl.Float64():
        return pl.Series(cells.view(">f8").reshape(-1).astype(np.float64))
    if dtype == pl.Boolean():
        return pl.Series(cells.reshape(-1).astype(np.bool_))
    if dtype == pl.Date():
        days = cells.view(">i4").reshape(-1).astype(np.int64) + EPOCH_DAYS
        return pl.Series(days).cast(pl.Int32, strict=False).cast(pl.Date)
    whole = pl.Series(cells.view(">i8").reshape(-1).astype(np.int64))
    return whole.cast(dtype, strict=False)  # strange bytes stand where a null does


def _texts(data: Bytes, at: Numbers, lengths: Numbers, known: Flags) -> pl.Series:
    ends = np.cumsum(lengths)
    places = np.repeat(at - (ends - lengths), lengths)
    places += np.arange(len(places))
    offsets = np.concatenate([[0], ends])
    validity = None if known.all() else pa.array(known).buffers()[1]
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(data[places])]
    array = pa.LargeStringArray.from_buffers(len(lengths), buffers[1], buffers[2], buffers[0])
    texts = pl.from_arrow(array)
    assert isinstance(texts, pl.Series)
    return unescape(texts)


def _gathered(data: Bytes, at: Numbers, width: int) -> Bytes:
    """Return the `width` bytes from each place of `at` on, a row for each."""
    out = np.empty((len(at), width), np.uint8)
    for number in range(width):
        out[:, number] = data[np.minimum(at + number, len(data) - 1)]
    return out
