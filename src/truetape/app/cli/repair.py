"""truetape repair: a file of prices by what it says itself, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from typer.core import TyperGroup

from truetape.app.cli.terminal import Json, out, refuse, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from truetape.app.plain_files import Repaired
    from truetape.services.quality.repairs import Repair

DEFAULT: Final = "file"
WHOLE_DAYS: Final = ("1d", "1w", "1mo")


class _FileFirst(TyperGroup):
    """A first argument that is no command of the group is a file: `truetape repair prices.csv -o repaired.csv`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


class RepairMade(msgspec.Struct, frozen=True, kw_only=True):
    """One repair as it is told: `first` and `last` are dates as the file writes them, `cells` how many it changed."""

    id: str
    kind: str
    first: str
    last: str
    columns: tuple[str, ...]
    cells: int
    factor: float | None
    confidence: float
    evidence: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a repair of a file did."""

    rows: int
    timeframe: str
    cells: int
    output: str
    report: str | None
    repairs: tuple[RepairMade, ...]


repair = typer.Typer(
    name="repair",
    cls=_FileFirst,
    help="Repair a file of prices: truetape repair FILE -o FILE. `truetape repair file --help` lists its options.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@repair.callback()
def _group() -> None:
    """Repair a file of prices: truetape repair FILE -o FILE; `truetape repair file --help` lists its options."""


@repair.command(name=DEFAULT)
def repair_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or Parquet with a date and a close at least.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="CSV or Parquet, by its suffix.")],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Every change with its reason: CSV or JSON.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option(metavar="T", help="1m to 1mo; told by the rows if absent.")] = None,
    venue: Annotated[str | None, typer.Option(metavar="MIC", help="Where it trades, if you know.")] = None,
    currency: Annotated[str | None, typer.Option(metavar="C", help="Its currency, if you know.")] = None,
    finer: Annotated[
        str | None, typer.Option(metavar="FILE", help="The same instrument in shorter bars: bad bars are rebuilt.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Repair a file of prices by what it says itself, and give a reason for every change.

    Wrong units, split adjustments, dividends and adjusted closes are
    repaired where the series itself proves them wrong; what is ambiguous is
    left alone. Rows, columns and untouched cells stay as they were.
    """
    try:
        done = _repaired(file, output, report, finer=finer, stated={"currency": currency, "venue": venue}, t=timeframe)
    except BadInput as error:
        refuse(error, as_json=as_json)
    if as_json:
        write_json(done)
    else:
        _tell(done)


def _repaired(
    file: str, output: Path, report: Path | None, *, finer: str | None, stated: dict[str, str | None], t: str | None
) -> Done:
    from truetape.app import plain_files

    plain_files.check_output(output)
    if report is not None:
        plain_files.check_output(report, suffixes=(".csv", ".json"))
    prices = plain_files.read_prices(plain_files.read_sheet(file), timeframe=t, **stated)
    shorter = plain_files.read_prices(plain_files.read_sheet(finer)) if finer is not None else None
    result = plain_files.repaired(prices, finer=shorter)
    plain_files.write_frame(result.frame, output)
    if report is not None:
        plain_files.write_bytes(plain_files.report(result, as_json=report.suffix.lower() == ".json"), report)
    return _done(result, output=output, report=report)


def _done(result: Repaired, *, output: Path, report: Path | None) -> Done:
    made = tuple(_made(result, one) for one in result.repairs)
    return Done(
        rows=len(result.frame),
        timeframe=result.prices.series.timeframe,
        cells=sum(one.cells for one in made),
        output=str(output),
        report=str(report) if report is not None else None,
        repairs=made,
    )


def _made(result: Repaired, one: Repair) -> RepairMade:
    return RepairMade(
        id=one.id,
        kind=one.kind,
        first=result.written_date(one.rows[0]),
        last=result.written_date(one.rows[-1]),
        columns=tuple(result.prices.headers[name] for name in one.columns),
        cells=sum(len(change.rows) for change in one.changes),
        factor=one.factor,
        confidence=one.confidence,
        evidence=one.evidence,
    )


def _tell(done: Done) -> None:
    if done.repairs:
        out().print(_table(done))
        out().print(_reasons(done))
    made = f"{len(done.repairs)} repair{'s' if len(done.repairs) > 1 else ''}"
    said = f"{done.cells} cells changed by {made}" if done.repairs else "Nothing to repair"
    typer.echo(f"{said} in {done.rows} bars of {done.timeframe}: {done.output}")


def _table(done: Done) -> Any:
    from rich.table import Table

    table = Table(header_style="dim")
    for name in ("", "kind", "from", "to", "cells", "factor", "sure"):
        table.add_column(name, justify="left" if name in ("kind", "from", "to") else "right", no_wrap=True)
    for number, one in enumerate(done.repairs, start=1):
        factor = "" if one.factor is None else f"{one.factor:.6g}"
        length = len("2005-02-28") if done.timeframe in WHOLE_DAYS else len("2005-02-28 09:30")
        table.add_row(
            str(number),
            one.kind,
            one.first[:length],
            one.last[:length],
            str(one.cells),
            factor,
            f"{one.confidence:.0%}",
        )
    return table


def _reasons(done: Done) -> Any:
    from rich.table import Table

    listed = Table.grid(padding=(0, 1))
    listed.add_column(justify="right", style="dim")
    listed.add_column(overflow="fold")
    for number, one in enumerate(done.repairs, start=1):
        listed.add_row(str(number), f"{', '.join(one.columns)}: {one.evidence}")
    return listed
