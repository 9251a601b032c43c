"""truetape factors: the table of factors that actions make of bars of a file, or those of stored bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from truetape.app.cli.ask import AsOf, SnapshotName, Url
from truetape.app.cli.kept_factors import show
from truetape.app.cli.terminal import Data, refuse, tell_notes, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

FORMS: Final = ("crsp", "lean")
BASES: Final = ("raw", "split")
LEAN_SUFFIXES: Final = (".csv",)

Symbol = Annotated[
    str | None, typer.Argument(help="Of stored bars: symbol, or several separated by commas.", show_default=False)
]
Bars = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="CSV or Parquet: date, open, high, low, close, volume; or LEAN's daily zip."),
]
Actions = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="CSV or Parquet: ex_date, type, value, price; or LEAN's factor file."),
]


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: ex-dates with an effect, in which form, and where; the rows themselves if no file was named."""

    factors: int
    form: str
    symbols: int
    output: str
    rows: list[dict[str, object]] = []
    notes: tuple[str, ...] = ()


def factors(  # noqa: PLR0913  one parameter for each option
    symbol: Symbol = None,
    *,
    bars: Bars = None,
    actions: Actions = None,
    form: Annotated[
        str, typer.Option("--as", metavar="crsp|lean", help="One row for each ex-date, or LEAN's factor file.")
    ] = "crsp",
    basis: Annotated[
        str, typer.Option(metavar="raw|split", help="What bars and dividends are adjusted for already.")
    ] = "raw",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else it goes to standard output.")
    ] = None,
    as_of: AsOf = None,
    snapshot: SnapshotName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was made as JSON on standard output.")] = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Make the table of factors that `truetape adjust --factors` applies.

    Name --bars and --actions; or a symbol, to see what adjusts stored bars.

    Headers may be those of Yahoo, Stooq, Alpaca and others. Types of actions
    are split, stock_dividend, dividend, special_dividend, capital_gain,
    return_of_capital, spin_off, rights and roll; the last three need a column
    price: the worth of one spun-off share, what a right lets one buy at, or
    the contract before a roll.

    Of each ex-date, share_factor says how many new shares stand for one old,
    and price_factor what earlier prices are multiplied by, cash included;
    facshr, facpr and divamt are CRSP's, whose factors leave the cash out.
    """
    if symbol is not None and bars is None and actions is None:
        show(symbol, source=url or data, as_of=as_of, snapshot=snapshot, output=output, as_json=as_json)
        return
    try:
        bars, actions = _both(symbol, bars, actions)
        done, text = _made(bars, actions, form=form, basis=basis, output=output, as_rows=as_json)
    except BadInput as error:
        refuse(error, as_json=as_json)
    if as_json:
        write_json(done)
        return
    tell_notes(done.notes)
    if output is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{done.factors} ex-dates of {done.symbols} symbols: {done.output}")


def _both(symbol: str | None, bars: str | None, actions: str | None) -> tuple[str, str]:
    if symbol is not None:
        fix = "It means stored bars, and does not go with --bars and --actions: leave one or the other out."
        raise BadInput(parameter="SYMBOL", value=symbol, fix=fix)
    if bars is None or actions is None:
        missing = "--bars" if bars is None else "--actions"
        raise BadInput(parameter=missing, value="", fix="Name --bars and --actions, or a symbol of stored bars.")
    return bars, actions


def _made(bars: str, actions: str, *, form: str, basis: str, output: Path | None, as_rows: bool) -> tuple[Factors, str]:
    from truetape.app import factor_tables, plain_files

    for option, value, known in (("--as", form, FORMS), ("--basis", basis, BASES)):
        if value not in known:
            raise BadInput(parameter=option, value=value, fix=f"Choose one of {', '.join(known)}.")
    if output is not None:
        plain_files.check_output(output, **({"suffixes": LEAN_SUFFIXES} if form == "lean" else {}))
    table = factor_tables.made(bars, actions, basis=basis)
    shown = table.frame if any(table.symbols) else table.frame.drop("symbol")
    text = table.lean() if form == "lean" else shown.write_csv()
    if output is not None and form == "lean":
        plain_files.write_bytes(text.encode(), output)
    elif output is not None:
        plain_files.write_frame(shown, output)
    rows = _rows(shown) if as_rows and output is None else []
    named = str(output) if output is not None else ""
    return Factors(
        factors=len(shown), form=form, symbols=len(table.symbols), output=named, rows=rows, notes=table.notes
    ), text


def _rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    return list(frame.iter_rows(named=True))
