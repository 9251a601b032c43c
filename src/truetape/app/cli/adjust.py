"""truetape adjust: bars of a file by actions or a table of factors, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import msgspec
import typer

from truetape.app.cli.terminal import refuse, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

    from truetape.domain.adjust import Adjustment
    from truetape.domain.scaling import Mode

ADJUSTMENTS: Final = ("split", "all")
BASES: Final = ("raw", "split")


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What an adjustment did: rows written, ex-dates that had an effect, first and last date."""

    rows: int
    factors: int
    first: str
    last: str
    output: str


def adjust(  # noqa: PLR0913  one parameter for each option
    *,
    bars: Annotated[str, typer.Option(metavar="FILE", help="CSV or Parquet: date, open, high, low, close, volume.")],
    actions: Annotated[
        str | None, typer.Option(metavar="FILE", help="CSV or Parquet: ex_date, type, value, price.")
    ] = None,
    adjustment: Annotated[
        str | None, typer.Option(metavar="split|all", help="Splits only, or splits and dividends.")
    ] = None,
    factors: Annotated[
        str | None, typer.Option(metavar="FILE", help="A table of truetape factors, or LEAN's factor file.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            help="raw, split, total_return, forward_split, forward_total_return and others; LEAN's names too."
        ),
    ] = None,
    anchor: Annotated[str | None, typer.Option(metavar="DATE", help="The day whose prices stay as traded.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="CSV or Parquet, by its suffix.")],
    basis: Annotated[
        str, typer.Option(metavar="raw|split", help="What bars and dividends are adjusted for already.")
    ] = "raw",
    as_json: Annotated[bool, typer.Option("--json", help="Say what was done as JSON on standard output.")] = False,
) -> None:
    """Adjust bars for splits and dividends.

    Name --actions with --adjustment, or --factors with --mode. The value of
    a split is the number of new shares for one old, that of a dividend the
    cash per share as paid then. With --basis split, bars and dividends are
    split-adjusted already, as Yahoo's are.
    """
    try:
        if factors is not None or mode is not None or anchor is not None:
            _refuse_both(actions, adjustment, basis)
            done = _scaled(bars, factors, mode=mode, anchor=anchor, output=output)
        else:
            done = _adjusted(bars, actions, adjustment=adjustment, basis=basis, output=output)
    except BadInput as error:
        refuse(error, as_json=as_json)
    if as_json:
        write_json(done)
    else:
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
    result = plain_files.adjusted(
        plain_files.read_sheet(bars),
        plain_files.read_sheet(actions),
        adjustment=cast("Adjustment", adjustment),
        basis=basis,
    )
    plain_files.write_frame(result.frame, output)
    return _done(result.frame, result.factors, str(result.first), str(result.last), output)


def _scaled(bars: str, factors: str | None, *, mode: str | None, anchor: str | None, output: Path) -> Done:
    from truetape.app import factor_tables, plain_files
    from truetape.domain.scaling import LEAN_MODES, MODES
    from truetape.domain.time import parse_day

    if factors is None:
        fix = "Name a table of factors; truetape factors makes one of bars and actions."
        raise BadInput(parameter="--factors", value="", fix=fix)
    chosen = LEAN_MODES.get(mode or "", mode or "")
    _refuse_others("--mode", chosen, (*MODES, *LEAN_MODES))
    day = parse_day(anchor, parameter="--anchor") if anchor else None
    plain_files.check_output(output)
    table = factor_tables.read_factors(factors)
    result = factor_tables.scaled(
        plain_files.read_sheet(bars), table, file=factors, mode=cast("Mode", chosen), anchor=day
    )
    plain_files.write_frame(result.frame, output)
    return _done(result.frame, result.factors, str(result.first), str(result.last), output)


def _done(frame: pl.DataFrame, factors: int, first: str, last: str, output: Path) -> Done:
    return Done(rows=len(frame), factors=factors, first=first, last=last, output=str(output))


def _refuse_both(actions: str | None, adjustment: str | None, basis: str) -> None:
    given = {"--actions": actions, "--adjustment": adjustment, "--basis": None if basis == "raw" else basis}
    for option, value in given.items():
        if value is not None:
            fix = "It does not go with --factors, --mode and --anchor, which take bars as traded: leave it out."
            raise BadInput(parameter=option, value=value, fix=fix)


def _refuse_others(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(parameter=option, value=value, fix=f"Choose one of {', '.join(known)}.")
