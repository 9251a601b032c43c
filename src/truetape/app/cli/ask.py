"""`truetape get` and `truetape explain`: the answers of the API, on the command line."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.terminal import Data, Json, call, checked_suffix, err, out

if TYPE_CHECKING:
    import polars as pl

Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As known then: a date, or an instant with a zone.")]
SUFFIXES: Final = (".parquet", ".csv", ".arrow", ".json")


class Adjusted(Enum):
    """As traded, for splits, or for splits and dividends."""

    RAW = "raw"
    SPLIT = "split"
    ALL = "all"


def get(  # noqa: PLR0913  one parameter for each option
    symbol: Annotated[str, typer.Argument(help="Symbol, or several separated by commas.")],
    *,
    start: Annotated[str | None, typer.Option(help="First session date, inclusive.")] = None,
    end: Annotated[str | None, typer.Option(help="Last session date, inclusive.")] = None,
    timeframe: Annotated[str, typer.Option(help="1m to 1mo; below a day, as it was acquired.")] = "1d",
    adjustment: Annotated[Adjusted, typer.Option(help="What prices and volume are adjusted for.")] = Adjusted.RAW,
    as_of: AsOf = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write to a file: " + " ".join(SUFFIXES))
    ] = None,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Give bars, as a table, or into a file."""
    from truetape.app import library

    if output is not None:
        call(lambda: checked_suffix(output, SUFFIXES), as_json=as_json)
    frame = call(
        lambda: library.bars(
            symbol,
            start=start,
            end=end,
            timeframe=timeframe,
            adjustment=adjustment.value,
            as_of=as_of,
            data=url or data,
        ),
        as_json=as_json,
    )
    _give(frame, output, as_json=as_json)


def explain(
    symbol: Annotated[str, typer.Argument(help="Symbol.")],
    day: Annotated[str, typer.Argument(metavar="DATE", help="Session date.")],
    *,
    as_of: AsOf = None,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Say where a price comes from: claims, vote, quarantine, adjustments, versions."""
    from truetape.app import library

    told = call(lambda: library.explain(symbol, day, as_of=as_of, data=url or data), as_json=as_json)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(told).decode())
        return
    from truetape.services.api.narrate import lines

    for line in lines(told):
        out().print(line)


def _give(frame: pl.DataFrame, output: Path | None, *, as_json: bool) -> None:
    if output is not None:
        from truetape.app.cli.tables import write_bars

        call(lambda: write_bars(frame, output), as_json=as_json)
        err().print(f"{len(frame):,} bars written to {output}.", markup=False, soft_wrap=True)
    elif as_json:
        from truetape.services.api.render import written

        typer.echo(written(frame).write_json())
    else:
        from truetape.app.cli.tables import bars_table

        out().print(bars_table(frame))
