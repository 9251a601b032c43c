"""`truetape plan` and `truetape backfill`: what history would take, and getting it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truetape.app.cli.counting import CountedBar
from truetape.app.cli.terminal import DEFAULT_PATH, Config, Json, call, err, out, run, write_json

if TYPE_CHECKING:
    from datetime import date

    from truetape.app.backfilling import Progress
    from truetape.app.planning import Forecast
    from truetape.app.settings import Settings
    from truetape.services.ingestion.rounds import Wanted

Symbols = Annotated[
    str,
    typer.Argument(
        metavar="SYMBOLS|@FILE", help="Symbols, or pairs of currencies such as EUR/USD, by commas, or a file of them."
    ),
]
From = Annotated[str | None, typer.Option("--from", help="First session date, inclusive; else the settings' start.")]
To = Annotated[str | None, typer.Option("--to", help="Last session date, inclusive; else the last full day.")]
Timeframe = Annotated[str, typer.Option(help="Timeframe of the bars: 1m to 1mo.")]


def plan(
    symbols: Symbols,
    *,
    since: From = None,
    until: To = None,
    timeframe: Timeframe = "1d",
    config: Config = DEFAULT_PATH,
    as_json: Json = False,
) -> None:
    """Say how many calls, how long and how much money a backfill will take, without asking anybody."""
    settings, named, wanted = call(lambda: _asked(config, symbols, since, until, timeframe), as_json=as_json)
    from truetape.app.planning import forecast

    found = run(forecast(settings, named, wanted), as_json=as_json)
    if as_json:
        write_json(dataclasses.asdict(found))
    else:
        _show(found, wanted)


def backfill(
    symbols: Symbols,
    *,
    since: From = None,
    until: To = None,
    timeframe: Timeframe = "1d",
    config: Config = DEFAULT_PATH,
    as_json: Json = False,
) -> None:
    """Get the history of symbols: what is there already is not asked for again.

    A running platform is asked to do it; without one it is done here. Stop
    it when you like: the next run goes on where it was.
    """
    settings, named, wanted = call(lambda: _asked(config, symbols, since, until, timeframe), as_json=as_json)
    from truetape.app.backfilling import fetch_history

    with CountedBar("backfill", quiet=as_json) as bar:

        def show(progress: Progress) -> None:
            bar.show(progress, _told(progress))

        done = run(fetch_history(settings, named, wanted, on_progress=show), as_json=as_json)
    if as_json:
        write_json(dataclasses.asdict(done))
        return
    tail = f"; {done.empty} have no rows" if done.empty else ""
    tail += f"; {done.waiting} wait for a provider: run it again later" if done.waiting else ""
    tail += f". Unknown: {', '.join(done.unknown)}; add them under [[instruments]]" if done.unknown else ""
    err().print(f"{done.done} of {done.planned} rounds are done{tail}.", markup=False, soft_wrap=True)


def _asked(
    config: Path, symbols: str, since: str | None, until: str | None, timeframe: str
) -> tuple[Settings, tuple[str, ...], Wanted]:
    import time

    from truetape.app.planning import read_symbols
    from truetape.app.run import last_full_day
    from truetape.app.settings import load
    from truetape.domain.errors import BadInput
    from truetape.domain.pairs import is_fx
    from truetape.domain.time import TIMEFRAMES, parse_day
    from truetape.services.ingestion.rounds import Wanted

    settings = load(config, os.environ)
    start: date = parse_day(since, parameter="--from") if since else settings.start
    latest = settings.end or last_full_day(time.time_ns())
    end: date = parse_day(until, parameter="--to") if until else latest
    if start > end:
        raise BadInput(parameter="--from", value=str(start), fix=f"It is later than --to, which was {end}; swap them.")
    if timeframe not in TIMEFRAMES:
        raise BadInput(parameter="--timeframe", value=timeframe, fix=f"Write one of {', '.join(TIMEFRAMES)}.")
    named = read_symbols(symbols)
    pairs = [one for one in named if is_fx(one)]
    if pairs and len(pairs) < len(named):
        other = next(one for one in named if one not in pairs)
        fix = f"It names rates such as {pairs[0]} and instruments such as {other}; ask for them one after the other."
        raise BadInput(parameter="SYMBOLS", value=symbols[:80], fix=fix)
    kind, timeframe = ("fx_rates", "1d") if pairs else ("bars", timeframe)
    return settings, named, Wanted(kind, timeframe, start, end)


def _show(found: Forecast, wanted: Wanted) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for name, justify in (
        ("provider", "left"),
        ("rounds", "right"),
        ("calls", "right"),
        ("credits", "right"),
        ("takes at least", "right"),
        ("bound by", "left"),
        ("costs", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for one in found.estimates:
        money = f"{one.money:,.2f} {one.currency}" if one.money else "nothing more"
        table.add_row(
            one.provider,
            f"{one.rounds:,}",
            f"{one.requests:,}",
            f"{one.credits:,.0f}",
            duration(one.seconds),
            one.bound_by,
            money,
        )
    console = out()
    console.print(
        f"{found.symbols:,} {_asked_about(wanted)} from {wanted.start} to {wanted.end}: "
        f"{found.rounds:,} rounds to run, {found.settled:,} symbols are there already.",
        highlight=False,
        soft_wrap=True,
    )
    if found.estimates:
        console.print(table)
    for name, why in found.unasked.items():
        console.print(f"{name} is not asked: {why}.", markup=False, highlight=False, soft_wrap=True)
    if found.unknown:
        shown = ", ".join(found.unknown[:20])
        console.print(f"Unknown: {shown}; add them under [[instruments]].", markup=False, soft_wrap=True)


def _asked_about(wanted: Wanted) -> str:
    return "pairs, daily rates" if wanted.kind == "fx_rates" else f"symbols, {wanted.timeframe} bars"


def duration(seconds: float) -> str:
    """Return `seconds` as people say it: the two greatest units."""
    whole = round(seconds)
    parts = []
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _told(progress: Progress) -> str:
    """Return how fast it goes, how long it will take, and what waits."""
    told = []
    if progress.rate:
        told.append(f"{progress.rate:.1f}/s")
    if progress.seconds_left is not None:
        told.append(f"{duration(progress.seconds_left)} left")
    if progress.waiting:
        told.append(f"{progress.waiting} wait")
    return ", ".join(told)
