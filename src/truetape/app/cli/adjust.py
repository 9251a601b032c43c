"""truetape adjust: bars of a file by the actions of another, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import msgspec
import typer

from truetape.app.cli.terminal import refuse, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from truetape.domain.adjust import Adjustment

ADJUSTMENTS: Final = ("split", "all")
BASES: Final = ("raw", "split")


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What an adjustment did: rows written, ex-dates that had an effect, first and last date."""

    rows: int
    factors: int
    first: str
    last: str
    output: str


def adjust(
    *,
    bars: Annotated[str, typer.Option(metavar="FILE", help="CSV or Parquet: date, open, high, low, close, volume.")],
    actions: Annotated[str, typer.Option(metavar="FILE", help="CSV or Parquet: ex_date, type, value.")],
    adjustment: Annotated[str, typer.Option(metavar="split|all", help="Splits only, or splits and dividends.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="CSV or Parquet, by its suffix.")],
    basis: Annotated[
        str, typer.Option(metavar="raw|split", help="What bars and dividends are adjusted for already.")
    ] = "raw",
    as_json: Annotated[bool, typer.Option("--json", help="Say what was done as JSON on standard output.")] = False,
) -> None:
    """Adjust bars for splits and dividends.

    The value of a split is the number of new shares for one old, that of a
    dividend the cash per share as paid then. With --basis split, bars and
    dividends are split-adjusted already, as Yahoo's are.
    """
    try:
        done = _adjusted(bars, actions, adjustment=adjustment, basis=basis, output=output)
    except BadInput as error:
        refuse(error, as_json=as_json)
    if as_json:
        write_json(done)
    else:
        typer.echo(
            f"Adjusted {done.rows} bars from {done.first} to {done.last} by {done.factors} ex-dates: {done.output}"
        )


def _adjusted(bars: str, actions: str, *, adjustment: str, basis: str, output: Path) -> Done:
    from truetape.app import plain_files

    _refuse_others("--adjustment", adjustment, ADJUSTMENTS)
    _refuse_others("--basis", basis, BASES)
    plain_files.check_output(output)
    result = plain_files.adjusted(
        plain_files.read_sheet(bars),
        plain_files.read_sheet(actions),
        adjustment=cast("Adjustment", adjustment),
        basis=basis,
    )
    plain_files.write_frame(result.frame, output)
    return Done(
        rows=len(result.frame),
        factors=result.factors,
        first=result.first.isoformat(),
        last=result.last.isoformat(),
        output=str(output),
    )


def _refuse_others(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(parameter=option, value=value, fix=f"Choose one of {', '.join(known)}.")
