"""`truetape demo`, `truetape up` and `truetape sandbox`: what runs until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, Config, Data, call, err, run

if TYPE_CHECKING:
    from truetape.app.run import Platform

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")]
Seed = Annotated[int, typer.Option(help="Chooses which requests and rows the faults hit.")]


def demo(
    *,
    data: Data = Path("demo-data"),
    host: Host = "127.0.0.1",
    port: Port = 8000,
    seed: Seed = 7,
    faults: Annotated[bool, typer.Option(help="Let the simulated providers fail in every way they can.")] = True,
    leave: Annotated[bool, typer.Option("--exit", help="Leave when all is stored, instead of serving on.")] = False,
) -> None:
    """Acquire five real stocks from four simulated providers with faults on, then serve them."""
    from truetape.app.demo import run_demo

    run(run_demo(data=data, host=host, port=port, faults=faults, seed=seed, stay=not leave))


def up(*, config: Config = DEFAULT_PATH) -> None:
    """Acquire from live providers and serve, until stopped. Needs a settings file: see `truetape init`."""
    import os

    from truetape.app.settings import load

    settings = call(lambda: load(config, os.environ))

    def told(platform: Platform) -> None:
        planned = platform.rooms.ingestion.tally.rounds_planned
        err().print(f"Listening at [bold]{platform.address}[/bold] (docs at {platform.address}/docs).", soft_wrap=True)
        err().print(
            f"{planned} series to acquire. Logs: {settings.data}/truetape.log. Ctrl-C stops it.",
            markup=False,
            soft_wrap=True,
        )

    from truetape.app.run import up as run_up

    run(
        run_up(
            settings,
            on_start=told,
            on_trouble=lambda words: err().print(words, style="yellow", markup=False, soft_wrap=True),
        )
    )


def sandbox(
    *,
    data: Annotated[Path | None, typer.Option(help="Bars to serve, CSV or Parquet; without it, the demo's.")] = None,
    faults: Annotated[str, typer.Option(help='"all", "none", or a TOML file of faults.')] = "none",
    seed: Seed = 7,
    host: Host = "127.0.0.1",
    port: Port = 8100,
    speed: Annotated[
        float, typer.Option(help="How many times faster than life streams play the last day; 0 as fast as possible.")
    ] = 60.0,
) -> None:
    """Speak the providers' wire formats and streams over any bars, with faults to rehearse."""
    from truetape.app.sandbox import run_sandbox

    run(run_sandbox(data=data, faults=faults, seed=seed, host=host, port=port, speed=speed))
