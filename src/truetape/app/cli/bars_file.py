"""Bars into a file as they come: the file is there in full or not at all, and memory does not grow with it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from truetape.domain.errors import BadInput
from truetape.services.api.flow import Flow
from truetape.services.api.render import even, written

Write = Callable[[pl.DataFrame], object]
_JSON: Final = (b"[", b",", b"]")


def write_frames(frames: Iterable[pl.DataFrame], path: Path, *, on_rows: Callable[[int], object]) -> int:
    """Write `frames`, at least one, to `path` in the format of its suffix, and return the number of rows.

    Args:
        frames: Of the same columns.
        path: Ends with .parquet, .arrow, .csv or .json.
        on_rows: Is told how many rows are written so far.

    Raises:
        BadInput: The file cannot be written.
    """
    rows = 0
    with _drafted(path) as file, _WRITERS[path.suffix.lower()](file) as write:
        for frame in frames:
            write(frame)
            rows += len(frame)
            on_rows(rows)
    return rows


def write_bytes(body: bytes, path: Path) -> None:
    """Write `body` to `path`.

    Raises:
        BadInput: The file cannot be written.
    """
    with _drafted(path) as file:
        file.write(body)


@contextlib.contextmanager
def _drafted(path: Path) -> Iterator[IO[bytes]]:
    """Give a file beside `path` that takes its place at the end of the block, if all went well."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        fix = f"It cannot be written: {error.strerror or error}."
        raise BadInput(parameter="-o", value=str(path), fix=fix) from None
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _parquet(file: IO[bytes]) -> Iterator[Write]:
    with contextlib.ExitStack() as opened:
        made: list[pq.ParquetWriter] = []

        def write(frame: pl.DataFrame) -> None:
            table = even(frame)
            if not made:
                made.append(opened.enter_context(pq.ParquetWriter(file, table.schema, compression="zstd")))
            made[0].write_table(table)

        yield write


@contextlib.contextmanager
def _arrow(file: IO[bytes]) -> Iterator[Write]:
    with contextlib.ExitStack() as opened:
        made: list[pa.RecordBatchFileWriter] = []

        def write(frame: pl.DataFrame) -> None:
            table = even(frame)
            if not made:
                made.append(opened.enter_context(pa.ipc.new_file(file, table.schema)))
            made[0].write_table(table)

        yield write


@contextlib.contextmanager
def _csv(file: IO[bytes]) -> Iterator[Write]:
    flow = Flow("csv")
    yield lambda frame: file.write(flow.write(frame))


@contextlib.contextmanager
def _json(file: IO[bytes]) -> Iterator[Write]:
    begin, between, end = _JSON
    file.write(begin)
    is_first = True

    def write(frame: pl.DataFrame) -> None:
        nonlocal is_first
        if len(frame):
            file.write(b"" if is_first else between)
            file.write(written(frame).write_json().encode()[len(begin) : -len(end)])
            is_first = False

    yield write
    file.write(end)


_WRITERS: Final = {".parquet": _parquet, ".arrow": _arrow, ".csv": _csv, ".json": _json}
