"""`truetape quality`: how often each provider is wrong, day by day, and where that goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.terminal import Data, Json, out, run, write_json

if TYPE_CHECKING:
    from truetape.app.quality_report import Trend

SHOWN: Final = 40  # lines of the table; JSON has all
WIDTH: Final = 14  # days drawn


def quality(
    *,
    data: Data = Path("data"),
    provider: Annotated[str, typer.Option(help="Of this provider only.")] = "",
    instrument: Annotated[str, typer.Option(help="Of this symbol only.")] = "",
    check: Annotated[str, typer.Option(help="Of this check or reason only.")] = "",
    days: Annotated[int, typer.Option(min=2, max=366, help="Days with data to look back.")] = 60,
    objective: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of faulty rows that is not to be exceeded.")
    ] = 0.01,
    as_json: Json = False,
) -> None:
    """Show how often each provider is wrong, by check: day by day, against the usual, and where it goes.

    Days are those of the data. An exclamation mark follows more faults than chance explains; a trend is
    called worse or better where chance makes one in 1 of 40 cases. "over" says when the objective will be exceeded.
    """
    found = run(_trends(data, provider, instrument, check, days, objective), as_json=as_json)
    if as_json:
        from truetape.app.quality_report import as_json as told

        write_json([told(one) for one in found])
    else:
        _show(found)


async def _trends(data: Path, provider: str, instrument: str, check: str, days: int, objective: float) -> list[Trend]:
    from truetape.app.quality_report import trends
    from truetape.app.reading import instrument_of, opened
    from truetape.ports.store import Selection

    async with opened(data) as store:
        equal: dict[str, tuple[str, ...]] = {"provider": (provider,)} if provider else {}
        if instrument:
            equal["instrument_id"] = (await instrument_of(store, instrument),)
        return await trends(store, wanted=Selection(equal=equal), days=days, check=check, objective=objective)


def _show(found: list[Trend]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from truetape.app.quality_report import small_bars

    console = out()
    if not found:
        console.print("No day is counted: nothing is stored, or nothing of what was asked for.", markup=False)
        return
    first, last = found[0].days[0], found[0].days[-1]
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("provider", "check", "days", "last", "usual", "in a week", "trend", "over"):
        number = title in {"last", "usual", "in a week"}
        table.add_column(title, justify="right" if number else "left", no_wrap=title != "check")
    for one in found[:SHOWN]:
        drawn = small_bars(one.faults[-WIDTH:], one.judged[-WIDTH:])
        style = "red" if one.outlook.crosses_in == 0 else "yellow" if one.outlook.unusual else ""
        table.add_row(one.provider or "all", one.check or "any", drawn, *_words(one), style=style)
    console.print(f"Share of faulty rows, {first} to {last}:", highlight=False)
    console.print(table)
    if len(found) > SHOWN:
        console.print(f"{len(found) - SHOWN} more; narrow them down, or ask for --json.")


def _words(one: Trend) -> list[str]:
    seen = one.outlook
    week = f"< {_share(seen.expected[-1].high)}" if seen.expected else ""
    crossing = {None: "", 0: "now"}.get(seen.crosses_in, f"in {seen.crosses_in} days")
    last = _share(seen.today) + ("!" if seen.unusual else "")
    return [last, _share(seen.usual), week, seen.trend, crossing]


def _share(rate: float | None) -> str:
    """Return `rate` as a percentage of three digits; "" for None."""
    return "" if rate is None else f"{rate * 100:.3g} %"
