"""Get history: by the platform that runs on the data folder, or here if none does."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from truetape.adapters.data_folder import read_owner
from truetape.app.run import Platform
from truetape.app.settings import Settings
from truetape.domain.errors import StoreUnavailable
from truetape.services.api.backfills import PATH, Job, sound
from truetape.services.api.backfills import Wanted as Order
from truetape.services.ingestion.rounds import Wanted

POLL_S: Final = 0.5
TIMEOUT_S: Final = 30.0
LARGEST: Final = 4 << 20


@dataclass(frozen=True)
class Progress:
    """How far a backfill has come. `rate` is in rounds a second."""

    job_id: str
    planned: int
    done: int
    empty: int = 0
    waiting: int = 0
    unknown: tuple[str, ...] = ()
    rate: float | None = None
    seconds_left: float | None = None


async def fetch_history(
    settings: Settings, symbols: tuple[str, ...], wanted: Wanted, *, on_progress: Callable[[Progress], None]
) -> Progress:
    """Return how it ended: everything done, or the rest waiting for providers.

    Raises:
        BadInput: A symbol or a plan is not usable.
        FolderInUse: A process without an API owns the data folder.
        StoreUnavailable: The running platform did not answer.
    """
    order = sound(
        Order(symbols=symbols, start=wanted.start, end=wanted.end, timeframe=wanted.timeframe, kind=wanted.kind)
    )
    owner = read_owner(settings.data)
    if owner is not None and owner.address:
        return await _elsewhere(owner.address, order, on_progress)
    return await _here(settings, order, on_progress)


async def _here(settings: Settings, order: Order, on_progress: Callable[[Progress], None]) -> Progress:
    at_once = msgspec.structs.replace(settings, spend_evenly=False)  # somebody waits for it
    async with Platform(at_once, command="truetape backfill") as platform:
        await platform.recover()
        await platform.declare()
        request = await platform.backfill(order)
        await platform.parts.bus.drain()
        job = platform.rooms.ingestion.jobs[request.job_id]
        started = time.perf_counter()

        def now() -> Progress:
            elapsed = time.perf_counter() - started
            rate = job.done / elapsed if job.done else None
            left = (job.planned - job.done) / rate if rate else None
            return Progress(request.job_id, job.planned, job.done, job.empty, len(job.waiting), job.unknown, rate, left)

        work = asyncio.create_task(platform.rooms.ingestion.work(until_idle=True))
        try:
            while not work.done():
                on_progress(now())
                await asyncio.wait({work}, timeout=POLL_S)
            await work
        finally:
            work.cancel()
        await platform.settle()
        return now()


async def _elsewhere(address: str, order: Order, on_progress: Callable[[Progress], None]) -> Progress:
    body = msgspec.json.encode(order)
    taken = await asyncio.to_thread(_send, address, "POST", PATH, body)
    while True:
        job = await asyncio.to_thread(_send, address, "GET", f"{PATH}/{taken.job_id}", b"")
        progress = Progress(
            taken.job_id,
            job.planned,
            job.done,
            job.empty,
            job.waiting,
            job.unknown,
            job.rate,
            job.seconds_left,
        )
        on_progress(progress)
        if job.state in {"done", "waiting"}:
            return progress
        await asyncio.sleep(POLL_S)


def _send(address: str, method: str, path: str, body: bytes) -> Job:
    """Return the job that the platform at `address` tells of; one that it has not planned yet is told as accepted."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT_S)
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        told = answer.read(LARGEST)
    except (OSError, http.client.HTTPException) as error:
        raise StoreUnavailable(path=address, reason=f"no answer came ({str(error) or type(error).__name__})") from None
    finally:
        connection.close()
    if method == "GET" and answer.status == http.client.NOT_FOUND:
        return _accepted(path.rpartition("/")[2])
    if answer.status not in {http.client.OK, http.client.ACCEPTED}:
        raise StoreUnavailable(path=address, reason=f"it answered with status {answer.status}")
    return msgspec.json.decode(told, type=Job)


def _accepted(job_id: str) -> Job:
    return Job(job_id=job_id, state="accepted", symbols=0, kind="", timeframe="", start="", end="", requested="")
