"""Frames as bytes: how a frame travels inside a message."""

from __future__ import annotations

import io

import polars as pl


def pack(frame: pl.DataFrame) -> bytes:
    """Return `frame` as an uncompressed Arrow IPC stream."""
    sink = io.BytesIO()
    frame.write_ipc_stream(sink, compat_level=pl.CompatLevel.oldest())
    return sink.getvalue()


def unpack(data: bytes) -> pl.DataFrame:
    """Return the frame that `pack` wrote."""
    return pl.read_ipc_stream(io.BytesIO(data))
