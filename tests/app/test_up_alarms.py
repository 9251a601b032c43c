"""A whole platform alarms people of what it quarantined: over a real webhook, once, also after a restart."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from small_platform import declared_settings, tape
from truetape.app.run import LOG, Platform
from truetape.app.sandbox import Fault, Sandbox
from truetape.app.sandbox.dataset import read
from truetape.app.settings import Settings
from truetape.app.watch_settings import ChannelSettings, Watching
from truetape.services.distribution.config import AlertRule

TOKEN = "t0ken-that-nobody-may-see"
CENTURY_S = 36_500 * 86_400.0
RULE = AlertRule(
    name="far off",
    channel="hook",
    severity="warning",
    providers=("yahoo",),
    newer_than_s=CENTURY_S,
    group_by=("provider",),
)


class Receiver:
    """A webhook that keeps what it was told; at first it is not well."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.tries = 0

    async def hear(self, request: web.Request) -> web.Response:
        self.tries += 1
        if self.tries == 1:
            return web.Response(status=503)
        self.told.append(json.loads(await request.read()))
        return web.Response()


async def run(settings: Settings, receiver: Receiver, *, until: int) -> None:
    """Acquire everything and tell people, until the receiver was told so often, or has had a second for it."""
    async with Platform(settings, command="test") as platform:
        await platform.recover()
        await platform.declare()
        await platform.acquire()
        alarming = asyncio.create_task(platform.rooms.distribution.alarm())
        for _ in range(20):
            await asyncio.sleep(0.1)
            if len(receiver.told) >= until:
                break
        alarming.cancel()
        await asyncio.gather(alarming, return_exceptions=True)


async def test_people_are_told_once(tmp_path: Path) -> None:
    """One alert for the provider whose prices are a hundredfold; no log holds the token of the address."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post(f"/{TOKEN}", receiver.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    dataset = read(tape(tmp_path))
    sandbox = Sandbox(dataset, (Fault(provider="yahoo", kind="hundredfold", symbol="AAA"),))
    url = await sandbox.start()
    hook = ChannelSettings(by="webhook", url=f"http://127.0.0.1:{runner.addresses[0][1]}/{TOKEN}")
    settings = msgspec.structs.replace(
        declared_settings(tmp_path / "data", sandbox_url=url),
        watching=Watching(rules=(RULE,), channels={"hook": hook}),
    )
    try:
        await run(settings, receiver, until=1)
        await run(settings, receiver, until=2)
    finally:
        await sandbox.stop()
        await runner.cleanup()

    assert [("far off firing: provider yahoo", "yahoo", True)] == [
        (one["title"], one["labels"]["provider"], one["simulated"]) for one in receiver.told
    ]
    assert TOKEN not in (tmp_path / "data" / LOG).read_text(encoding="utf-8")
