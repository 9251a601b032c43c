"""What adjusts stored bars, ex-date by ex-date: the part of `truetape factors` that asks the platform."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from truetape.app.cli.terminal import call, checked_suffix, err, out

if TYPE_CHECKING:
    import polars as pl

SUFFIXES: Final = (".parquet", ".csv", ".arrow", ".json")
MOST_ROWS: Final = 40
_FORMS: Final = {"split": ".6g", "dividend": ".6f", "volume_multiplier": ".6g", "price_multiplier": ".6f"}
_HEADS: Final = {"volume_multiplier": "volume x", "price_multiplier": "price x", "ts_known": "known"}


def show(
    symbol: str, *, source: str | Path, as_of: str | None, snapshot: str | None, output: Path | None, as_json: bool
) -> None:
    """Print the factors of stored bars, or write them to a file.

    Args:
        symbol: One or several, separated by commas.
        source: A data folder, or the URL of an API.
        as_of: As known then; None: now.
        snapshot: The name of a state of the store; None: the present one.
        output: A file; None: the terminal.
        as_json: JSON on standard output.
    """
    from truetape.app import library
    from truetape.app.cli.bars_file import write_frames

    if output is not None:
        call(lambda: checked_suffix(output, SUFFIXES), as_json=as_json)
    frame = call(lambda: library.factors(symbol, as_of=as_of, snapshot=snapshot, data=source), as_json=as_json)
    if output is not None:
        call(lambda: write_frames(iter([frame]), output, on_rows=lambda _: None), as_json=as_json)
        err().print(f"{len(frame):,} factors written to {output}.", markup=False, soft_wrap=True)
    elif as_json:
        from truetape.services.api.render import written

        typer.echo(written(frame).write_json())
    else:
        _print(frame)


def _print(frame: pl.DataFrame) -> None:
    from rich.table import Table

    told = f"{len(frame):,} ex-dates. Prices and volumes before one are multiplied, for all later ones too."
    table = Table(header_style="dim", caption=told, caption_justify="left")
    shown = frame.drop("version").tail(MOST_ROWS)
    for name in shown.columns:
        table.add_column(_HEADS.get(name, name), justify="right" if name in _FORMS else "left", no_wrap=True)
    for row in shown.iter_rows(named=True):
        cells = [f"{value:{_FORMS[name]}}" if name in _FORMS else str(value)[:10] for name, value in row.items()]
        table.add_row(*cells)
    out().print(table)
