"""`truetape doctor`: what is configured, what can be reached, what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, FINDINGS, Config, Json, out, run, write_json

if TYPE_CHECKING:
    from truetape.app.settings import Settings

PACKAGES: Final = ("truetape", "duckdb", "polars", "pyarrow", "litestar", "granian")
PATIENCE_S: Final = 3.0
LEAST_FREE_BYTES: Final = 1 << 30
COLOURS: Final = {"ok": "green", "note": "yellow", "bad": "red"}


@dataclass(frozen=True)
class Sign:
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "note", "bad"]
    words: str


def doctor(*, config: Config = DEFAULT_PATH, as_json: Json = False) -> None:
    """Look at the installation, the settings, the data folder, the keys, the port and every provider."""
    signs = run(_look(config), as_json=as_json)
    if as_json:
        write_json([asdict(one) for one in signs])
    else:
        console = out()
        for one in signs:
            console.print(f"[{COLOURS[one.state]}]{one.state:4}[/] {one.what}: ", end="")
            console.print(one.words, markup=False, highlight=False, soft_wrap=True)
    if any(one.state == "bad" for one in signs):
        raise typer.Exit(FINDINGS)


async def _look(config: Path) -> list[Sign]:
    from truetape.app.settings import load
    from truetape.domain.errors import BadInput

    installed = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    signs = [Sign("installation", "ok", f"Python {platform.python_version()}, {installed}")]
    try:
        settings = load(config, os.environ)
    except BadInput as error:
        return [*signs, Sign("settings", "bad", str(error))]
    signs.append(Sign("settings", "ok", f"{config}, {len(settings.instruments)} instruments from {settings.start}"))
    signs += [_folder(settings), *_database(settings), _space(settings.data), _port(settings), *_keys(settings)]
    return signs + await _providers(settings)


def _folder(settings: Settings) -> Sign:
    from truetape.adapters.data_folder import read_marker, read_owner
    from truetape.domain.errors import TruetapeError

    data = settings.data
    if not data.exists():
        return Sign("data folder", "ok", f"{data} will be made")
    try:
        marker, owner = read_marker(data), read_owner(data)
    except TruetapeError as error:
        return Sign("data folder", "bad", str(error))
    if owner is not None:
        return Sign("data folder", "note", f"{data} is in use by {owner}")
    if not os.access(data, os.W_OK):
        return Sign("data folder", "bad", f"{data} cannot be written by this user; change its owner or choose another")
    if marker is not None and marker.simulated != settings.simulated:
        holds, wanted = ("simulated", "live") if marker.simulated else ("live", "simulated")
        return Sign("data folder", "bad", f"{data} holds {holds} data; choose another folder for {wanted} data")
    return Sign("data folder", "ok", str(data))


def _database(settings: Settings) -> Iterator[Sign]:
    """Yield what the database that the settings name can do, and what it lacks."""
    from truetape.app.store_choice import examined
    from truetape.domain.errors import TruetapeError

    if not settings.database.address:
        return
    try:
        found = examined(settings.database.address, simulated=settings.simulated)
    except TruetapeError as error:
        yield Sign("database", "bad", str(error))
        return
    timescale = f"TimescaleDB {found.extension}" if found.extension else "without TimescaleDB"
    yield Sign("database", "ok", f"{found.where}, PostgreSQL {found.server} {timescale}; {found.state}")
    if found.missing:
        words = f"missing: {', '.join(found.missing)}; plain partitions are used instead"
        yield Sign("database", "note", words)
    for trouble in found.troubles:
        yield Sign("database", "note", trouble)


def _space(data: Path) -> Sign:
    nearest = next(one for one in (data, *data.resolve().parents) if one.exists())
    free = shutil.disk_usage(nearest).free
    words = f"{free / (1 << 30):.1f} GiB free"
    return Sign("disk", "ok" if free >= LEAST_FREE_BYTES else "note", words)


def _port(settings: Settings) -> Sign:
    address = f"{settings.host}:{settings.port}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Sign("port", "note", f"{address} cannot be used now: {error.strerror}")
    return Sign("port", "ok", f"{address} is free")


def _keys(settings: Settings) -> Iterator[Sign]:
    for name, chosen in settings.providers.items():
        variable = chosen.key_variable
        if variable and chosen.enabled:
            missing = Sign(f"key of {name}", "bad", f"missing: set {variable}, or disable {name}")
            yield Sign(f"key of {name}", "ok", f"{variable} is set") if chosen.key else missing


async def _providers(settings: Settings) -> list[Sign]:
    """Ask each provider for one bar of the first instrument."""
    import asyncio
    from datetime import timedelta

    from truetape.adapters.aiohttp_http import AiohttpHttp
    from truetape.app.parts import providers
    from truetape.domain.asks import Ask
    from truetape.ports.http import Unreachable
    from truetape.ports.provider import Provider

    http = AiohttpHttp(timeout_s=PATIENCE_S)

    async def one(name: str, provider: Provider) -> Sign:
        ask = Ask(
            kind="bars",
            symbol=provider.spell(settings.instruments[0].symbol),
            start=settings.start,
            end=settings.start + timedelta(days=7),
        )
        try:
            failure = provider.classify(await provider.client.fetch(ask))
        except Unreachable as error:
            return Sign(f"provider {name}", "bad", error.reason)
        if failure is not None:
            return Sign(f"provider {name}", "note", f"answered, but refused ({failure.failure_class}): {failure.words}")
        return Sign(f"provider {name}", "ok", "answered with data")

    try:
        asked = [one(name, provider) for name, provider in providers(settings, http).items()]
        return list(await asyncio.gather(*asked))
    finally:
        await http.close()
