"""The server inside the process: it really answers, stops, and says when it cannot start."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from litestar import Litestar

from small_market import NOW_NS, fill
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.domain.errors import BadInput, PortInUse
from truetape.services.api.config import ApiConfig
from truetape.services.api.rest import build
from truetape.services.api.serve import Served


def application(store: DuckdbStore) -> Litestar:
    clock = SetClock(NOW_NS)
    cache = MemoryCache(max_bytes=1 << 20, clock=clock)
    return build(store=store, archive=None, cache=cache, clock=clock, config=ApiConfig(), readiness=dict)


async def test_a_served_application_answers_and_stops(tmp_path: Path) -> None:
    """Inside `async with` it answers over HTTP; after it nobody listens."""
    store = await fill(DuckdbStore(tmp_path / "store.duckdb"))
    async with Served(application(store), "127.0.0.1", 0) as served, aiohttp.ClientSession() as client:
        async with client.get(f"{served.address}/v1/bars?symbols=AAPL&end=2005-02-24") as answer:
            told = json.loads(await answer.read())
            assert answer.headers["x-content-type-options"] == "nosniff"
        async with client.get(f"{served.address}/v1/explain/AAPL/2005-02-25") as answer:
            assert [claim["payload_bytes"] for claim in (await answer.json())["claims"]] == [None, None, None]
        async with client.post(f"{served.address}/v1/bars", data=b"x" * 100) as answer:
            assert answer.status == 405
    await store.close()

    assert [88.0] == [row["close"] for row in told["bars"]]
    with pytest.raises(OSError, match=r"refused|Connect"):
        await asyncio.open_connection("127.0.0.1", urlsplit(served.address).port)


async def test_names_and_wildcards_are_served(tmp_path: Path) -> None:
    """A host name works, and a wildcard's address is one that can be asked."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    for host in ("localhost", "0.0.0.0"):
        async with (
            Served(application(store), host, 0) as served,
            aiohttp.ClientSession() as client,
            client.get(f"{served.address}/healthz") as answer,
        ):
            assert answer.status == 200
    await store.close()


async def test_a_busy_port_is_named(tmp_path: Path) -> None:
    """Another program's port is not taken and not shared."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port} is in use") as refused:
            async with Served(application(store), "127.0.0.1", port):
                pass
    await store.close()

    assert refused.value.address == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("host", "port", "parameter"),
    [("203.0.113.7", 0, "host"), ("no such host", 0, "host"), ("127.0.0.1", 70_000, "port")],
)
async def test_a_place_that_is_not_ours_is_refused(tmp_path: Path, host: str, port: int, parameter: str) -> None:
    """An address of another machine or an impossible port gets a clear answer."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    with pytest.raises(BadInput) as refused:
        async with Served(application(store), host, port):
            pass
    await store.close()

    assert refused.value.parameter == parameter
