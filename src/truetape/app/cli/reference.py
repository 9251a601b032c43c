"""`truetape reference`: fetch lists of reference data, or load them from files."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, Config, Json, call, err, out, run, write_json

if TYPE_CHECKING:
    from truetape.app.registers import Read
    from truetape.app.run import Platform
    from truetape.app.settings import Settings
    from truetape.domain.registers import Register

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="A provider: sec, nasdaq_trader, iso10383, gleif ...")]
Kind = Annotated[
    str, typer.Option(metavar="KIND", help="listings, venues, currencies, issuers or identifiers; else its first.")
]
About = Annotated[str, typer.Option("--symbol", help="What it is about, if not the whole list: a CIK, an LEI ...")]
COMMAND: Final = "truetape reference"

reference = typer.Typer(
    name="reference", help="Fetch lists of reference data, or load them.", no_args_is_help=True, rich_markup_mode=None
)


@reference.command()
def fetch(
    source: Source, *, kind: Kind = "", symbol: About = "", config: Config = DEFAULT_PATH, as_json: Json = False
) -> None:
    """Fetch a list now, archive it, and tell what it changed.

    The settings must enable the provider; its quota counts as always. Lists
    that they name under [reference.lists] are fetched by themselves.
    """
    from truetape.app.registers import fetch_here, wanted

    register = call(lambda: wanted(source, kind, symbol), as_json=as_json)
    settings = call(lambda: _settings(config), as_json=as_json)
    _do(settings, register, lambda platform: fetch_here(platform, register), as_json=as_json)


@reference.command()
def load(
    source: Source,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The list as the provider sends it, plain or gzip.")],
    *,
    kind: Kind = "",
    symbol: About = "",
    data: Annotated[Path | None, typer.Option("--data", help="Data folder, if not that of the settings.")] = None,
    config: Config = DEFAULT_PATH,
    as_json: Json = False,
) -> None:
    """Load a list from a file, as if it had been fetched now.

    Nobody is asked. The bytes are archived as all answers are.
    """
    from truetape.app.registers import enabling, load_here, wanted

    register = call(lambda: wanted(source, kind, symbol), as_json=as_json)
    settings = call(lambda: enabling(_folder(data, config), source), as_json=as_json)
    _do(settings, register, lambda platform: load_here(platform, register, file), as_json=as_json)


def _settings(config: Path) -> Settings:
    import os

    from truetape.app.settings import load as load_settings

    return load_settings(config, os.environ)


def _folder(data: Path | None, config: Path) -> Settings:
    """Return the settings of the file `config`, about the folder `data` if one is named; without a file, that alone."""
    import time

    import msgspec

    from truetape.app.settings import Settings
    from truetape.domain.time import to_datetime

    if not config.exists():
        return Settings(data=data or Path("data"), start=to_datetime(time.time_ns()).date())
    settings = _settings(config)
    return msgspec.structs.replace(settings, data=data) if data is not None else settings


def _do(
    settings: Settings,
    register: Register,
    work: Callable[[Platform], Coroutine[Any, Any, Read]],
    *,
    as_json: bool,
) -> None:
    from truetape.app.run import Platform

    async def done() -> Read:
        async with Platform(settings, command=COMMAND) as platform:
            await platform.recover()
            return await work(platform)

    with err().status(f"reading {register.kind} of {register.provider}"):
        read = run(done(), as_json=as_json)
    if as_json:
        write_json(read)
        return
    pages = f" on {read.pages} pages" if read.pages > 1 else ""
    console = out()
    console.print(f"{read.rows:,} {read.kind} of {read.provider}{pages}.", highlight=False, soft_wrap=True)
    changed = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in read.counts.items())
    if changed:
        console.print(f"Since the list before: {changed}.", highlight=False, soft_wrap=True)
    if read.held:
        told = f"{read.held:,} changes are held back, since the list seems not to be whole: {read.words}."
        console.print(told, markup=False, highlight=False, soft_wrap=True)
