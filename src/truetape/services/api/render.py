"""Frames as the bytes of an answer."""

from __future__ import annotations

import io
from typing import Final

import msgspec
import polars as pl
from polars import selectors

from truetape.services.api.formats import MEDIA_TYPES

NEXT: Final = "truetape-next"
RECEIPT: Final = "truetape-receipt"
_ISO: Final = "%Y-%m-%dT%H:%M:%S%.fZ"


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer was made of. The same question with this `as_of` gives the same rows again."""

    store_version: int
    as_of: str  # the knowledge time, ISO 8601
    count: int
    timeframe: str | None = None
    adjustment: str | None = None


class Rendered(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A whole answer, ready to be sent and to be kept."""

    body: bytes
    media_type: str
    headers: dict[str, str]


def render(frame: pl.DataFrame, *, name: str, form: str, receipt: Receipt, following: str | None = None) -> Rendered:
    """Return `frame` in `form`: json, csv, arrow (an IPC stream) or parquet (zstd).

    JSON holds the rows under `name`, beside `next` and `receipt`; the other forms carry both in headers. Instants are
    written in ISO 8601 with a Z where the form is text.
    """
    told = msgspec.json.encode(receipt)
    headers = {} if form == "json" else {RECEIPT: told.decode(), **({NEXT: following} if following else {})}
    if form == "json":
        body = _json(frame, name=name, receipt=told, following=following)
    elif form == "csv":
        body = written(frame).write_csv().encode()
    else:
        body = _binary(frame, form=form)
    return Rendered(body=body, media_type=MEDIA_TYPES[form], headers=headers)


def written(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with instants as text in ISO 8601 with a Z, to the nanosecond where there is one."""
    return frame.with_columns(selectors.datetime().dt.strftime(_ISO))


def _json(frame: pl.DataFrame, *, name: str, receipt: bytes, following: str | None) -> bytes:
    rows = written(frame).write_json().encode()
    after = msgspec.json.encode(following)
    return b'{"%s":%s,"next":%s,"receipt":%s}' % (name.encode(), rows, after, receipt)


def _binary(frame: pl.DataFrame, *, form: str) -> bytes:
    sink = io.BytesIO()
    if form == "arrow":
        frame.write_ipc_stream(sink, compat_level=pl.CompatLevel.oldest())
    else:
        frame.write_parquet(sink, compression="zstd")
    return sink.getvalue()
