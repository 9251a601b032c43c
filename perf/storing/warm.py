"""The room that segments take when they are compressed, as they are where they are seldom read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

BATCH = 65_536  # rows that are compressed together


def warm_bytes(folder: Path) -> int:
    """Return the bytes of all Arrow files below `folder`, each compressed with zstd."""
    return sum(_compressed(path) for path in folder.rglob("*.arrow"))


def _compressed(path: Path) -> int:
    sink = pa.MockOutputStream()
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
        options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=9))
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=BATCH)
    return int(sink.size())
