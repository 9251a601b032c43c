"""Trades a second through one core: from a WebSocket on this machine to the batch that is told.

Ours is what `truetape up` does with a stream until other rooms hear of it: it reads frames, archives and journals them
in segments, decodes them into frames of trades, keeps those in the store with the minutes that they make, and tells
these. The peer reads the same
frames from the same server and calls json.loads. Both run in a process of their own on one core; the server has
another.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from aiohttp import web

from perf.measure import Result, result
from truetape.app.parts import Parts, embedded
from truetape.app.settings import ProviderSettings, Settings
from truetape.app.wiring import Rooms, wire
from truetape.domain.messages import DeclaredListing, InstrumentsDeclared
from truetape.domain.time import to_datetime
from truetape.services.ingestion.streams import StreamsConfig

FRAMES, BATCH = 6000, 100  # frames, and trades in each
SYMBOLS = 50
ROUNDS = 3
WANTED = 50_000  # trades a second
BAR = 0.03
START_S = 1_717_977_600  # 2024-06-10T00:00:00Z
PER_SECOND = 8000  # trades of one second of the venue's clock: a minute is over, and is built, in between


def measure() -> Iterator[Result]:
    """Yield trades a second, beside what is wanted and beside json.loads."""
    ours, peer = [], []
    with _server() as url:
        for _ in range(ROUNDS):
            ours.append(_rate("ours", url))
            peer.append(_rate("peer", url))
    mine, theirs = statistics.median(ours), statistics.median(peer)
    yield result(
        "streaming",
        unit="trades/s",
        ours=mine,
        peer=WANTED,
        peer_name=f"budget of {WANTED:,} trades/s on one core",
        bar=1.0,
        better="higher",
    )
    yield result(
        "streaming_beside_json",
        unit="trades/s",
        ours=mine,
        peer=theirs,
        peer_name="the same socket, json.loads and nothing else",
        bar=BAR,
        better="higher",
    )


def frames() -> list[str]:
    """Return what Alpaca would send: arrays of trades of many symbols."""
    every = [_trade(number) for number in range(FRAMES * BATCH)]
    return [f"[{','.join(every[first : first + BATCH])}]" for first in range(0, len(every), BATCH)]


def _trade(number: int) -> str:
    trade = {
        "T": "t",
        "S": f"S{number % SYMBOLS:03d}",
        "i": number,
        "x": "V",
        "p": 100 + number % 37 / 100,
        "s": 100 + number % 5,
        "c": ["@"],
        "t": _instant(number),
        "z": "C",
    }
    return json.dumps(trade, separators=(",", ":"))


def _instant(number: int) -> str:
    seconds, rest = divmod(number, PER_SECOND)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(START_S + seconds))
    return f"{moment}.{rest * (10**9 // PER_SECOND):09d}Z"


class _server:  # noqa: N801  used like a function
    """A process that says everything to whoever has subscribed, or at once where the path is /bare."""

    def __enter__(self) -> str:
        here, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
        self._process.start()
        port: int = here.recv()
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.join()


def _serve(told: Connection) -> None:
    _pin(1)
    asyncio.run(_say_all(told, frames()))


async def _say_all(told: Connection, said: list[str]) -> None:
    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await socket.prepare(request)
        if not request.path.startswith("/bare"):
            await socket.send_str('[{"T":"success","msg":"connected"}]')
            await socket.receive()
            await socket.send_str('[{"T":"success","msg":"authenticated"}]')
            await socket.receive()
        for frame in said:
            await socket.send_str(frame)
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/{path:.*}", talk)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told.send(runner.addresses[0][1])
    await asyncio.Event().wait()


def _rate(whose: str, url: str) -> float:
    """Return the trades a second of a process of its own."""
    command = [sys.executable, "-m", "perf.streaming", whose, url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return FRAMES * BATCH / float(done.stdout.split()[-1])


async def _peer(url: str) -> float:
    """Return the seconds from the first frame to the last, read and parsed."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/bare", max_msg_size=0) as socket:
        trades = len(json.loads((await socket.receive()).data))
        started = time.perf_counter()
        while trades < FRAMES * BATCH:
            trades += len(json.loads((await socket.receive()).data))
        return time.perf_counter() - started


async def _ours(url: str) -> float:
    """Return the seconds from the first frame to the last batch that was told."""
    day = to_datetime(START_S * 10**9).date()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data=Path(folder) / "data",
            simulated=True,
            start=day,
            end=day,
            instruments=tuple(DeclaredListing(symbol=f"S{number:03d}", mic="XNYS") for number in range(SYMBOLS)),
            providers={"alpaca": ProviderSettings(base_url=url, key="key", secret="secret")},
            streams={"alpaca": ("trades",)},
        )
        parts = embedded(settings, command="bench")
        rooms = wire(parts, settings)
        for room in (rooms.reference, rooms.ingestion, rooms.processing):
            room.subscribe()
        await parts.bus.publish(
            InstrumentsDeclared(listings=settings.instruments, start=day, end=day, ts_known=1, simulated=True)
        )
        await parts.bus.drain()
        listening = asyncio.create_task(rooms.ingestion.listen())
        seconds = await _all_kept(parts, rooms)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await parts.close()
        return seconds


async def _all_kept(parts: Parts, rooms: Rooms) -> float:
    """Return the seconds from the first frame, which the first segment tells, until everything is kept and told."""
    tallies, every = rooms.ingestion.live.tally, FRAMES * BATCH
    while not any(one.connected or one.segments for one in tallies.values()):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    started = time.perf_counter() - StreamsConfig().segment_s
    while tallies["alpaca"].ticks < every:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await parts.bus.drain()
    seconds = time.perf_counter() - started
    kept = (await parts.store.read("segments"))["trades"].sum()
    minutes = await parts.store.read("bar_claims")
    if kept != every or len(minutes) != SYMBOLS or parts.bus.dead_letters:
        raise RuntimeError(f"{kept} trades and {len(minutes)} minutes were kept")
    return seconds


def _pin(core: int) -> None:
    """Keep this process, with all threads that it begins, on one core; where that is not possible, it has all."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


if __name__ == "__main__":
    _pin(0)
    print(asyncio.run({"ours": _ours, "peer": _peer}[sys.argv[1]](sys.argv[2])))
