"""Run every measurement, keep the results, and print them as a table: `python -m perf [name ...]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from perf import (
    adjusting,
    calendars,
    checking,
    committing,
    decoding,
    ledger,
    mastering,
    monitoring,
    normalising,
    pipeline,
    planning,
    reading,
    recovering,
    serving,
    start,
    storing_timescale,
    streaming,
    voting,
)
from perf.measure import Figure, Result, Sheet, keep

THOUSAND = 1000
MEASUREMENTS: dict[str, Callable[[], Iterator[Result | Sheet]]] = {
    "calendars": calendars.measure,
    "adjusting": adjusting.measure,
    "checking": checking.measure,
    "committing": committing.measure,
    "decoding": decoding.measure,
    "ledger": ledger.measure,
    "mastering": mastering.measure,
    "monitoring": monitoring.measure,
    "normalising": normalising.measure,
    "pipeline": pipeline.measure,
    "planning": planning.measure,
    "reading": reading.measure,
    "recovering": recovering.measure,
    "serving": serving.measure,
    "start": start.measure,
    "storing_timescale": storing_timescale.measure,
    "streaming": streaming.measure,
    "voting": voting.measure,
}


def main(names: list[str]) -> int:
    """Measure what `names` ask for, or everything; return 0 if every bar holds, 1 if one falls short."""
    console = Console()
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        console.print(f"Unknown measurement {unknown[0]!r}. Known: {', '.join(MEASUREMENTS)}.")
        return 2
    results: list[Figure] = []
    for name in names or MEASUREMENTS:
        with console.status(f"measuring {name} ..."):
            for one in MEASUREMENTS[name]():
                keep(one)
                results.extend(one.figures if isinstance(one, Sheet) else (one,))
    console.print(table(results))
    return 0 if all(one.holds for one in results) else 1


def table(results: list[Figure]) -> Table:
    """Return `results` as a table; what falls short is marked."""
    drawn = Table(title="Measured here, each beside its peer in the same run", title_justify="left", show_lines=True)
    drawn.add_column("what, and beside what")
    for name in ("ours", "peer", "ratio", "bar"):
        drawn.add_column(name, justify="right", no_wrap=True)
    drawn.add_column("", no_wrap=True)
    for one in results:
        beside = "".join(f"; {ratio:.2f} of {other}" for other, ratio in one.beside.items())
        drawn.add_row(
            f"{one.name} ({one.unit})\n[dim]{one.peer_name}{beside}[/dim]",
            f"{one.ours:,.4g}" if one.ours < THOUSAND else f"{one.ours:,.0f}",
            f"{one.peer:,.4g}" if one.peer < THOUSAND else f"{one.peer:,.0f}",
            f"{one.ratio:.3f}",
            f"{'>=' if one.better == 'higher' else '<='} {one.bar}",
            "holds" if one.holds else "[bold red]SHORT[/bold red]",
        )
    return drawn


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
