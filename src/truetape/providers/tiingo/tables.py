"""Tiingo's tables, read: comma separated values, alone or in a ZIP archive."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final

import polars as pl

from truetape.domain.decoding import Payload

ZIP: Final = b"PK"
HEADS: Final = (b"date,", b"ticker,", ZIP)
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_table(body: bytes) -> bool:
    """Return whether `body` begins as a table does, and not as JSON or a sentence."""
    return body.startswith(HEADS)


def table(payload: Payload, *, needed: tuple[str, ...]) -> pl.DataFrame:
    """Return the body as a frame of texts; empty cells are null.

    Raises:
        UndecodablePayload: The body is too large, no archive of one table, no table, or lacks a column of `needed`.
    """
    payload.bounded()
    body = _unpacked(payload) if payload.body.startswith(ZIP) else payload.body
    try:
        frame = pl.read_csv(body, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeError) as error:
        raise payload.defect(f"it was no table: {str(error)[:200]}") from None
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise payload.defect(f"the field {missing[0]} was missing")
    return frame


def _unpacked(payload: Payload) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(payload.body)) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].compress_type not in METHODS:
                raise payload.defect(f"the archive had {len(members)} members, expected one table")
            with archive.open(members[0]) as member:
                body = member.read(payload.limit + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError, UnicodeError) as error:
        raise payload.defect(f"it was no readable archive: {str(error)[:200]}") from None
    if len(body) > payload.limit:
        raise payload.defect(f"the table in the archive had more than {payload.limit} bytes")
    return body
