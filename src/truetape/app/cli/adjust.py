"""truetape adjust: bars of a file by actions or a table of factors, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import msgspec
import typer

from truetape.app.cli.terminal import refuse, tell_notes, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from truetape.domain.adjust import Adjustment
    from truetape.domain.scaling import Mode

ADJUSTMENTS: Final = ("split", "all")
BASES: Final = ("raw", "split")
Bars = Annotated[
    str,
    typer.Option(metavar="FILE", help="CSV or Parquet: date, open, high, low, close, volume; or LEAN's daily zip."),
]


class Done(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an adjustment did: rows written, ex-dates that had an effect, first and last date."""

    rows: int
    factors: int
    first: str
    last: str
    output: str
    notes: list[str] = []


def adjust(  # noqa: PLR0913  one parameter for each option
    *,
    bars: Bars,
    actions: Annotated[
        str | None, typer.Option(metavar="FILE", help="CSV or Parquet: ex_date, type, value, price.")
    ] = None,
    adjustment: Annotated[
        str | None, typer.Option(help="With --actions: split, all and others, see above; LEAN's names too.")
    ] = None,
    factors: Annotated[
        str | None, typer.Option(metavar="FILE", help="A table of truetape factors, or LEAN's factor file.")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="With --factors: the same names.")] = None,
    anchor: Annotated[str | None, typer.Option(metavar="DATE", help="The day whose prices stay as traded.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="CSV or Parquet, by its suffix.")],
    basis: Annotated[
        str, typer.Option(metavar="raw|split", help="What bars and dividends are adjusted for already.")
    ] = "raw",
    as_json: Annotated[bool, typer.Option("--json", help="Say what was done as JSON on standard output.")] = False,
) -> None:
    """Adjust bars for splits and dividends.

    Name --actions with --adjustment, or --factors with --mode. Headers may
    be those of Yahoo, Stooq, Alpaca and others. The value of a split is the
    number of new shares for one old (4 or 4:1), that of a dividend the cash
    per share as paid then; columns Dividends and Stock Splits beside dates
    will do too. With --basis split, bars and dividends are split-adjusted
    already, as Yahoo's are.

    Names: raw, as traded; split, for splits alone; all or total_return, for
    splits and all that was handed out (Yahoo's adjusted close, LEAN's
    Adjusted);
    forward_split and forward_total_return, with the first bar as traded;
    scaled_raw, with the last; lean_total_return, for splits, and cash added
    (LEAN's TotalReturn); difference and forward_difference, cash taken off
    as money, not as a share of the price (Panama).
    """
    try:
        if factors is not None or mode is not None:
            _refuse_both(actions, adjustment, basis)
            done = _scaled(bars, factors, mode=mode, anchor=anchor, output=output)
        elif anchor is not None or adjustment not in (None, *ADJUSTMENTS):
            done = _by_actions(bars, actions, mode=adjustment or "", anchor=anchor, basis=basis, output=output)
        else:
            done = _adjusted(bars, actions, adjustment=adjustment, basis=basis, output=output)
    except BadInput as error:
        refuse(error, as_json=as_json)
    if as_json:
        write_json(done)
    else:
        tell_notes(done.notes)
        typer.echo(
            f"Adjusted {done.rows} bars from {done.first} to {done.last} by {done.factors} ex-dates: {done.output}"
        )


def _adjusted(bars: str, actions: str | None, *, adjustment: str | None, basis: str, output: Path) -> Done:
    from truetape.app import plain_files

    if actions is None:
        raise BadInput(parameter="--actions", value="", fix="Name a file of actions, or one of factors with --factors.")
    _refuse_others("--adjustment", adjustment or "", ADJUSTMENTS)
    _refuse_others("--basis", basis, BASES)
    plain_files.check_output(output)
    sheet = plain_files.read_bar_sheet(bars)
    chosen = cast("Adjustment", adjustment)
    result = plain_files.adjusted(sheet, plain_files.read_sheet(actions), adjustment=chosen, basis=basis)
    plain_files.write_frame(result.frame, output)
    notes = plain_files.doubtful_basis(sheet, basis)
    return _done(result.frame, result.factors, str(result.first), str(result.last), output, notes)


def _by_actions(bars: str, actions: str | None, *, mode: str, anchor: str | None, basis: str, output: Path) -> Done:
    """Adjust in a way that needs a table of factors: it is made of the actions first."""
    from truetape.app import factor_tables, plain_files

    if actions is None:
        raise BadInput(parameter="--actions", value="", fix="Name a file of actions, or one of factors with --factors.")
    chosen = factor_tables.known_mode(mode, parameter="--adjustment")
    if chosen == "raw":
        raise BadInput(parameter="--adjustment", value=mode, fix="The bars are as traded: there is nothing to do.")
    if basis != "raw":
        fix = f"Bars that are adjusted already can be brought to {' or '.join(ADJUSTMENTS)} alone, without an anchor."
        raise BadInput(parameter="--basis", value=basis, fix=fix)
    day = _anchored(chosen, anchor)
    plain_files.check_output(output)
    table = factor_tables.made(bars, actions, basis=basis)
    sheet = plain_files.read_bar_sheet(bars)
    result = factor_tables.scaled(sheet, table.factors(), file=actions, mode=chosen, anchor=day)
    plain_files.write_frame(result.frame, output)
    return _done(result.frame, result.factors, str(result.first), str(result.last), output, list(table.notes))


def _anchored(mode: Mode, anchor: str | None) -> date | None:
    from truetape.domain.adjustments import check_anchor
    from truetape.domain.time import parse_day

    day = parse_day(anchor, parameter="--anchor") if anchor else None
    check_anchor(mode, day, parameter="--anchor")
    return day


def _scaled(bars: str, factors: str | None, *, mode: str | None, anchor: str | None, output: Path) -> Done:
    from truetape.app import factor_tables, plain_files

    if factors is None:
        fix = "Name a table of factors; truetape factors makes one of bars and actions."
        raise BadInput(parameter="--factors", value="", fix=fix)
    chosen = factor_tables.known_mode(mode or "")
    day = _anchored(chosen, anchor)
    plain_files.check_output(output)
    table = factor_tables.read_factors(factors)
    sheet = plain_files.read_bar_sheet(bars)
    result = factor_tables.scaled(sheet, table, file=factors, mode=chosen, anchor=day)
    plain_files.write_frame(result.frame, output)
    notes = plain_files.doubtful_basis(sheet, "raw")
    return _done(result.frame, result.factors, str(result.first), str(result.last), output, notes)


def _done(frame: pl.DataFrame, factors: int, first: str, last: str, output: Path, notes: list[str]) -> Done:
    return Done(rows=len(frame), factors=factors, first=first, last=last, output=str(output), notes=notes)


def _refuse_both(actions: str | None, adjustment: str | None, basis: str) -> None:
    given = {"--actions": actions, "--adjustment": adjustment, "--basis": None if basis == "raw" else basis}
    for option, value in given.items():
        if value is not None:
            fix = "It does not go with --factors and --mode, which take bars as traded: leave it out."
            raise BadInput(parameter=option, value=value, fix=fix)


def _refuse_others(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(parameter=option, value=value, fix=f"Choose one of {', '.join(known)}.")
