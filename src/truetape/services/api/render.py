"""Frames as the bytes of an answer."""

from __future__ import annotations

import io
from typing import Final

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from polars import selectors

from truetape.services.api.formats import MEDIA_TYPES

NEXT: Final = "truetape-next"
RECEIPT: Final = "truetape-receipt"
_WORDS: Final = {32: pa.int32(), 64: pa.int64()}  # by the bits of a value
_ISO: Final = "%Y-%m-%dT%H:%M:%S%.fZ"


class FactorsUsed(msgspec.Struct, frozen=True, kw_only=True):
    """The adjustment factors behind an answer: their number, newest version, and when the last of them was known."""

    rows: int
    version: int
    known: str  # ISO 8601


class FxUsed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The exchange rates behind an answer in another currency; each row tells its own."""

    currency: str
    fixings: tuple[str, ...]  # by whose convention
    paths: tuple[str, ...]  # of pairs, such as 1/(EUR/USD) x EUR/GBP
    oldest_days: int | None = None  # from a fixing to the day that used it, at most
    missing: int = 0  # rows without a rate: their prices are null
    known: str | None = None  # when the newest rate that was looked at was known, ISO 8601


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer was made of. The id gives the same bytes again at /v1/receipts/{id}."""

    id: str | None = None  # None where the question is too long for one; then `note` says so
    store_version: int
    as_of: str  # the knowledge time, ISO 8601
    count: int | None = None  # rows
    snapshot: str | None = None
    timeframe: str | None = None
    adjustment: str | None = None
    factors: FactorsUsed | None = None  # None where none were used
    fx: FxUsed | None = None  # None where no currency was asked for
    note: str | None = None


class Rendered(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A whole answer, ready to be sent and to be kept."""

    body: bytes
    media_type: str
    headers: dict[str, str]


def rows_of(frame: pl.DataFrame, *, form: str) -> bytes:
    """Return the rows of `frame` in `form`: json (a list), csv, ndjson, arrow (an IPC stream) or parquet (zstd).

    Equal rows are equal bytes. Instants are written in ISO 8601 with a Z where the form is text.
    """
    if form == "json":
        return written(frame).write_json().encode()
    if form == "csv":
        return written(frame).write_csv().encode()
    if form == "ndjson":
        return written(frame).write_ndjson().encode()
    return _binary(frame.rechunk(), form=form)


def render(rows: bytes, *, name: str, form: str, receipt: Receipt, etag: str, following: str | None = None) -> Rendered:
    """Return the answer of `rows`, which `rows_of` wrote in `form`.

    JSON holds the rows under `name`, beside `next` and `receipt`; in the other forms both stand in headers alone.
    """
    told = msgspec.json.encode(receipt)
    headers = {RECEIPT: told.decode(), "etag": etag, **({NEXT: following} if following and form != "json" else {})}
    body = _json(rows, name=name, receipt=told, following=following) if form == "json" else rows
    return Rendered(body=body, media_type=MEDIA_TYPES[form], headers=headers)


def written(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with instants as text in ISO 8601 with a Z, to the nanosecond where there is one."""
    return frame.with_columns(selectors.datetime().dt.strftime(_ISO))


def _json(rows: bytes, *, name: str, receipt: bytes, following: str | None) -> bytes:
    after = msgspec.json.encode(following)
    return b'{"%s":%s,"next":%s,"receipt":%s}' % (name.encode(), rows, after, receipt)


def _binary(frame: pl.DataFrame, *, form: str) -> bytes:
    sink = io.BytesIO()
    if form == "arrow":
        table = even(frame)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        frame.write_parquet(sink, compression="zstd")
    return sink.getvalue()


def even(frame: pl.DataFrame) -> pa.Table:
    """Return `frame` as an Arrow table of one chunk whose bytes depend on its rows alone, not on how it was made.

    Where there is no value, the bytes beneath are zero.
    """
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    columns = [_even(column.combine_chunks()) if column.null_count else column for column in table.columns]
    return pa.table(columns, schema=table.schema)


def _even(column: pa.Array) -> pa.Array:
    """Return `column`, which has nulls, with zeros beneath them."""
    kind = column.type
    if pa.types.is_large_string(kind):
        filled = pc.fill_null(column, "")
    elif pa.types.is_boolean(kind):
        filled = pc.fill_null(column, False)
    else:
        filled = pc.fill_null(column.view(_WORDS[kind.bit_width]), 0)
    valid = np.packbits(pc.is_valid(column).to_numpy(zero_copy_only=False), bitorder="little")
    return pa.Array.from_buffers(kind, len(column), [pa.py_buffer(valid), *filled.buffers()[1:]], offset=filled.offset)
