"""`truetape fx`: the rate of a pair of currencies, and what is known of a currency itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.terminal import Data, Json, call, err, out, write_json

if TYPE_CHECKING:
    import polars as pl

    from truetape.domain.currencies import Currency

MOST_ROWS: Final = 20


def fx(
    pair: Annotated[str, typer.Argument(metavar="PAIR|CODE", help="EUR/USD, or a currency such as JPY or GBp.")],
    *,
    start: Annotated[str | None, typer.Option(help="First date, inclusive.")] = None,
    end: Annotated[str | None, typer.Option(help="Last date, inclusive.")] = None,
    fixing: Annotated[str | None, typer.Option(help="By whose rates: ecb, boc, fed_noon, wmr or close.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As known then: a date, or an instant.")] = None,
    data: Data = Path("data"),
    url: Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")] = None,
    as_json: Json = False,
) -> None:
    """Give exchange rates with the way they were made, or say what a currency is.

    Rates are made of those that were acquired: as quoted, turned round,
    or across a third currency. A currency tells its decimals, its parts,
    and what became of it: this needs no data.
    """
    if "/" not in pair:
        _tell(call(lambda: _known(pair), as_json=as_json), as_json=as_json)
        return
    from truetape.app import library
    from truetape.services.api.render import written

    def asked() -> pl.DataFrame:
        with library.open(url or data) as session:
            return session.fx_rates(pair, start=start, end=end, fixing=fixing, as_of=as_of)

    rows = call(asked, as_json=as_json)
    if as_json:
        typer.echo(written(rows).write_json())
        return
    out().print(_table(rows))
    err().print(f"{len(rows):,} rates.", markup=False, highlight=False)


def _known(code: str) -> Currency:
    from difflib import get_close_matches

    from truetape.domain.currencies import codes, currency
    from truetape.domain.errors import BadInput

    found = currency(code)
    if found is None:
        near = ", ".join(get_close_matches(code.upper()[:8], codes(), n=3, cutoff=0.5)) or "USD, EUR, GBP"
        raise BadInput(parameter="PAIR|CODE", value=code[:40], fix=f"Write a pair, or a code of ISO 4217: {near}.")
    return found


def _tell(found: Currency, *, as_json: bool) -> None:
    if as_json:
        write_json(dataclasses.asdict(found))
        return
    if found.decimals is None:
        lines = [f"{found.code}: {found.parts} of them make one {found.whole}."]
    else:
        lines = [f"{found.code}: {found.decimals} decimals."]
    if found.spellings:
        lines.append(f"Quoted in parts as {', '.join(found.spellings)}.")
    if found.successor:
        lines.append(f"{found.ratio:.10g} of it are one {found.successor} since {found.ended}.")
    for line in lines:
        typer.echo(line)


def _table(rows: pl.DataFrame) -> object:
    from rich.table import Table

    table = Table(header_style="dim", caption=_caption(rows), caption_justify="left")
    for name in ("date", "rate", "fixed", "path", "agreed"):
        table.add_column(name, justify="right" if name == "rate" else "left", overflow="fold")
    for row in rows.tail(MOST_ROWS).select("date", "rate", "fixed", "path", "agreed").iter_rows():
        table.add_row(*("-" if one is None else f"{one:.8g}" if isinstance(one, float) else str(one) for one in row))
    return table


def _caption(rows: pl.DataFrame) -> str:
    named = ", ".join(rows["fixing"].unique().sort())
    return f"Fixing {named or '-'}" + (f"; the last {MOST_ROWS} of {len(rows):,}" if len(rows) > MOST_ROWS else "")
