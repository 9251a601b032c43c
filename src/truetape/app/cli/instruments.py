"""`truetape instruments`: find instruments, see all that is known of one, and merge records of one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, Data, Json, call, err, out, run, write_json

if TYPE_CHECKING:
    import polars as pl

    from truetape.services.api.master import InstrumentCase
    from truetape.services.api.merging import Wish

Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="As known then: a date, or an instant with a zone; else now.")
]
Actor = Annotated[str | None, typer.Option("--actor", help="Who found it; else your name on this machine.")]
Record = Annotated[str, typer.Argument(metavar="RECORD", help="The id of the record that is another's.")]
MOST_QUESTIONS: Final = 1000

instruments = typer.Typer(
    name="instruments",
    help="Find instruments, see all that is known of one, and merge records of one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@instruments.command()
def search(
    words: Annotated[list[str], typer.Argument(help="A ticker, an identifier, or words of a name.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most to show.")] = 20,
    as_of: AsOf = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Find instruments by ticker, identifier or name, the likeliest first."""
    from truetape.app import library
    from truetape.services.api.render import written

    def asked() -> pl.DataFrame:
        with library.open(url or data) as session:
            return session.search(" ".join(words), limit=limit, as_of=as_of)

    rows = call(asked, as_json=as_json)
    if as_json:
        typer.echo(written(rows).write_json())
        return
    if len(rows):
        out().print(_found(rows))
    else:
        err().print("Nothing is found. Write a ticker, an identifier, or words of a name.", markup=False)


@instruments.command()
def show(
    one: Annotated[str, typer.Argument(metavar="INSTRUMENT", help="An instrument's id, or a ticker.")],
    *,
    as_of: AsOf = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of an instrument: tickers with dates, names, identifiers, merges, open questions."""
    from truetape.app import library
    from truetape.services.api.master import narrate_instrument

    def asked() -> InstrumentCase:
        with library.open(url or data) as session:
            return session.instrument(one, as_of=as_of)

    case = call(asked, as_json=as_json)
    if as_json:
        write_json(case)
    else:
        typer.echo(narrate_instrument(case), nl=False)


@instruments.command()
def merge(
    record: Record,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The id of the record that stands for it then.")],
    *,
    why: Annotated[str, typer.Option("--why", help="Why they are one instrument; it stands in the audit for ever.")],
    evidence: Annotated[str, typer.Option("--evidence", help="Beside what they have in common.")] = "",
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Let one record stand for another from now on. Nothing is deleted, and it can be taken back."""
    from truetape.app.cli.quarantine import this_user
    from truetape.services.api.merging import Wish

    wish = Wish(instrument_id=record, into=into, why=why, evidence=evidence, actor=actor or this_user())
    _merge(wish, data=data, url=url, as_json=as_json)


@instruments.command()
def unmerge(
    record: Record,
    *,
    why: Annotated[str, typer.Option("--why", help="Why they are two; it stands in the audit for ever.")],
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take a merge back: the record stands for itself again from now on."""
    from truetape.app.cli.quarantine import this_user
    from truetape.services.api.merging import Wish

    wish = Wish(instrument_id=record, into="", why=why, actor=actor or this_user())
    _merge(wish, data=data, url=url, as_json=as_json)


@instruments.command()
def questions(
    *,
    kind: Annotated[str | None, typer.Option(help="Only of this kind, such as maybe_renamed.")] = None,
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """List what the rules could not decide about listings, the newest first."""
    from truetape.services.api.render import written

    rows = run(_questions(data, kind), as_json=as_json)
    if as_json:
        typer.echo(written(rows).write_json())
        return
    console = out()
    for row in rows.head(MOST_QUESTIONS).iter_rows(named=True):
        known = f"{row['ts_known']:%Y-%m-%d}"
        meant = f" [{row['instruments']}]" if row["instruments"] else ""
        console.print(f"{known} {row['kind']}: {row['words']}{meant}", markup=False, highlight=False, soft_wrap=True)
    err().print(f"{len(rows):,} questions.", markup=False)


def _merge(wish: Wish, *, data: Path, url: str | None, as_json: bool) -> None:
    from truetape.app import merging
    from truetape.services.api.merging import sound_wish

    if url:
        made = call(lambda: merging.merge_at(url, sound_wish(wish)), as_json=as_json)
    else:
        file = Path(os.environ.get("TRUETAPE_CONFIG", DEFAULT_PATH))
        made = run(merging.merge(data, wish, file=file), as_json=as_json)
    if as_json:
        write_json(made)
        return
    words = f"{made.into} stands for {made.instrument_id} from {made.decided} on" if made.stands else (
        f"{made.instrument_id} stands for itself again from {made.decided} on; it was merged into {made.into}"
    )  # fmt: skip
    evidence = f" Evidence: {made.evidence}." if made.evidence else ""
    out().print(f"{words}.{evidence}", markup=False, highlight=False, soft_wrap=True)


async def _questions(data: Path, kind: str | None) -> pl.DataFrame:
    from truetape.app.reading import opened
    from truetape.ports.store import Selection

    async with opened(data) as store:
        rows = await store.read("master_questions", Selection(equal={"kind": (kind,)} if kind else {}))
    return rows.sort("ts_known", "question_id", descending=[True, False])


def _found(rows: pl.DataFrame) -> object:
    from rich.box import SIMPLE
    from rich.table import Table

    columns = {
        "ticker": rows["symbol"],
        "on": rows["mic"],
        "name": rows["name"],
        "kind": rows["asset_class"],
        "until": [
            "" if listed else str(until or "never listed") for listed, until in rows["listed", "valid_to"].rows()
        ],
        "instrument": rows["instrument_id"],
        "found by": rows["matched"],
    }
    if rows["listed"].all():
        del columns["until"]
    table = Table(header_style="dim", box=SIMPLE, padding=(0, 1, 0, 0))
    for title in columns:
        table.add_column(title, overflow="fold", no_wrap=title in {"ticker", "on", "kind", "instrument"})
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*((cell or "").replace("[", r"\[") for cell in cells))
    return table
