"""Frames as tables for a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl
from rich.table import Table

from truetape.domain.errors import BadInput
from truetape.services.api.render import written

MOST_ROWS: Final = 20
SHOWN: Final = ("symbol", "ts_event", "open", "high", "low", "close", "volume", "currency", "basis", "agreed")


def bars_table(frame: pl.DataFrame) -> Table:
    """Return `frame` as a table: the first and the last ten rows of a long one."""
    columns = [name for name in SHOWN if name in frame.columns]
    table = Table(header_style="dim", caption=f"{len(frame):,} bars", caption_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if frame.schema[name].is_numeric() else "left")
    short = len(frame) <= MOST_ROWS
    head = frame if short else frame.head(MOST_ROWS // 2)
    for row in head.select(columns).iter_rows():
        table.add_row(*map(_text, row))
    if not short:
        table.add_row(*["..."] * len(columns))
        for row in frame.tail(MOST_ROWS // 2).select(columns).iter_rows():
            table.add_row(*map(_text, row))
    return table


def write_bars(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame` to `path` in the format of its suffix; the file is there in full or not at all.

    Raises:
        BadInput: The file cannot be written.
    """
    writers: dict[str, Callable[[Path], object]] = {
        ".parquet": lambda draft: frame.write_parquet(draft, compression="zstd"),
        ".arrow": lambda draft: frame.write_ipc(draft, compat_level=pl.CompatLevel.oldest()),
        ".csv": lambda draft: written(frame).write_csv(draft),
        ".json": lambda draft: draft.write_text(written(frame).write_json(), encoding="utf-8"),
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        writers[path.suffix.lower()](draft)
        draft.replace(path)
    except OSError as error:
        raise BadInput(
            parameter="-o", value=str(path), fix=f"It cannot be written: {error.strerror or error}."
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 1e5 else f"{value:.10g}"  # noqa: PLR2004
    return value.strftime("%Y-%m-%d") if hasattr(value, "strftime") else str(value)
