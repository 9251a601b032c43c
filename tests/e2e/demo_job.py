"""The demo's job without its waits, to be run in a process of its own and killed there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from truetape.app.demo import PROVIDERS, demo_settings
from truetape.app.run import Platform
from truetape.app.sandbox import Sandbox, all_faults
from truetape.app.sandbox.dataset import Dataset

SEED = 7
PATIENCE_S = 0.8


def run(data: Path, dataset: Dataset) -> None:
    """Acquire the stocks of `dataset` with every fault on, and end when all is stored and derived.

    What the process prints is thrown away.
    """
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        sys.stdout = sys.stderr = nowhere
        asyncio.run(_run(data, dataset))


async def _run(data: Path, dataset: Dataset) -> None:
    script = all_faults(dataset.symbols, PROVIDERS, seed=SEED, with_splits=dataset.with_splits)
    hasty = tuple(msgspec.structs.replace(fault, seconds=2 * PATIENCE_S, retry_after_s=0) for fault in script)
    sandbox = Sandbox(dataset, hasty, seed=SEED)
    url = await sandbox.start()
    settings = demo_settings(dataset, data=data, host="127.0.0.1", port=0, sandbox_url=url)
    async with Platform(msgspec.structs.replace(settings, timeout_s=PATIENCE_S), command="demo") as platform:
        await platform.serve()
        await platform.recover()
        await platform.declare()
        await platform.acquire()
    await sandbox.stop()
