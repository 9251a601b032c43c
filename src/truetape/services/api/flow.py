"""Frames as bytes that can be sent one after another."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa

from truetape.services.api.render import even, written


class Flow:
    """Write frames of the same columns in one form: arrow (an IPC stream), csv or ndjson."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._begun = False
        self._sink = io.BytesIO()
        self._writer: pa.RecordBatchStreamWriter | None = None

    def write(self, frame: pl.DataFrame) -> bytes:
        """Return the bytes of the next frame, the first with what comes before all rows."""
        begins, self._begun = not self._begun, True
        if self._form == "csv":
            return written(frame).write_csv(include_header=begins).encode()
        if self._form == "ndjson":
            return written(frame).write_ndjson().encode()
        table = even(frame)
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._sink, table.schema)
        self._writer.write_table(table)
        return self._taken()

    def end(self) -> bytes:
        """Return what comes after all rows."""
        if self._writer is not None:
            self._writer.close()
        return self._taken()

    def _taken(self) -> bytes:
        taken = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return taken
