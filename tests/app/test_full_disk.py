"""A platform whose disk fills up: it says so where people look, loses nothing, and goes on when there is room again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import msgspec
import polars as pl
import pytest
from aiohttp import web

from small_platform import SESSIONS, declared_settings, tape
from truetape.app.disk_settings import Disk
from truetape.app.run import Platform
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read
from truetape.app.watch_settings import ChannelSettings, Watching
from truetape.domain.messages import FindingsMade
from truetape.domain.schema import TABLES
from truetape.domain.wire import pack
from truetape.services.distribution.config import AlertRule

SIZE = "40m"
LONGEST_S = 60.0
RULES = tuple(
    AlertRule(name=name, channel="hook", checks=(f"{name}_trouble",), group_by=()) for name in ("store", "archive")
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Write a file until nothing more fits, and return it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    return filler


class Hook:
    """A webhook that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def hear(self, request: web.Request) -> web.Response:
        told = json.loads(await request.read())
        self.told.append(f"{told['title']}: {told['words']}")
        return web.Response()


@asynccontextmanager
async def alarmed(data: Path, sandbox_url: str) -> AsyncIterator[tuple[Platform, Hook]]:
    """A platform that watches its disk and alarms people, and those."""
    hook, app = Hook(), web.Application()
    app.router.add_post("/", hook.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channels = {"hook": ChannelSettings(by="webhook", url=f"http://127.0.0.1:{runner.addresses[0][1]}/")}
    watched = Watching(rules=RULES, channels=channels, disk=Disk(low_bytes=0))
    settings = msgspec.structs.replace(declared_settings(data, sandbox_url=sandbox_url), watching=watched)
    try:
        async with Platform(settings, command="test") as platform:
            await platform.serve()
            await platform.recover()
            await platform.declare()
            watching_disk = platform.disk.work(platform.rooms.storage, platform.parts.clock)
            tasks = [asyncio.create_task(one) for one in (watching_disk, platform.rooms.distribution.alarm())]
            try:
                yield platform, hook
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await runner.cleanup()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGEST_S):
        while not holds():  # noqa: ASYNC110  it is about what a platform comes to by itself
            await asyncio.sleep(0.05)


async def ready(platform: Platform) -> tuple[int, dict[str, Any]]:
    def ask() -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{platform.address}/readyz") as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    return await asyncio.to_thread(ask)


def findings() -> FindingsMade:
    rows = {
        name: pl.Series([os.urandom(4000).hex() if dtype == pl.String() else None for _ in range(200)], dtype=dtype)
        for name, dtype in TABLES["findings"].columns.items()
    }
    known = pl.lit(1).cast(TABLES["findings"].columns["ts_known"])
    frame = pl.DataFrame(rows).with_columns(ts_known=known, ts_event=known, simulated=pl.lit(value=True))
    return FindingsMade(source="test", ts_known=1, findings=pack(frame), simulated=True)


async def test_a_full_disk_is_told_and_overcome(small_disk: Path, tmp_path: Path) -> None:
    """Not ready, an alert, and work that waits; with room again all rows are there, and the alert is over."""
    sandbox = Sandbox(read(tape(tmp_path)))
    async with alarmed(small_disk / "data", await sandbox.start()) as (platform, hook):
        filler = fill(small_disk)
        working = asyncio.create_task(platform.acquire())
        await platform.parts.bus.publish(findings())
        await until(lambda: len(hook.told) == 2)
        full, alerted, waits = await ready(platform), sorted(hook.told), not working.done()
        filler.unlink()
        await working
        await until(lambda: len(hook.told) == 4)
        well = await ready(platform)
        stored = await platform.parts.store.read("bars")
        kept = await platform.parts.store.read("findings")
    await sandbox.stop()

    assert (503, "unavailable") == (full[0], full[1]["status"])
    assert {"archive", "store"} <= full[1]["troubles"].keys()
    assert waits
    assert ["archive firing", "store firing"] == [one.partition(":")[0] for one in alerted]
    assert all("No space left on device" in one or "no space left on device" in one for one in alerted)
    assert 200 == well[0]
    assert not {"archive", "store"} & {*well[1]["troubles"]}
    assert ["archive resolved", "store resolved"] == sorted(one.partition(":")[0] for one in hook.told[2:])
    assert 200 == len(kept.filter(pl.col("instrument_id").str.len_chars() == 8000))
    assert len(stored) == 2 * SESSIONS
