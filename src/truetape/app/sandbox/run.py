"""The command `truetape sandbox`: show what is served, and serve until it is stopped."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from truetape.app.sandbox.compose import choose_script
from truetape.app.sandbox.dataset import Dataset, bokeh, read
from truetape.app.sandbox.desks import NAMES
from truetape.app.sandbox.faults import Script
from truetape.app.sandbox.server import Sandbox
from truetape.app.sandbox.streams.examples import examples
from truetape.app.sandbox.streams.rehearsal import every_stream_fault

EXAMPLES: Final = (
    "/yahoo/v8/finance/chart/{symbol}?range=5d&interval=1d&events=div,splits",
    "/alpha_vantage/query?function=TIME_SERIES_DAILY_ADJUSTED&symbol={symbol}&apikey=any",
    "/finnhub/api/v1/quote?symbol={symbol}&token=any",
    "/iex_cloud/v1/stock/{symbol}/chart/5d?token=any",
    "/faults",
)
SPEED: Final = 60.0  # a minute of the last day in a second
_SHOWN: Final = 40


async def run_sandbox(
    *,
    data: Path | None,
    faults: str,
    seed: int,
    host: str,
    port: int,
    speed: float = SPEED,
    console: Console | None = None,
) -> None:
    """Serve the dataset `data` (by default the demo's five stocks) with `faults` (all, none or a TOML file).

    Prints the address, the symbols, example questions, streams and the faults, then serves until it is cancelled.
    Streams play the last day `speed` times faster than life; 0 as fast as possible.

    Raises:
        BadInput: The data or the fault script cannot be used, or the demo's data are not installed.
        PortInUse: Another program listens on the address.
    """
    dataset = bokeh() if data is None else read(data)
    script = choose_script(faults, dataset=dataset, providers=NAMES, seed=seed)
    if faults == "all":
        script += every_stream_fault(seed=seed)
    await serve(dataset, script, seed=seed, host=host, port=port, speed=speed, console=console)


async def serve(
    dataset: Dataset,
    script: Script,
    *,
    seed: int = 7,
    host: str,
    port: int,
    speed: float = SPEED,
    console: Console | None = None,
) -> None:
    """Serve `dataset` under `script` until cancelled.

    Raises:
        BadInput: A fault names a symbol that the dataset has not, or the speed cannot be kept.
        PortInUse: Another program listens on the address.
    """
    console = console or Console()
    sandbox = Sandbox(dataset, script, seed=seed, speed=speed)
    address = await sandbox.start(host, port)
    try:
        show(sandbox, address, console)
        await asyncio.Event().wait()
    finally:
        await sandbox.stop()


def show(sandbox: Sandbox, address: str, console: Console) -> None:
    """Print what `sandbox` serves at `address`."""
    dataset = sandbox.dataset
    symbols = ", ".join(dataset.symbols[:_SHOWN])
    console.print(f"The sandbox listens at [bold]{address}[/bold] (seed {sandbox.seed}). Ctrl-C stops it.")
    console.print(
        f"{len(dataset.symbols)} symbols of {escape(dataset.name)}, {dataset.start} to {dataset.end}: {escape(symbols)}"
    )
    for path in EXAMPLES:
        line = f"  curl '{address}{path.format(symbol=dataset.symbols[0])}'"
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    told = f"Streams play {dataset.end}, {_fast(sandbox.speed)}; say there what stands behind the arrows:"
    console.print(told, soft_wrap=True, highlight=False)
    for url, frames in examples(address, dataset.symbols[0]):
        console.print(f"  {' <- '.join([url, *frames])}", soft_wrap=True, highlight=False, markup=False)
    if sandbox.script:
        console.print(_faults(sandbox.script))
    else:
        console.print("No faults: every provider tells the truth.")


def _fast(speed: float) -> str:
    return f"{speed:g} times as fast as life" if speed else "as fast as possible"


def _faults(script: Script) -> Table:
    table = Table(title="Faults in the script", title_justify="left", title_style="bold", header_style="dim")
    table.add_column("kind", no_wrap=True)
    table.add_column("providers, and how often where it is more than once")
    for kind in dict.fromkeys(fault.kind for fault in script):
        counted = Counter(fault.provider for fault in script if fault.kind == kind)
        table.add_row(kind, ", ".join(_times(provider, counted[provider]) for provider in sorted(counted)))
    return table


def _times(provider: str, times: int) -> str:
    return provider if times == 1 else f"{provider} {times}"
