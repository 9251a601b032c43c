"""`truetape export`: bars, trades and quotes for another program, as a file or a folder that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.ask import Adjust, Adjusted, Anchor, AsOf, Url
from truetape.app.cli.counting import CountedBar
from truetape.app.cli.terminal import Data, Json, call, err, out, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from truetape.app.exports import Exported, Order

MOST_SHOWN: Final = 20  # instruments in the table
_KIB: Final = 1024

Symbols = Annotated[list[str] | None, typer.Argument(help="Symbols, or ids of instruments.", show_default=False)]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="PATH", help="File, or a new folder.")]
Kind = Annotated[str, typer.Option(help="bars, trades or quotes.")]
Provider = Annotated[str | None, typer.Option(help="Who told the trades or quotes; else anybody.")]
Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="parquet, arrow, csv or dbn, one file; lean, nautilus or zipline, a folder. Else the suffix tells.",
    ),
]


def export(  # noqa: PLR0913  one parameter for each option
    symbols: Symbols = None,
    *,
    output: Output,
    form: Form = None,
    kind: Kind = "bars",
    provider: Provider = None,
    every: Annotated[bool, typer.Option("--all", help="Every instrument that is listed.")] = False,
    start: Annotated[str | None, typer.Option(help="First session date, inclusive; of trades an instant.")] = None,
    end: Annotated[str | None, typer.Option(help="Last session date, inclusive; of trades an instant.")] = None,
    timeframe: Annotated[str, typer.Option(help="1m to 1mo, as far as the format has it.")] = "1d",
    adjustment: Adjust = Adjusted.RAW,
    anchor: Anchor = None,
    as_of: AsOf = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at PATH.")] = False,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Write bars or trades for another program: a file, or a folder of an engine's.

    One instrument is read and written at a time, all as known at one moment.
    What is written is there in full or not at all. LEAN and zipline get prices
    as traded, with the splits and dividends that they adjust by.
    """
    from truetape.app import exports

    order = call(
        lambda: exports.Order(
            symbols=_named(symbols or [], every=every),
            form=form or exports.form_of(output),
            output=output,
            kind=kind,
            provider=provider,
            start=start,
            end=end,
            timeframe=timeframe,
            adjustment=adjustment.value,
            anchor=anchor,
            as_of=as_of,
            force=force,
        ),
        as_json=as_json,
    )
    tell = write_json if as_json else _tell
    tell(call(lambda: _done(order, url or data, quiet=as_json), as_json=as_json))


def _named(symbols: list[str], *, every: bool) -> tuple[str, ...]:
    if bool(symbols) == every:
        raise BadInput(parameter="SYMBOLS", value=" ".join(symbols), fix="Name symbols, or say --all.")
    return tuple(part for one in symbols for part in one.split(",") if part)


def _done(order: Order, data: str | Path, *, quiet: bool) -> Exported:
    from truetape.app import exports, library

    with library.open(data) as session, CountedBar("export", quiet=quiet) as display:
        return exports.export(session, order, on_progress=display.show)


def _tell(done: Exported) -> None:
    from rich.table import Table

    size = f"{done.bytes:,} bytes" if done.bytes < _KIB * _KIB else f"{done.bytes / _KIB / _KIB:,.1f} MiB"
    what = (done.origin.timeframe, done.origin.basis, f"as known at {done.origin.as_of}")
    basis = ", ".join(one for one in what if one)
    table = Table(
        header_style="dim",
        caption=f"{done.rows:,} {done.origin.kind} ({basis}) in {done.files:,} files, {size}: {done.output}",
        caption_justify="left",
    )
    for name in ("symbol", "instrument", done.origin.kind, "first", "last"):
        table.add_column(name, justify="right" if name == done.origin.kind else "left", no_wrap=True)
    for one in done.instruments[:MOST_SHOWN]:
        table.add_row(one.symbol, one.instrument_id, f"{one.rows:,}", one.first or "-", one.last or "-")
    if len(done.instruments) > MOST_SHOWN:
        table.add_row(f"and {len(done.instruments) - MOST_SHOWN:,} more", *[""] * 4)
    out().print(table)
    for note in done.notes:
        err().print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
