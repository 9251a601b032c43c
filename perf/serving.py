"""Requests a second of `GET /v1/bars`, beside the same server sending as many constant bytes."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from litestar import MediaType, Response, get

from perf.measure import Result, result
from perf.reading import fill

CONNECTIONS = 16
SECONDS = 2.0
TURNS = 3
BAR = 0.5
BARS = "/v1/bars?symbols=S007&start=2012-01-01&end=2012-12-31&adjustment=all"


def measure() -> Iterator[Result]:
    """Yield the API's requests a second for one year of daily bars in JSON."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        asyncio.run(fill(data))
        ours, theirs = _served(data)
    yield result(
        "api_bars",
        unit="requests/s",
        ours=ours,
        peer=theirs,
        peer_name="same server, constant bytes",
        bar=BAR,
        better="higher",
    )


def _served(data: Path) -> tuple[float, float]:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(data, there), daemon=True)
    server.start()
    try:
        port = here.recv()
        taken: dict[str, list[float]] = {BARS: [], "/constant": []}
        for _ in range(TURNS):
            for path, rates in taken.items():
                rates.append(asyncio.run(_load(port, path)))
        return statistics.median(taken[BARS]), statistics.median(taken["/constant"])
    finally:
        server.kill()
        server.join()


def _serve(data: Path, pipe: Connection) -> None:
    asyncio.run(_host(data, pipe))


async def _host(data: Path, pipe: Connection) -> None:
    """Serve the API of `data` with one more route, which sends what one request for bars was answered with."""
    from truetape.adapters.duckdb_store import DuckdbStore
    from truetape.adapters.file_archive import FileArchive
    from truetape.adapters.memory_cache import MemoryCache
    from truetape.adapters.system_clock import SystemClock
    from truetape.services.api.config import ApiConfig
    from truetape.services.api.rest import build
    from truetape.services.api.serve import Served

    clock = SystemClock()
    app = build(
        store=DuckdbStore(data / "truetape.duckdb"),
        archive=FileArchive(data / "archive"),
        cache=MemoryCache(max_bytes=64 << 20, clock=clock),
        clock=clock,
        config=ApiConfig(),
        readiness=dict,
    )
    kept = {"body": b""}

    @get("/constant", media_type=MediaType.JSON)
    async def constant() -> Response[bytes]:
        return Response(kept["body"], media_type=MediaType.JSON)

    app.register(constant)
    async with Served(app, "127.0.0.1", 0) as served:
        port = int(served.address.rsplit(":", 1)[1])
        head, kept["body"] = (await _answer(port, BARS)).split(b"\r\n\r\n", 1)
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"the API answered {head!r} {kept['body'][:300]!r}")
        pipe.send(port)
        await asyncio.Event().wait()


def _request(path: str, *, last: bool) -> bytes:
    closing = "Connection: close\r\n" if last else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{closing}\r\n".encode()


async def _answer(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(path, last=True))
    body = await reader.read()
    writer.close()
    return body


async def _load(port: int, path: str) -> float:
    """Return the answers a second that some connections got, each asking again as soon as it was answered."""
    request = _request(path, last=False)
    deadline = time.perf_counter() + SECONDS

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < deadline:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            done += 1
        writer.close()
        return done

    started = time.perf_counter()
    answered = await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return sum(answered) / (time.perf_counter() - started)
