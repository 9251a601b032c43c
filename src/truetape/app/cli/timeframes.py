"""`truetape timeframes`: what there is of each timeframe of an instrument, and where it comes from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truetape.app.cli.ask import Url
from truetape.app.cli.terminal import FINDINGS, Data, Json, call, out, write_json

if TYPE_CHECKING:
    from truetape.app.timeframes_report import Held


def timeframes(
    symbol: Annotated[str, typer.Argument(help="Symbol, or the id of an instrument.")],
    *,
    start: Annotated[str | None, typer.Option(help="First session date, inclusive.")] = None,
    end: Annotated[str | None, typer.Option(help="Last session date, inclusive.")] = None,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Show which timeframes were acquired and which are made of finer ones.

    Acquired bars are compared with those that finer acquired bars make up;
    where a price differs, the exit code is 1.
    """
    held = call(lambda: _held(symbol, url or data, start=start, end=end), as_json=as_json)
    if as_json:
        write_json([dataclasses.asdict(one) for one in held])
    else:
        _tell(held)
    if any(one.different for one in held):
        raise typer.Exit(FINDINGS)


def _held(symbol: str, data: str | Path, *, start: str | None, end: str | None) -> list[Held]:
    from truetape.app import library
    from truetape.app.timeframes_report import timeframes_of

    with library.open(data) as session:
        return timeframes_of(session, symbol, start=start, end=end)


def _tell(held: list[Held]) -> None:
    from rich.table import Table

    table = Table(header_style="dim")
    for name in ("timeframe", "bars", "first", "last", "source", "differ"):
        table.add_column(name, justify="right" if name in {"bars", "differ"} else "left", no_wrap=True)
    for one in held:
        source = one.derived_from or ("acquired" if one.bars else "-")
        differ = f"{one.different:,} of {one.compared:,} with {one.compared_with}" if one.compared_with else "-"
        days = (label.partition("T")[0] or "-" for label in (one.first, one.last))
        table.add_row(one.timeframe, f"{one.bars:,}", *days, source, differ)
    out().print(table)
