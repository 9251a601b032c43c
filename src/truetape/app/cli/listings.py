"""`truetape listings`: what two lists of listings differ in, and what the lists that were kept told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truetape.app.cli.terminal import Data, Json, call, checked_suffix, err, out, run, write_json

if TYPE_CHECKING:
    from truetape.app.listing_files import ListFile
    from truetape.domain.listing_changes import Changes

SUFFIXES: Final = (".csv", ".parquet", ".json")
SHOWN: Final = 10  # events of one kind
MOST_LINES: Final = 50  # of kept events

listings = typer.Typer(
    name="listings",
    help="Compare lists of listings, and say what they told.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@listings.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier list: CSV, JSON or text, plain, gzip or zip.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later list.")],
    *,
    source: Annotated[
        str,
        typer.Option(metavar="NAME", help="sec, nasdaq_trader, alpha_vantage, tiingo or plain; else it is recognized."),
    ] = "",
    most_gone: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="If a larger share is missing, none of it counts as delisted.")
    ] = 0.5,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="Show this kind alone: listing, delisting, rename ...")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the events: " + " ".join(SUFFIXES))
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what was listed, delisted, renamed and transferred between two lists.

    A list that ends early, or lacks too much of what was listed, tells no
    delistings: they are counted, and held back.
    """
    from truetape.domain.errors import BadInput
    from truetape.domain.listing_changes import KINDS

    def work() -> tuple[ListFile, ListFile, Changes]:
        if output is not None:
            checked_suffix(output, SUFFIXES)
        if kind and kind not in KINDS:
            raise BadInput(parameter="--kind", value=kind, fix=f"Choose one of {', '.join(KINDS)}.")
        return _compared(old, new, source=source, most_gone=most_gone)

    before, after, found = call(work, as_json=as_json)
    if output is not None:
        call(lambda: _write(found, output), as_json=as_json)
    if as_json:
        write_json(_told(before, after, found, kind=kind))
    else:
        _show(before, after, found, kind=kind)
        if output is not None:
            err().print(f"{len(found.events):,} events written to {output}.", markup=False, soft_wrap=True)


@listings.command()
def events(
    *,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Of this provider's lists alone.")] = "",
    kind: Annotated[str, typer.Option(metavar="KIND", help="Of one kind alone: listing, delisting, rename ...")] = "",
    symbol: Annotated[str, typer.Option(help="About this ticker, as it is or was.")] = "",
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Known on this day or later.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Those that are held back, and why.")] = False,
    as_json: Json = False,
    data: Data = Path("data"),
) -> None:
    """Say what the lists that were fetched or loaded told of listings.

    The newest come first; lists are fetched as the settings
    [reference.lists] say, or by `truetape reference`.
    """
    from truetape.app.listing_events import Wanted, kept_events
    from truetape.domain.time import parse_day

    day = call(lambda: parse_day(since, parameter="--since") if since else None, as_json=as_json)
    wanted = Wanted(provider=provider, kind=kind, symbol=symbol, since=day, held=held)
    found = run(kept_events(data, wanted), as_json=as_json)
    if as_json:
        write_json(found.to_dicts())
        return
    console = out()
    for row in found.head(MOST_LINES).iter_rows(named=True):
        ticker = f"{row['old_symbol']} > {row['symbol']}" if row["old_symbol"] else row["symbol"]
        why = row["held"] or row["evidence"]
        line = f"{row['ts_known']:%Y-%m-%d} {row['provider']:<13} {row['kind']:<13} {ticker:<15} {why}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    rest = f", the newest {MOST_LINES} of them here; --json tells all" if len(found) > MOST_LINES else ""
    console.print(f"{len(found):,} events{rest}.", highlight=False, soft_wrap=True)


def _compared(old: str, new: str, *, source: str, most_gone: float) -> tuple[ListFile, ListFile, Changes]:
    from truetape.app.listing_files import read_list, snapshots
    from truetape.domain.listing_changes import changes

    before, after = read_list(old, source=source), read_list(new, source=source)
    return before, after, changes(*snapshots(before, after), most_gone=most_gone)


def _told(before: ListFile, after: ListFile, found: Changes, *, kind: str) -> dict[str, Any]:
    events = found.events.filter(kind=kind) if kind else found.events
    return {
        "old": _list(before),
        "new": _list(after),
        "counts": found.counts,
        "held_back": [{"reason": one.reason, "events": one.events, "words": one.words} for one in found.findings],
        "events": events.to_dicts(),
    }


def _list(one: ListFile) -> dict[str, Any]:
    return {"file": one.name, "source": one.source, "rows": len(one.frame), "whole": one.whole}


def _write(found: Changes, output: Path) -> None:
    from truetape.app import plain_files

    if output.suffix.lower() == ".json":
        plain_files.write_bytes(found.events.write_json().encode(), output)
    else:
        plain_files.write_frame(found.events, output)


def _show(before: ListFile, after: ListFile, found: Changes, *, kind: str) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    console = out()
    for what, one in (("old", before), ("new", after)):
        whole = "" if one.whole else ", which does not say that it is whole"
        told = f"{what}: {len(one.frame):,} rows of {one.source} in {one.name}{whole}"
        console.print(told, markup=False, highlight=False, soft_wrap=True)
    for name, number in found.counts.items():
        if kind not in ("", name):
            continue
        rows = found.events.filter(kind=name).sort("confidence", "symbol", descending=[True, False])
        title = f"{name.replace('_', ' ')}: {number:,}"
        table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
        for heading in ("symbol", "name", "sure", "why"):
            table.add_column(heading, no_wrap=heading == "symbol")
        for row in rows.head(SHOWN).iter_rows(named=True):
            symbol = f"{row['old_symbol']} > {row['symbol']}" if row["old_symbol"] else row["symbol"]
            table.add_row(symbol, row["name"] or "", f"{row['confidence']:.2f}", row["evidence"])
        if number > SHOWN:
            table.add_row("...", f"{number - SHOWN:,} more: --json or -o FILE tells all", "", "")
        console.print(table)
    if not found.counts:
        console.print("Nothing changed.")
    for held in found.findings:
        words = f"Held back {held.events:,} events ({held.reason.replace('_', ' ')}): {held.words}."
        console.print(words, markup=False, highlight=False, soft_wrap=True, style="bold")
