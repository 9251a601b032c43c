"""`truetape get`, `truetape explain` and `truetape receipt`: the answers of the API, on the command line."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truetape.app.cli.terminal import Data, Json, call, checked_suffix, err, out, write_json

if TYPE_CHECKING:
    import polars as pl

    from truetape.services.api.hints import Plan

Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As known then: a date, or an instant with a zone.")]
SnapshotName = Annotated[str | None, typer.Option("--snapshot", help="From the snapshot of this name.")]
SUFFIXES: Final = (".parquet", ".csv", ".arrow", ".json")


class Adjusted(Enum):
    """What prices and volume are adjusted for; see domain.adjustments, which is not imported to draw a help page."""

    RAW = "raw"
    SPLIT = "split"
    ALL = "all"
    TOTAL_RETURN = "total_return"
    FORWARD_SPLIT = "forward_split"
    FORWARD_TOTAL_RETURN = "forward_total_return"
    SCALED_RAW = "scaled_raw"
    LEAN_TOTAL_RETURN = "lean_total_return"
    DIFFERENCE = "difference"
    FORWARD_DIFFERENCE = "forward_difference"


Adjust = Annotated[
    Adjusted, typer.Option(help="As traded; for splits; for all that is handed out; forward, or by differences.")
]
Anchor = Annotated[str | None, typer.Option(metavar="DATE", help="The day whose prices stay as traded.")]

Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write to a file: " + " ".join(SUFFIXES))]
Planned = Annotated[bool, typer.Option("--plan", help="Say where the bars come from instead, and how long it takes.")]


def get(  # noqa: PLR0913  one parameter for each option
    symbol: Annotated[str, typer.Argument(help="Symbol, or several separated by commas.")],
    *,
    start: Annotated[str | None, typer.Option(help="First session date, inclusive.")] = None,
    end: Annotated[str | None, typer.Option(help="Last session date, inclusive.")] = None,
    timeframe: Annotated[str, typer.Option(help="1m to 1mo; made of finer bars where it was not acquired.")] = "1d",
    adjustment: Adjust = Adjusted.RAW,
    anchor: Anchor = None,
    currency: Annotated[str | None, typer.Option(help="Prices in this currency, such as USD or GBp.")] = None,
    fixing: Annotated[str | None, typer.Option(help="By whose rates: ecb, boc, fed_noon, wmr or close.")] = None,
    as_of: AsOf = None,
    snapshot: SnapshotName = None,
    output: Output = None,
    plan: Planned = False,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Give bars, as a table, or into a file."""
    given = {
        "start": start,
        "end": end,
        "timeframe": timeframe,
        "adjustment": adjustment.value,
        "anchor": anchor,
        "currency": currency,
        "fixing": fixing,
        "as_of": as_of,
        "snapshot": snapshot,
    }
    if plan:
        _plan(symbol, given, source=url or data, as_json=as_json)
        return
    if output is not None:
        _write(symbol, given, output, source=url or data, as_json=as_json)
        return
    from truetape.app import library

    asked: Any = given
    _show(call(lambda: library.bars(symbol, data=url or data, **asked), as_json=as_json), as_json=as_json)


def receipt(
    receipt: Annotated[str, typer.Argument(metavar="ID", help="The id of the receipt of an answer of the API.")],
    *,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to a file.")] = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Give the answer of the API that has this receipt again, byte for byte."""
    from truetape.app import library
    from truetape.app.cli.bars_file import write_bytes

    def asked() -> bytes:
        with library.open(url or data) as session:
            return session.answer_of(receipt)

    body = call(asked, as_json=as_json)
    if output is None:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    call(lambda: write_bytes(body, output), as_json=as_json)
    err().print(f"{len(body):,} bytes written to {output}.", markup=False, soft_wrap=True)


def explain(
    symbol: Annotated[str, typer.Argument(help="Symbol.")],
    day: Annotated[str, typer.Argument(metavar="DATE", help="Session date.")],
    *,
    as_of: AsOf = None,
    snapshot: SnapshotName = None,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Say where a price comes from: claims, vote, quarantine, adjustments, versions."""
    from truetape.app import library

    told = call(lambda: library.explain(symbol, day, as_of=as_of, snapshot=snapshot, data=url or data), as_json=as_json)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(told).decode())
        return
    from truetape.services.api.narrate import lines

    for line in lines(told):
        out().print(line)


def _plan(symbol: str, given: dict[str, str | None], *, source: str | Path, as_json: bool) -> None:
    from truetape.app import library
    from truetape.app.cli.plan import show_plan

    def asked() -> Plan:
        with library.open(source) as session:
            return session.plan(symbol, **given)

    told = call(asked, as_json=as_json)
    if as_json:
        write_json(told)
    else:
        show_plan(told)


def _write(symbol: str, given: dict[str, str | None], output: Path, *, source: str | Path, as_json: bool) -> None:
    """Write the bars to `output` as they come, and tell how many there are so far."""
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from truetape.app import library
    from truetape.app.cli.bars_file import write_frames

    call(lambda: checked_suffix(output, SUFFIXES), as_json=as_json)
    columns = (TextColumn("{task.completed:,.0f} bars"), TimeElapsedColumn())
    console = err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("bars", total=None)

        def work() -> int:
            with library.open(source) as session:
                frames = session.stream(symbol, **given)
                return write_frames(frames, output, on_rows=lambda rows: progress.update(task, completed=rows))

        written = call(work, as_json=as_json)
    err().print(f"{written:,} bars written to {output}.", markup=False, soft_wrap=True)


def _show(frame: pl.DataFrame, *, as_json: bool) -> None:
    if as_json:
        from truetape.services.api.render import written

        typer.echo(written(frame).write_json())
    else:
        from truetape.app.cli.tables import bars_table

        out().print(bars_table(frame))
