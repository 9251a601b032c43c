"""A platform that hears the sandbox's stream, as a process of its own that can be killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from small_platform import declared_settings
from truetape.app.run import Platform
from truetape.app.settings import ProviderSettings, Settings


def listening(data: Path, url: str) -> Settings:
    """Return settings that hear the trades of Alpaca's stand-in at `url`, and ask nobody else."""
    given = {
        "providers": {"alpaca": ProviderSettings(base_url=f"{url}/alpaca", key="sandbox", secret="sandbox")},
        "streams": {"alpaca": ("trades",)},
    }
    return msgspec.structs.replace(declared_settings(data, sandbox_url=url), **given)


def listen(data: Path, url: str) -> None:
    """Hear the stream until somebody kills this process."""
    asyncio.run(_listen(listening(data, url)))


async def _listen(settings: Settings) -> None:
    async with Platform(settings, command="truetape up") as platform:
        await platform.recover()
        await platform.declare()
        await platform.rooms.ingestion.listen()
