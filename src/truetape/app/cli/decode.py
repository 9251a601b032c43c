"""truetape decode: the canonical rows of one recorded answer, without server or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from truetape.app.cli.terminal import BAD_INPUT, out, refuse, write_json
from truetape.domain.errors import BadInput, ProviderRefused, UndecodablePayload
from truetape.providers import NAMES, vendor

if TYPE_CHECKING:
    import polars as pl

SUFFIXES: Final = (".json", ".csv", ".csv.gz", ".parquet")
SAME: Final = ("symbol", "timeframe", "currency", "basis", "running")  # said once where they are the same in all rows
WHEN: Final = ("ts_event", "ex_date", "period")  # the column that says of when a row is
ENDS: Final = 5  # rows shown from either end


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An answer without rows: its failure class, or "undecodable", and the provider's own words."""

    error: str
    failure_class: str
    words: str
    provider: str
    kind: str


def decode(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recorded answer, plain or gzip; - is standard input.")],
    *,
    provider: Annotated[str, typer.Option(metavar="NAME", help=f"Who sent it: {', '.join(NAMES)}.")],
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="What to read in it: bars, actions, quotes, trades and so on.")
    ] = "bars",
    symbol: Annotated[str, typer.Option(help="The symbol that was asked for; some answers do not name it.")] = "",
    timeframe: Annotated[str, typer.Option(help="The timeframe that was asked for; some answers do not name it.")] = (
        "1d"
    ),
    status: Annotated[int, typer.Option(min=100, max=999, help="The HTTP status that the answer came with.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as a JSON array of objects.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write JSON, CSV or Parquet, by its suffix.")
    ] = None,
) -> None:
    """Show what a provider's recorded answer says, in canonical rows.

    An error is told by its failure class and the provider's own words; the
    exit status is 2 then.
    """
    try:
        frame = _rows(file, provider, kind, symbol=symbol, timeframe=timeframe, status=status, output=output)
        if output is not None:
            _write(frame, output)
    except BadInput as error:
        refuse(error, as_json=as_json)
    except (ProviderRefused, UndecodablePayload) as error:
        if not as_json:
            refuse(error)
        write_json(_told(error, kind=kind))
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        typer.echo(_json(frame))
    elif output is not None:
        typer.echo(f"Wrote {len(frame)} rows to {output}.")
    else:
        _show(frame, title=f"{provider} {kind}")


def _rows(
    file: str, provider: str, kind: str, *, symbol: str, timeframe: str, status: int, output: Path | None
) -> pl.DataFrame:
    from truetape.app import plain_files
    from truetape.domain.asks import Answer, Ask
    from truetape.domain.failures import FailureClass
    from truetape.domain.schema import DECODED, empty
    from truetape.domain.time import TIMEFRAMES

    _refuse_others("--provider", provider, NAMES)
    package = vendor(provider)
    _refuse_others("--kind", kind, package.DECLARATION.kinds)
    _refuse_others("--timeframe", timeframe, TIMEFRAMES)
    if output is not None:
        plain_files.check_output(output, suffixes=SUFFIXES)
    body = plain_files.read_bytes(file)
    answer = Answer(url=f"file:{file}", status=status, content_type="", headers={}, body=body)
    failure = package.classify(answer)
    if failure is not None and failure.failure_class is not FailureClass.EMPTY:
        raise ProviderRefused(provider=provider, failure=failure)
    if failure is not None:
        return empty(DECODED[kind])
    frame: pl.DataFrame = getattr(package.decode, kind)(body, Ask(kind=kind, symbol=symbol, timeframe=timeframe))
    return frame


def _refuse_others(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(parameter=option, value=value, fix=f"Choose one of {', '.join(known)}.")


def _told(error: ProviderRefused | UndecodablePayload, *, kind: str) -> Refused:
    if isinstance(error, ProviderRefused):
        failure_class, words = error.failure.failure_class.value, error.failure.words
    else:
        failure_class, words = "undecodable", error.reason
    told = f"{failure_class}: {words}"
    return Refused(error=told, failure_class=failure_class, words=words, provider=error.provider, kind=kind)


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with its instants in ISO 8601."""
    import polars as pl

    from truetape.domain.time import iso

    if "ts_event" not in frame.columns:
        return frame
    stamps = [iso(stamp) for stamp in frame["ts_event"].cast(pl.Int64)]
    return frame.with_columns(pl.Series("ts_event", stamps, dtype=pl.String))


def _json(frame: pl.DataFrame) -> str:
    """Return the rows as a JSON array, one object on a line."""
    rows = b",\n".join(msgspec.json.encode(row) for row in _texts(frame).iter_rows(named=True)).decode()
    return f"[\n{rows}\n]" if rows else "[]"


def _write(frame: pl.DataFrame, output: Path) -> None:
    from truetape.app import plain_files

    name = output.name.lower()
    if name.endswith(".json"):
        plain_files.write_bytes(f"{_json(frame)}\n".encode(), output)
    else:
        plain_files.write_frame(frame if name.endswith(".parquet") else _texts(frame), output)


def _show(frame: pl.DataFrame, *, title: str) -> None:
    """Print the first and the last rows, and below them what holds for all."""
    from rich.box import SIMPLE
    from rich.table import Table

    rows = _texts(frame)
    same: dict[str, object] = {
        name: rows[name][0] for name in SAME if name in rows.columns and rows[name].n_unique() == 1
    }
    shown = [name for name in rows.columns if name not in same and rows[name].null_count() < max(len(rows), 1)]
    facts = [f"{title}: {len(rows)} rows"]
    when = next((rows[name] for name in WHEN if name in rows.columns), None)  # of a list: none
    facts += [f"from {_cell(when.min())} to {_cell(when.max())}"] if when is not None and len(rows) else []
    facts += [f"{name} {value}" for name, value in same.items() if value]
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for name in shown:
        table.add_column(name, no_wrap=True)
    for index, row in enumerate(rows.select(shown).iter_rows()):
        if index == ENDS and len(rows) > 2 * ENDS:
            table.add_row(*["..."] * len(shown))
        if index < ENDS or index >= len(rows) - ENDS:
            table.add_row(*map(_cell, row))
    console = out()
    if len(rows):
        console.print(table)
    console.print(", ".join(facts), markup=False, highlight=False, soft_wrap=True)


def _cell(value: object) -> str:
    """Return a value as it is read in a table: nothing for a missing one, the date alone for the label of a day."""
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value).removesuffix("T00:00:00Z")
