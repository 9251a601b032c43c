"""truetape holdings: positions of a file through corporate actions, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from truetape.app.cli.terminal import out, refuse, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table


Positions = Annotated[
    str, typer.Option(metavar="FILE", help="CSV or Parquet: symbol, quantity; kind (shares, cash, owed), due.")
]
Actions = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="CSV or Parquet: symbol, ex_date, type, value; price, currency, new_symbol, pay_date, option.",
    ),
]
Fractions = Annotated[str, typer.Option(metavar="keep|cash|down|up", help="What becomes of a fraction of a share.")]
Prices = Annotated[str | None, typer.Option(metavar="FILE", help="symbol, date, close: what fractions are paid at.")]
Choices = Annotated[
    list[str] | None, typer.Option(metavar="SYMBOL:DATE=OPTION", help="What is chosen where there is a choice.")
]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="The day to stop at; else the last ex-date.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the positions: CSV or Parquet.")
]
Ledger = Annotated[Path | None, typer.Option(metavar="FILE", help="Write every change of a position: CSV or Parquet.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write both as JSON to standard output.")]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is held after the actions, and every change that led to it."""

    actions: int
    positions: list[dict[str, Any]]
    entries: list[dict[str, Any]]


def holdings(  # noqa: PLR0913  one parameter for each option
    *,
    positions: Positions,
    actions: Actions,
    fractions: Fractions = "keep",
    prices: Prices = None,
    choose: Choices = None,
    until: Until = None,
    output: Output = None,
    ledger: Ledger = None,
    as_json: AsJson = False,
) -> None:
    """Take positions through splits, dividends, spin-offs, rights, mergers and all other corporate actions.

    Each share becomes shares, other shares and cash, so that no value is
    lost. The output is a file of positions again. Cash that is paid after
    the last day stands as owed, with its own.
    """
    try:
        done, held, entries = _done(
            positions, actions, fractions=fractions, prices=prices, choose=choose or [], until=until
        )
        _write(held, output)
        _write(entries, ledger)
    except BadInput as error:
        refuse(error, as_json=as_json)
    if as_json:
        write_json(done)
    else:
        console = out()
        if ledger is None:
            console.print(_table(entries, f"{len(entries)} changes by {done.actions} actions"))
        if output is None:
            console.print(_table(held, f"{len(held)} positions"))


def _done(
    positions: str, actions: str, *, fractions: str, prices: str | None, choose: list[str], until: str | None
) -> tuple[Held, pl.DataFrame, pl.DataFrame]:
    from truetape.app.plain_files import positions as files
    from truetape.app.plain_files import read_sheet
    from truetape.domain.holdings import apply_all, fractions_named
    from truetape.domain.time import parse_day

    last = parse_day(until, parameter="--until") if until else None
    known = files.read_terms(read_sheet(actions))
    wanted = [one for one in known if last is None or one.ex_date <= last]
    applied = apply_all(
        files.read_positions(read_sheet(positions)),
        wanted,
        fractions=fractions_named(fractions),
        prices=files.read_closes(read_sheet(prices)) if prices else {},
        choices=dict(map(_choice, choose)),
    )
    after = applied.portfolio if last is None else applied.portfolio.paid(last)
    held, entries = files.positions_frame(after), files.entries_frame(applied.entries)
    done = Held(
        actions=len({(one.day, one.instrument_id, one.type) for one in applied.entries}),
        positions=held.to_dicts(),
        entries=entries.to_dicts(),
    )
    return done, held, entries


def _choice(text: str) -> tuple[tuple[str, Any], str]:
    from truetape.domain.time import parse_day

    where, _, option = text.partition("=")
    symbol, _, day = where.rpartition(":")
    if not symbol or not option:
        raise BadInput(parameter="--choose", value=text, fix="Write it as SYMBOL:DATE=OPTION.")
    return (symbol, parse_day(day, parameter="--choose")), option


def _write(frame: pl.DataFrame, path: Path | None) -> None:
    from truetape.app import plain_files

    if path is not None:
        plain_files.write_frame(frame, path)


def _table(frame: pl.DataFrame, caption: str) -> Table:
    from rich.table import Table

    table = Table(header_style="dim", caption=caption, caption_justify="left")
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", no_wrap=True)
    for row in frame.iter_rows():
        table.add_row(
            *("" if value is None else f"{value:,.9g}" if isinstance(value, float) else str(value) for value in row)
        )
    return table
