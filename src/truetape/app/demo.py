"""The demo: real prices through four simulated providers with faults on, checked, stored and served."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from truetape.app.run import Platform
from truetape.app.sandbox import Sandbox, all_faults, bokeh
from truetape.app.sandbox.answers import Served
from truetape.app.sandbox.dataset import Dataset
from truetape.app.settings import ProviderSettings, Settings
from truetape.app.summary import Summary, summarize, tables
from truetape.app.troubles import TroubleTeller
from truetape.domain.adjust import adjust
from truetape.domain.messages import DeclaredListing
from truetape.ports.store import Selection, Store

PROVIDERS: Final = ("alpha_vantage", "yahoo", "finnhub", "iex_cloud")
TOLERANCE: Final = 2e-4  # the dataset's adjusted closes are rounded from data of another day


@dataclass(frozen=True)
class Outcome:
    """What the demo showed."""

    summary: Summary
    served: tuple[Served, ...]  # what the sandbox was asked, and the faults it injected
    worst_adjusted: dict[str, float]  # by symbol: greatest relative error of the adjusted close
    seconds: float
    address: str

    @property
    def faults_served(self) -> int:
        """The number of answers that carried a fault."""
        return sum(1 for one in self.served if one.fault)


async def run_demo(
    *,
    data: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    faults: bool = True,
    seed: int = 7,
    stay: bool = True,
    console: Console | None = None,
) -> Outcome:
    """Acquire five real stocks from four simulated providers, print what happened, and serve until cancelled.

    A second run on the same folder finds everything there, and only serves. With `stay` false it returns instead of
    serving on.

    Raises:
        BadInput: The dataset's package is not installed.
        FolderInUse, WrongFolder, PortInUse: As their names say; nothing was started.
    """
    console = console or Console()
    started = time.perf_counter()
    dataset = bokeh()
    script = all_faults(dataset.symbols, PROVIDERS, seed=seed, with_splits=dataset.with_splits) if faults else ()
    sandbox = Sandbox(dataset, script, seed=seed)
    url = await sandbox.start()
    try:
        settings = demo_settings(dataset, data=data, host=host, port=port, sandbox_url=url)
        async with Platform(settings, command="truetape demo") as platform:
            address = await platform.serve()
            await platform.recover()
            await platform.declare()
            await _acquire(platform, console)
            outcome = await _outcome(platform, dataset, sandbox, started=started, address=address)
            _show(outcome, console)
            if stay:
                _invite(address, data, console)
                await asyncio.Event().wait()
            return outcome
    finally:
        await sandbox.stop()


def demo_settings(dataset: Dataset, *, data: Path, host: str, port: int, sandbox_url: str) -> Settings:
    """Return the settings of the demo: every provider is the sandbox, and the data are marked simulated."""
    return Settings(
        data=data,
        host=host,
        port=port,
        simulated=True,
        start=dataset.start,
        end=dataset.end,
        instruments=tuple(
            DeclaredListing(symbol=one.symbol, mic=one.mic, name=one.name, currency=one.currency)
            for one in dataset.series.values()
        ),
        providers={
            name: ProviderSettings(
                enabled=True, base_url=f"{sandbox_url}/{name}", key="sandbox", calls_per_second=200.0
            )
            for name in PROVIDERS
        },
        timeout_s=2.0,  # the sandbox hangs for three seconds where it is told to
        attempts=4,
        backoff_s=0.05,
    )


async def _acquire(platform: Platform, console: Console) -> None:
    """Run the planned rounds with a progress display."""
    tally = platform.rooms.ingestion.tally
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failures]}"),
        TimeElapsedColumn(),
    )
    teller = TroubleTeller(lambda words: console.print(words, style="yellow", markup=False))
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(platform.acquire())
        with Progress(*columns, console=console, transient=True) as progress:
            bars = {
                name: progress.add_task(name, total=tally.rounds_planned, failures="")
                for name in platform.parts.providers
            }
            while not work.done():
                await asyncio.wait({work}, timeout=0.1)
                teller.look_at_disks(platform)
                for name, bar in bars.items():
                    failed = sum(times for (provider, _), times in tally.failed.items() if provider == name)
                    words = f"{failed} failed requests" if failed else ""
                    progress.update(bar, completed=tally.delivered[name] + tally.given_up[name], failures=words)


async def _outcome(platform: Platform, dataset: Dataset, sandbox: Sandbox, *, started: float, address: str) -> Outcome:
    store = platform.parts.store
    return Outcome(
        summary=await summarize(store, platform.parts.archive),
        served=tuple(sandbox.served),
        worst_adjusted=await adjusted_errors(store, dataset),
        seconds=time.perf_counter() - started,
        address=address,
    )


async def adjusted_errors(store: Store, dataset: Dataset) -> dict[str, float]:
    """Return, by symbol, the greatest relative error of our adjusted closes against the dataset's own."""
    worst = {}
    for listing in (await store.read("listings")).iter_rows(named=True):
        series = dataset.series[listing["symbol"]]
        mine = Selection(equal={"instrument_id": (listing["instrument_id"],)})
        adjusted = adjust(await store.read("bars", mine), await store.read("factors", mine), adjustment="all")
        both = adjusted.join(series.bars.select("ts_event", truth="adj_close"), on="ts_event", how="left")
        error = ((both["close"] - both["truth"]) / both["truth"]).abs().max()
        worst[listing["symbol"]] = float(str(error)) if error is not None else float("nan")
    return worst


def _show(outcome: Outcome, console: Console) -> None:
    summary = outcome.summary
    console.print(tables(summary))
    golden = int(summary.instruments["golden"].sum()) if len(summary.instruments) else 0
    worst = max(outcome.worst_adjusted.values(), default=float("nan"))
    console.print(
        f"[bold]{golden:,} golden rows[/bold] in {outcome.seconds:.1f} s; {outcome.faults_served} faults injected; "
        f"adjusted closes agree with the dataset's own to {worst:.1e} (allowed {TOLERANCE:.0e})."
    )


def _invite(address: str, data: Path, console: Console) -> None:
    """Say where to look now."""
    command = Path(sys.argv[0]).name
    here = os.path.relpath(sys.argv[0]) if command == "truetape" else "truetape"
    asked = f"{address}/v1/bars?symbols=AAPL&start=2005-02-25&end=2005-03-01&adjustment=all"
    console.print(f"\nThe API listens at [bold]{address}[/bold] (docs at {address}/docs). Ctrl-C stops it. Try:")
    for line in (f"curl '{asked}'", f"{here} explain AAPL 2005-02-28 --data {data}"):
        console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
