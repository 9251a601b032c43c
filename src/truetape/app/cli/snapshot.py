"""`truetape snapshot`: give the present state of the data a name, and see what names stand for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, Data, Json, call, err, out, run, write_json

if TYPE_CHECKING:
    import polars as pl

    from truetape.services.api.snapshots import Snapshot

Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, dots, dashes, underscores.")]

snapshot = typer.Typer(
    name="snapshot",
    help="Name the present state of the data for ever: what is read at the name never changes.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@snapshot.command()
def create(
    name: Name,
    *,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="What was known then: a date, or an instant with a zone; else now.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What it is for.")] = "",
    actor: Annotated[str | None, typer.Option("--actor", help="Who names it; else your name on this machine.")] = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Give what the data say now a name. It cannot be given to anything else later."""
    from truetape.app import naming
    from truetape.app.cli.quarantine import this_user
    from truetape.services.api.snapshots import NewSnapshot

    wanted = NewSnapshot(name=name, as_of=as_of, note=note, actor=actor or this_user())
    if url:
        made = call(lambda: naming.name_at(url, wanted), as_json=as_json)
    else:
        file = Path(os.environ.get("TRUETAPE_CONFIG", DEFAULT_PATH))
        made = run(naming.name(data, wanted, file=file), as_json=as_json)
    _give(made, as_json=as_json)


@snapshot.command(name="list")
def list_snapshots(*, data: Data = Path("data"), url: Url = None, as_json: Json = False) -> None:
    """List every snapshot, the newest first."""
    from truetape.app import library
    from truetape.services.api.render import written

    def asked() -> pl.DataFrame:
        with library.open(url or data) as session:
            return session.snapshots()

    rows = call(asked, as_json=as_json)
    if as_json:
        typer.echo(written(rows).write_json())
        return
    if len(rows):
        out().print(_table(written(rows)))
    err().print(f"{len(rows):,} snapshots.", markup=False)


@snapshot.command()
def show(name: Name, *, data: Data = Path("data"), url: Url = None, as_json: Json = False) -> None:
    """Show what a name stands for, and how to read at it."""
    from truetape.app import library

    def asked() -> Snapshot:
        with library.open(url or data) as session:
            return session.snapshot(name)

    _give(call(asked, as_json=as_json), as_json=as_json)


def _give(made: Snapshot, *, as_json: bool) -> None:
    from truetape.services.api.snapshots import narrate_snapshot

    if as_json:
        write_json(made)
    else:
        typer.echo(narrate_snapshot(made), nl=False)


def _table(rows: pl.DataFrame) -> object:
    from rich.table import Table

    table = Table(header_style="dim")
    for title in ("name", "as of", "commit", "by", "note"):
        table.add_column(title, overflow="fold", justify="right" if title == "commit" else "left")
    for row in rows.iter_rows(named=True):
        cells = (row["name"], row["as_of"][:19] + "Z", str(row["store_version"]), row["actor"], row["note"])
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return table
