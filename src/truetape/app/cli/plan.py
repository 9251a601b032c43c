"""How an answer was made, for people: where its rows came from, and how to ask for less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truetape.app.cli.terminal import out

if TYPE_CHECKING:
    from truetape.services.api.hints import Plan


def show_plan(plan: Plan) -> None:
    """Print a table of the sources, and the hints below."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("from", "table", "rows", "files", "bytes", "why there"):
        table.add_column(title, justify="right" if title in {"rows", "files", "bytes"} else "left")
    for one in plan.sources:
        sizes = (f"{number:,}" if number else "" for number in (one.files, one.bytes))
        table.add_row(one.place, one.table, f"{one.rows:,}", *sizes, one.why)
    console = out()
    console.print(table)
    more = "" if plan.is_whole else ", and there are more"
    console.print(f"{plan.rows:,} rows in {plan.seconds * 1e3:,.1f} ms{more}.", highlight=False)
    for hint in plan.hints:
        console.print(f"- {hint}", highlight=False, markup=False, soft_wrap=True)
