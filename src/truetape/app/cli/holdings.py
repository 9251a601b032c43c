"""truetape holdings: positions of a file through corporate actions, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from truetape.app.cli.terminal import Data, err, out, refuse, write_json
from truetape.domain.errors import BadInput, TruetapeError

if TYPE_CHECKING:
    from datetime import date

    import polars as pl
    from rich.table import Table

    from truetape.app.held_actions import Stored


Positions = Annotated[
    str, typer.Option(metavar="FILE", help="CSV or Parquet: symbol, quantity; kind (shares, cash, owed), due.")
]
Actions = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="CSV or Parquet: symbol, ex_date, type, value; price, currency, new_symbol, pay_date, option. Left out: "
        "the actions that the platform knows, with what was elected.",
    ),
]
Account = Annotated[str, typer.Option(help="Whose elections count, of the platform's actions.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="The platform's actions as known then.")]
Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
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
    left_out: list[str] = []  # of the platform's actions, why


def holdings(  # noqa: PLR0913  one parameter for each option
    *,
    positions: Positions,
    actions: Actions = None,
    fractions: Fractions = "keep",
    prices: Prices = None,
    choose: Choices = None,
    until: Until = None,
    output: Output = None,
    ledger: Ledger = None,
    account: Account = "main",
    as_of: AsOf = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take positions through splits, dividends, spin-offs, rights, mergers and all other corporate actions.

    Each share becomes shares, other shares and cash, so that no value is
    lost. The output is a file of positions again. Cash that is paid after
    the last day stands as owed, with its own.
    """
    try:
        choices = dict(map(_choice, choose or []))
        told = _told(positions, actions, until=until, account=account, as_of=as_of, source=url or data)
        done, held, entries = _done(
            positions, told, fractions=fractions, prices=prices, choices={**told.choices, **choices}, until=until
        )
        _write(held, output)
        _write(entries, ledger)
    except TruetapeError as error:
        refuse(error, as_json=as_json)
    for words in done.left_out:
        err().print(f"Left out: {words}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        write_json(done)
    else:
        console = out()
        if ledger is None:
            console.print(_table(entries, f"{len(entries)} changes by {done.actions} actions"))
        if output is None:
            console.print(_table(held, f"{len(held)} positions"))


def _told(
    positions: str, actions: str | None, *, until: str | None, account: str, as_of: str | None, source: str | Path
) -> Stored:
    """Return the actions of the file `actions`, or else those that the platform knows of what is held."""
    from truetape.app import library
    from truetape.app.held_actions import Stored, stored_actions
    from truetape.app.plain_files import positions as files
    from truetape.app.plain_files import read_sheet
    from truetape.domain.time import parse_day

    last = parse_day(until, parameter="--until") if until else None
    if actions is not None:
        known = files.read_terms(read_sheet(actions))
        return Stored(actions=[one for one in known if last is None or one.ex_date <= last])
    held = files.read_positions(read_sheet(positions)).shares
    with library.open(source) as session:
        return stored_actions(session, held, account=account, until=last, as_of=as_of)


def _done(
    positions: str,
    told: Stored,
    *,
    fractions: str,
    prices: str | None,
    choices: dict[tuple[str, date], str],
    until: str | None,
) -> tuple[Held, pl.DataFrame, pl.DataFrame]:
    from truetape.app.plain_files import positions as files
    from truetape.app.plain_files import read_sheet
    from truetape.domain.holdings import apply_all, fractions_named
    from truetape.domain.time import parse_day

    applied = apply_all(
        files.read_positions(read_sheet(positions)),
        told.actions,
        fractions=fractions_named(fractions),
        prices=files.read_closes(read_sheet(prices)) if prices else {},
        choices=choices,
    )
    after = applied.portfolio if until is None else applied.portfolio.paid(parse_day(until, parameter="--until"))
    held, entries = files.positions_frame(after), files.entries_frame(applied.entries)
    done = Held(
        actions=len({(one.day, one.instrument_id, one.type) for one in applied.entries}),
        positions=held.to_dicts(),
        entries=entries.to_dicts(),
        left_out=told.left_out,
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
