"""Frames into files: CSV or Parquet by suffix, the whole file or none."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.plain_files.content import unusable
from truetape.app.plain_files.sheet import SUFFIXES
from truetape.domain.errors import BadInput

OPTION: Final = "--output"


def check_output(path: Path, *, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Check, before any work is done, that `path` can name an output.

    Raises:
        BadInput: Its suffix is not among `suffixes`, its folder does not exist, or it is a folder itself.
    """
    if not path.name.lower().endswith(tuple(suffixes)):
        raise BadInput(parameter=OPTION, value=str(path), fix=f"Its name must end in one of {', '.join(suffixes)}.")
    if path.is_dir():
        raise BadInput(parameter=OPTION, value=str(path), fix="It is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise BadInput(parameter=OPTION, value=str(path), fix="Its folder does not exist. Make it, or name another.")


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame` to `path` in the format of its suffix, replacing what is there; missing values are blank or null.

    Raises:
        BadInput: The suffix is unknown, the format cannot hold a column, or the file cannot be written.
    """
    check_output(path)
    try:
        body = _encoded(frame, path.name.lower())
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0][:200]
        raise BadInput(parameter=OPTION, value=str(path), fix=f"Name a .parquet file instead: {reason}.") from None
    write_bytes(body, path)


def write_bytes(body: bytes, path: Path) -> None:
    """Write `body` to `path` at once: a reader sees the old file or the new one, never a part.

    Raises:
        BadInput: The file cannot be written.
    """
    target = path.resolve()
    partial = target.with_name(f".truetape-{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise BadInput(parameter=OPTION, value=str(path), fix=unusable(error)) from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _encoded(frame: pl.DataFrame, name: str) -> bytes:
    if name.endswith(".parquet"):
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()
    body = frame.write_csv().encode()
    return gzip.compress(body, mtime=0) if name.endswith(".gz") else body
