"""`truetape resolve`: which instrument a ticker meant on a date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truetape.app.cli.terminal import BAD_INPUT, Data, Json, out, refuse, write_json

if TYPE_CHECKING:
    from truetape.domain.naming import Resolved


def resolve(
    ticker: Annotated[str, typer.Argument(help="A ticker of any time, or an instrument's id.")],
    *,
    date: Annotated[
        str | None, typer.Option("--date", help="The day it is meant on; else today, or its last day.")
    ] = None,
    mic: Annotated[str | None, typer.Option(help="The venue, where several list the ticker at once.")] = None,
    as_json: Json = False,
    data: Data = Path("data"),
    url: Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")] = None,
) -> None:
    """Say which instrument a ticker meant on a date, and what it was and is called."""
    from truetape.domain.errors import TruetapeError
    from truetape.domain.naming import Unresolved

    try:
        found = _found(ticker, date, mic, url or data)
    except TruetapeError as error:
        if not as_json or not isinstance(error, Unresolved):
            refuse(error, as_json=as_json)
        write_json({"error": str(error), "kind": "Unresolved", "candidates": error.candidates})
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        write_json(found)
    else:
        _tell(found)


def _found(ticker: str, day: str | None, mic: str | None, source: str | Path) -> Resolved:
    from truetape.app import library
    from truetape.domain.time import parse_day

    on = parse_day(day, parameter="--date") if day else None
    return library.resolve(ticker, on=on, mic=mic, data=source)


def _tell(found: Resolved) -> None:
    until = f"until {found.listed_until}" if found.listed_until else "still listed"
    rows = {
        "instrument": found.instrument_id,
        "ticker then": f"{found.ticker_then} on {found.mic_then}",
        "ticker now": f"{found.ticker_now} on {found.mic_now}",
        "name": found.name or "",
        "listed": f"from {found.listed_from or 'ever'}, {until}",
    }
    how = (
        ""
        if found.matched == "then"
        else f" (by a ticker that it had at another time; then it was {found.ticker_then})"
    )
    out().print(f"{found.asked} on {found.date}{how}", markup=False, highlight=False, soft_wrap=True)
    for name, value in rows.items():
        out().print(f"  {name:<12} {value}", markup=False, highlight=False, soft_wrap=True)
    if len(found.listings) > 1:
        for one in found.listings:
            told = f"{one.symbol} on {one.mic} from {one.first or 'ever'} to {one.last or 'today'}"
            out().print(f"  {'called':<12} {told}", markup=False, highlight=False, soft_wrap=True)
