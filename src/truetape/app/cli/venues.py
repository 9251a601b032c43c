"""`truetape venues`: exchanges and their markets by ISO 10383."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.ask import Url
from truetape.app.cli.terminal import Data, Json, call, out, write_json

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS: Final = 60
NONE: Final = "No venue is known by these words. The list of ISO 10383 comes with: truetape reference fetch iso10383"


def venues(
    words: Annotated[str | None, typer.Argument(help="Part of a code, a name, an acronym or a city.")] = None,
    *,
    mic: Annotated[str | None, typer.Option(help="One venue, with its markets.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166, two letters.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As this platform knew them then.")] = None,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Url = None,
) -> None:
    """Show exchanges and their markets: codes, countries, clocks and states.

    A market stands under the venue that runs it.
    """
    found = call(lambda: _found(url or data, words, mic=mic, country=country, as_of=as_of), as_json=as_json)
    if as_json:
        write_json(found.to_dicts())
    elif found.is_empty():
        out().print(NONE, markup=False, highlight=False, soft_wrap=True)
    else:
        _show(found)


def _found(source: str | Path, words: str | None, **asked: str | None) -> pl.DataFrame:
    from truetape.app import library

    with library.open(source) as session:
        return session.venues(words, **asked)


def _show(found: pl.DataFrame) -> None:
    from rich.table import Table

    table = Table(header_style="dim")
    for name in ("MIC", "name", "country", "city", "zone", "status"):
        table.add_column(name, no_wrap=name != "name")
    shown = found.head(MOST_ROWS)
    for row in shown.iter_rows(named=True):
        mic = row["mic"] if row["level"] == "operating" else f"  {row['mic']}"
        rest = (row[name] or "" for name in ("name", "country", "city", "zone", "status"))
        table.add_row(mic, *rest)
    out().print(table)
    left = f"; {len(found) - len(shown):,} of them only with --json" if len(found) > len(shown) else ""
    out().print(f"{len(found):,} venues{left}", markup=False, highlight=False, soft_wrap=True)
