"""Bars as one Parquet, Arrow IPC or CSV file: every column with its exact type, instrument after instrument."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl

from truetape.app.exports.receipts import Origin
from truetape.app.exports.series import Series
from truetape.services.api.render import written

ROWS_OF_A_GROUP: Final = 1 << 18


class TableSink:
    """One file of rows. Parquet (zstd) and Arrow carry the origin as metadata of their schema."""

    def __init__(self, path: Path, *, form: str, origin: Origin) -> None:
        self.notes: list[str] = []
        self._path = path
        self._form = form
        self._origin = origin
        self._writer: Any = None

    def add(self, series: Series) -> int:
        """Write the bars of a series, whatever is missing in them."""
        rows = series.bars
        identity = pl.lit(series.member.instrument_id).alias("instrument_id")
        frame = rows.select("symbol", identity, pl.exclude("symbol"))
        if self._form == "csv":
            self._write_csv(frame)
        else:
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            table = table.replace_schema_metadata(self._origin.labels())
            self._writer = self._writer or self._opened(table.schema)
            self._writer.write_table(table, ROWS_OF_A_GROUP)
        return len(rows)

    def finish(self) -> None:
        """Write what stands at the end of the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _opened(self, schema: Any) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._form == "parquet":
            return pq.ParquetWriter(self._path, schema, compression="zstd")
        return pa.ipc.new_file(self._path, schema)

    def _write_csv(self, frame: pl.DataFrame) -> None:
        is_first = self._writer is None
        self._writer = self._writer or self._path.open("wb")
        written(frame).write_csv(self._writer, include_header=is_first)
