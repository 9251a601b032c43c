"""`truetape classify`: sectors, industries and your own classes of instruments, as they were on any day."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, FINDINGS, Data, Json, call, err, out, refuse, run, write_json

if TYPE_CHECKING:
    import polars as pl

    from truetape.app.library import Session
    from truetape.services.api.class_endpoints import Classified

HEADERS: Final = {"assigned": "was", "confidence": "sure", "valid_from": "since"}
SHOWN: Final = 20  # rows left out that are named
Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As known then: a date, or an instant with a zone.")]
On = Annotated[str | None, typer.Option(metavar="DATE", help="On this day; else today, or the day of --as-of.")]
Taxonomy = Annotated[str, typer.Argument(help="gics, sic, naics, or a name of your own.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="CSV (also .gz), Parquet or JSON.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who loads it; else your name on this machine.")]

classify = typer.Typer(
    name="classify",
    help="Sectors, industries and classes of your own: load them, and see who was in which on any day.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@classify.command()
def load(
    taxonomy: Taxonomy,
    file: File,
    *,
    revision: Annotated[str, typer.Option(metavar="DATE", help="From which day on this structure is in force.")],
    actor: Actor = None,
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """Load the structure of a taxonomy: code, name, and parent where codes do not tell it.

    Each revision is loaded whole, with its date; loading one again
    replaces it. What it changed since the one before is told.
    """
    about = {"what": "structure", "since": revision}
    _tell(_loaded(data, taxonomy, file, about, actor, as_json=as_json), as_json=as_json)


@classify.command(name="map")
def map_codes(
    taxonomy: Taxonomy,
    file: File,
    *,
    to: Annotated[str, typer.Option(help="The taxonomy that codes lead to; else the same, over revisions.")] = "",
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="From which day on; else since ever.")] = "",
    actor: Actor = None,
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """Load where codes lead: code, to_code, confidence (0 to 1; 0 takes one back).

    Codes that a revision moved are followed; codes of SIC or NAICS lead
    to those of another taxonomy, with the confidence that you give.
    """
    about = {"what": "mappings", "to": to, "since": since}
    _tell(_loaded(data, taxonomy, file, about, actor, as_json=as_json), as_json=as_json)


@classify.command()
def assign(
    taxonomy: Taxonomy,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="CSV (also .gz), Parquet or JSON.")] = None,
    *,
    claims: Annotated[bool, typer.Option("--claims", help="Instead of a file: what registers said of SIC.")] = False,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="For rows without a date; else today.")] = "",
    source: Annotated[str, typer.Option(help="Who says so; the operator's word counts first.")] = "operator",
    actor: Actor = None,
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """Load which instrument is in which class, by code or by the names of its levels.

    Instruments are named by symbol (and mic), instrument_id, isin, cusip,
    figi or cik; classes by code, or sector, industry_group, industry and
    sub_industry, or level_1, level_2 ... Rows that are not certain are
    left out and named, with exit code 1.
    """
    if claims == (file is not None):
        from truetape.domain.errors import BadInput

        fix = "Name a file, or give --claims: one of the two."
        refuse(BadInput(parameter="FILE", value=file, fix=fix), as_json=as_json)
    about = {"what": "claims"} if claims else {"what": "assignments", "since": since, "source": source}
    _tell(_loaded(data, taxonomy, file, about, actor, as_json=as_json), as_json=as_json)


@classify.command()
def show(  # noqa: PLR0913  one parameter for each option
    taxonomy: Taxonomy,
    symbols: Annotated[str | None, typer.Argument(help="Symbols by commas; else all.")] = None,
    *,
    state: Annotated[str | None, typer.Option(help="Only assigned, mapped, derived or unmapped.")] = None,
    source: Annotated[str | None, typer.Option(help="Only as this source says.")] = None,
    on: On = None,
    as_of: AsOf = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show what instruments are in a taxonomy on a day."""
    given = {"symbols": symbols, "state": state, "source": source, "on": on, "as_of": as_of}
    _answer(url or data, lambda one: one.classifications(taxonomy, **given), as_json=as_json)


@classify.command(name="members")
def list_members(
    taxonomy: Taxonomy,
    within: Annotated[str, typer.Argument(metavar="CLASS", help="A code, or a name that only one class has.")],
    *,
    on: On = None,
    as_of: AsOf = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List who was in a class, or in one within it, on a day."""
    given = {"within": within, "on": on, "as_of": as_of}
    _answer(url or data, lambda one: one.classifications(taxonomy, **given), as_json=as_json)


@classify.command()
def tree(
    taxonomy: Annotated[str | None, typer.Argument(help="Which; else the revisions of all.")] = None,
    *,
    on: On = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the classes of a taxonomy on a day, or which taxonomies there are."""
    _answer(url or data, lambda one: one.taxonomy(taxonomy, on=on), as_json=as_json)


@classify.command()
def diff(
    taxonomy: Taxonomy,
    *,
    on: On = None,
    before: Annotated[
        str | None, typer.Option(metavar="DATE", help="Against this day; else the revision before.")
    ] = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show what the revision of a day changed: classes that came, went, were renamed or moved."""
    _answer(url or data, lambda one: one.taxonomy_changes(taxonomy, on=on, before=before), as_json=as_json)


def _loaded(
    data: Path, taxonomy: str, file: str | None, about: dict[str, Any], actor: str | None, *, as_json: bool
) -> Classified:
    from truetape.app.class_files import read_rows
    from truetape.app.classifying import classify as load_classes
    from truetape.app.cli.quarantine import this_user
    from truetape.services.api.class_endpoints import NewClasses

    rows = call(lambda: read_rows(file) if file is not None else (), as_json=as_json)
    wanted = NewClasses(rows=rows, actor=actor or this_user(), **about)
    settings = Path(os.environ.get("TRUETAPE_CONFIG", DEFAULT_PATH))
    return run(load_classes(data, taxonomy, wanted, file=settings), as_json=as_json)


def _tell(done: Classified, *, as_json: bool) -> None:
    if as_json:
        write_json(done)
    else:
        for line in _lines(done):
            err().print(line, markup=False, highlight=False, soft_wrap=True)
    if done.left_out:
        raise typer.Exit(FINDINGS)


def _lines(done: Classified) -> list[str]:
    nouns = {"structure": "classes", "mappings": "mappings", "assignments": "assignments", "claims": "assignments"}
    lines = [f"Loaded {done.rows:,} {nouns[done.what]} of {done.taxonomy}."]
    if done.changes:
        lines.append("Since the revision before: " + ", ".join(f"{n} {what}" for what, n in done.changes.items()) + ".")
    lines += [f"Row {one.row} ({one.names}): {one.why}." for one in done.left[:SHOWN]]
    if done.left_out:
        lines.append(f"{done.left_out:,} rows were left out.")
    if done.unmapped:
        lines.append(
            f"Instruments whose code is in force no more: {done.unmapped:,}. See them with "
            f"truetape classify show {done.taxonomy} --state unmapped."
        )
    return lines


def _answer(where: str | Path, ask: Any, *, as_json: bool) -> None:
    from truetape.app import library
    from truetape.services.api.render import written

    def asked() -> pl.DataFrame:
        session: Session
        with library.open(where) as session:
            frame: pl.DataFrame = ask(session)
            return frame

    rows = call(asked, as_json=as_json)
    if as_json:
        typer.echo(written(rows).write_json())
        return
    if len(rows):
        out().print(_table(rows))
    err().print(f"{len(rows):,} rows.", markup=False, highlight=False)


def _table(rows: pl.DataFrame) -> object:
    """Return `rows` as a table of what a person looks for."""
    import polars as pl
    from rich.table import Table

    table = Table(header_style="dim")
    shown = _shown(rows)
    if "top" in shown:
        rows = rows.with_columns(pl.col("names").str.split(" > ").list.first().alias("top"))
    for name in shown:
        table.add_column(HEADERS.get(name, name), overflow="fold", no_wrap=name in {"symbol", "code", "status"})
    for row in rows.select(shown).iter_rows():
        table.add_row(*("-" if value is None else str(value).replace("[", r"\[") for value in row))
    return table


def _shown(rows: pl.DataFrame) -> list[str]:
    if "symbol" not in rows.columns:
        alone = {name for name in ("taxonomy", "revision") if name in rows.columns and rows[name].n_unique() == 1}
        return [name for name in rows.columns if name not in alone]
    shown = ["symbol", "code", "top", "name", "status", "source", "valid_from"]
    if not rows["code"].equals(rows["assigned"]):
        shown[5:5] = ["assigned", "confidence"]
    return shown
