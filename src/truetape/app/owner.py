"""Have something done by the platform that runs on a data folder, or here if none does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from truetape.adapters.data_folder import read_owner
from truetape.app.library_remote import RemoteSource

if TYPE_CHECKING:
    from truetape.app.run import Platform

Answer = TypeVar("Answer")


async def by_owner(
    data: Path,
    *,
    file: Path | None,
    command: str,
    there: Callable[[RemoteSource], Answer],
    here: Callable[[Platform], Awaitable[Answer]],
) -> Answer:
    """Return what `there` gets of the platform that serves the folder `data`, else what `here` does on one of ours.

    Ours asks no provider, and has caught up with its journal before. `file` is the settings file, if there may be one,
    and `command` who owns the folder meanwhile.

    Raises:
        FolderInUse: A process without an API owns the data folder.
        WrongFolder: It is no data folder.
        StoreUnavailable: The running platform did not answer, or the disk is full.
    """
    from truetape.app.desk import settings_of
    from truetape.app.run import Platform

    owner = read_owner(data)
    if owner is not None and owner.address:
        return await asyncio.to_thread(at, owner.address, there)
    settings = await asyncio.to_thread(settings_of, data, file=file)
    async with Platform(settings, command=command) as platform:
        await platform.recover()
        return await here(platform)


def at(url: str, ask: Callable[[RemoteSource], Answer]) -> Answer:
    """Return what `ask` gets of the server at `url`.

    Raises:
        StoreUnavailable: It did not answer.
        TruetapeError: As the server says.
    """
    server = RemoteSource(url)
    try:
        return ask(server)
    finally:
        server.close()
