"""truetape resample: longer bars of a file of bars, or bars of a file of trades, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from truetape.app.cli.terminal import call, write_json
from truetape.domain.errors import BadInput

File = Annotated[str, typer.Argument(metavar="FILE", help="CSV or Parquet, of any number of symbols.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="CSV or Parquet, by its suffix.")]
By = Annotated[
    tuple[str, float] | None,
    typer.Option("--by", metavar="ticks|volume|money N", help="Bars of trades: as soon as one holds so much."),
]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: of how many rows of which timeframe ("" for trades) how many bars, and where they are."""

    rows: int
    source: str
    bars: int
    output: str


def resample(
    file: File,
    *,
    timeframe: Annotated[str | None, typer.Option(help="Of the bars that are made: 5m to 1mo.")] = None,
    by: By = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Timeframe of the file; else the distances between its rows tell it.")
    ] = None,
    venue: Annotated[
        str | None, typer.Option(metavar="MIC", help="Whose sessions and lunch breaks cut the bars.")
    ] = None,
    output: Output,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was made as JSON on standard output.")] = False,
) -> None:
    """Make longer bars of bars, or bars of trades.

    With --timeframe the file holds bars. With --venue they are cut as the
    venue's day is, and what lies outside its sessions is left out; without
    it, days are those of UTC. With --by the file holds trades: a time, a
    price and a size each; a trade is never split between two bars.
    """
    done = call(lambda: _made(file, timeframe, by, source=source, venue=venue, output=output), as_json=as_json)
    if as_json:
        write_json(done)
    else:
        what = f"{done.rows:,} bars of {done.source}" if done.source else f"{done.rows:,} trades"
        typer.echo(f"{done.bars:,} bars of {what}: {done.output}")


def _made(
    file: str,
    timeframe: str | None,
    by: tuple[str, float] | None,
    *,
    source: str | None,
    venue: str | None,
    output: Path,
) -> Done:
    from truetape.app import plain_files
    from truetape.app.plain_files.resampling import resampled, trade_bars

    if (timeframe is None) == (by is None):
        fix = "Say --timeframe for bars of bars, or --by for bars of trades."
        raise BadInput(parameter="--timeframe", value=timeframe or "", fix=fix)
    plain_files.check_output(output)
    sheet = plain_files.read_sheet(file)
    if by is not None:
        made = trade_bars(sheet, by=by[0], amount=by[1])
    else:
        made = resampled(sheet, timeframe=timeframe or "", source=source, venue=venue)
    plain_files.write_frame(made.frame, output)
    return Done(rows=made.rows, source=made.source, bars=len(made.frame), output=str(output))
