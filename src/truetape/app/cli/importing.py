"""`truetape import`: data that somebody has in another program's folders, brought into a data folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truetape.app.cli.counting import CountedBar
from truetape.app.cli.terminal import FINDINGS, Json, err, run, write_json

if TYPE_CHECKING:
    from truetape.app.lean_import import Imported

imports = typer.Typer(
    name="import",
    help="Bring data from another program's folders into a data folder.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@imports.callback()
def _group() -> None:
    pass


@imports.command("lean")
def lean(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="LEAN's folder Data, or equity/usa in it.")],
    *,
    into: Annotated[
        Path, typer.Option(help="Data folder; it is made if it is not there.", envvar="TRUETAPE_DATA")
    ] = Path("data"),
    symbols: Annotated[str, typer.Option(help="Tickers of any time, or names of map files, by commas.")] = "",
    timeframe: Annotated[str, typer.Option(help="Of 1d, 1h and 1m, by commas; days are always taken.")] = "1d",
    as_json: Json = False,
) -> None:
    """Import US equities from a folder of QuantConnect LEAN's.

    Map files become instruments with dated listings, zips become bars as
    traded, the steps of factor files become splits and dividends. What is
    there already is not read again unless its files have changed; stop it
    when you like: the next run goes on where it was. A file that cannot be
    read stops nothing and is named at the end, with exit code 1.
    """
    from truetape.app.lean_import import Order, import_lean

    order = Order(folder=folder, into=into, symbols=_listed(symbols), timeframes=_listed(timeframe))
    with CountedBar("import", quiet=as_json) as display:
        done = run(import_lean(order, on_progress=display.show), as_json=as_json)
    if as_json:
        write_json(dataclasses.asdict(done))
    else:
        _tell(done, into)
    if done.broken:
        raise typer.Exit(FINDINGS)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _tell(done: Imported, into: Path) -> None:
    summary = (
        f"{done.securities:,} securities with {done.listings:,} listings from {done.start} to {done.end}: "
        f"{done.rounds:,} rounds brought {done.bars:,} new bars, {done.corrected:,} corrected ones, and "
        f"{done.actions:,} splits and dividends into {into}."
    )
    told = [
        summary,
        *(f"Note: {one}." for one in done.notes),
        *(f"Not imported: {name}: {reason.rstrip('.')}." for name, reason in done.broken.items()),
    ]
    for line in told:
        err().print(line, markup=False, highlight=False, soft_wrap=True)
