"""Bars in one go: what pages hold, of one state of the store, in bounded memory, given back when nobody reads."""

from __future__ import annotations

import asyncio
import http.client
import io
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest
from endless_store import EndlessStore
from litestar.testing import TestClient

from small_market import APPLE, META, NOW_NS, fill, golden
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.app.library_remote import RemoteSource
from truetape.domain.errors import StoreUnavailable
from truetape.ports.store import Store
from truetape.services.api.asking import Teller
from truetape.services.api.config import ApiConfig
from truetape.services.api.endpoint import STREAM
from truetape.services.api.flow import Flow
from truetape.services.api.parameters import checked
from truetape.services.api.query import BarsQuery
from truetape.services.api.receipts import Question
from truetape.services.api.rest import build
from truetape.services.api.serve import Served
from truetape.services.api.streams import Streams

CLOCK = SetClock(NOW_NS)
READERS: dict[str, Callable[[bytes], pl.DataFrame]] = {
    "arrow": lambda body: pl.read_ipc_stream(io.BytesIO(body)),
    "csv": pl.read_csv,
    "ndjson": pl.read_ndjson,
}
MEMORY = """
import asyncio, resource, sys
from endless_store import EndlessStore
from test_api_streams import CLOCK, asked, streams

async def stream(bars: int) -> int:
    streamed = await streams(EndlessStore(bars)).bars(asked(form=sys.argv[1]))
    return sum([len(chunk) async for chunk in streamed.chunks])

asyncio.run(stream(200_000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = asyncio.run(stream(2_000_000))
print(size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def streams(store: Store, **more: Any) -> Streams:
    return Streams(Teller(store=store, archive=None, clock=CLOCK, config=ApiConfig()), **more)


def asked(form: str = "csv", **given: str) -> Question:
    endpoint = Teller(store=EndlessStore(0), archive=None, clock=CLOCK, config=ApiConfig()).endpoints[STREAM]
    return Question(STREAM, {}, checked({"symbols": "AAPL", **given}, endpoint.parameters), form)


def app(store: Store) -> Any:
    cache = MemoryCache(max_bytes=1 << 20, clock=CLOCK)
    return build(store=store, archive=None, cache=cache, clock=CLOCK, config=ApiConfig(), readiness=dict)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    store = await fill(DuckdbStore(tmp_path / "store.duckdb"))
    yield store
    await store.close()


QUESTIONS = [
    "symbols=AAPL",
    "symbols=META,AAPL&adjustment=all",
    "symbols=AAPL&timeframe=1w&adjustment=split",
    "symbols=AAPL&as_of=2024-01-10T12:00:00Z&start=2005-02-28",
    "symbols=AAPL&start=2030-01-01",
]


@pytest.mark.parametrize("form", list(READERS))
async def test_a_stream_holds_what_pages_hold(store: DuckdbStore, form: str) -> None:
    """Whatever the question, in every form; without bars there are still their columns."""
    with TestClient(app(store)) as client:
        for query in QUESTIONS:
            stream = client.get(f"/v1/bars/stream?{query}&format={form}")
            page = client.get(f"/v1/bars?{query}&format={form}")

            assert (200, page.headers["content-type"]) == (stream.status_code, stream.headers["content-type"])
            if form == "arrow":
                assert READERS[form](page.content).equals(READERS[form](stream.content))
            else:
                assert page.content == stream.content


async def test_a_wrong_question_is_told_before_anything_is_sent(store: DuckdbStore) -> None:
    """With its status, as elsewhere; a stream knows no pages."""
    with TestClient(app(store)) as client:
        answers = [
            client.get(f"/v1/bars/stream?{query}")
            for query in (
                "symbols=NONE",
                "symbols=AAPL&limit=3",
                "symbols=AAPL&format=parquet",
                "symbols=AAPL&snapshot=x",
            )
        ]

    assert [404, 400, 400, 400] == [answer.status_code for answer in answers]


async def test_a_stream_is_of_one_state(store: DuckdbStore) -> None:
    """What is written while it goes on is not in it."""
    streamed = await streams(store, rows=2).bars(asked(symbols="AAPL,META"))
    chunks = [await anext(streamed.chunks)]
    later = datetime(2024, 1, 13, tzinfo=UTC)
    for instrument, day in ((APPLE, date(2005, 3, 3)), (META, date(2022, 6, 9))):
        await store.commit({"bars": golden(instrument, [day], [1.0], [1.0], version=5, ts_known=later)})
    chunks += [chunk async for chunk in streamed.chunks]

    assert [88.0, 90.0, 44.0, 46.5, 50.0, 49.0, 196.0, 184.0] == pl.read_csv(b"".join(chunks))["close"].to_list()


async def test_the_cut_into_frames_leaves_no_trace(store: DuckdbStore) -> None:
    """However few rows are read at a time, the text is the same."""
    texts = set()
    for rows in (1, 3, 1000):
        streamed = await streams(store, rows=rows).bars(asked(symbols="AAPL,META", adjustment="all"))
        texts.add(b"".join([chunk async for chunk in streamed.chunks]))

    assert 1 == len(texts)


async def test_frames_for_the_library(store: DuckdbStore) -> None:
    """The same rows as frames; one without rows where there are none."""
    frames = [frame async for frame in streams(store, rows=2).frames(BarsQuery(symbols=("AAPL",)))]
    nothing = [one async for one in streams(store).frames(BarsQuery(symbols=("AAPL",), start=date(2030, 1, 1)))]

    assert [2, 2, 2] == [len(frame) for frame in frames]
    assert [0] == [len(frame) for frame in nothing]
    assert frames[0].schema == nothing[0].schema


async def test_a_reader_who_does_not_read_holds_nothing() -> None:
    """After a while the store's rows are given back; if the reader comes back, the stream ends in an error."""
    store = EndlessStore(1_000_000)
    streamed = await streams(store, patience_s=0.05).bars(asked())
    await anext(streamed.chunks)
    await asyncio.sleep(0.3)

    assert store.closed.is_set()
    with pytest.raises(StoreUnavailable, match="nobody read the answer"):
        await anext(streamed.chunks)


async def test_a_reader_who_goes_away_holds_nothing() -> None:
    """Closing the connection in the midst of a stream gives the store's rows back."""
    store = EndlessStore(50_000_000)

    def read_some(address: str) -> int:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        connection.request("GET", "/v1/bars/stream?symbols=AAPL&format=csv")
        read = len(connection.getresponse().read(1_000_000))
        connection.close()
        return read

    async with Served(app(store), "127.0.0.1", 0) as served:
        read = await asyncio.to_thread(read_some, served.address)
        async with asyncio.timeout(10):
            await store.closed.wait()

    assert 1_000_000 == read


async def test_a_stream_that_fails_is_cut() -> None:
    """The last chunk is missing, so that nobody takes a part for the whole."""
    store = EndlessStore(10_000_000, fails_after=500_000)

    def read_all(address: str) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        connection.request("GET", "/v1/bars/stream?symbols=AAPL&format=csv")
        try:
            return connection.getresponse().read()
        finally:
            connection.close()

    async with Served(app(store), "127.0.0.1", 0) as served:
        with pytest.raises(http.client.IncompleteRead):
            await asyncio.to_thread(read_all, served.address)

        with pytest.raises(StoreUnavailable, match="the answer ended too early"):
            await asyncio.to_thread(lambda: list(RemoteSource(served.address).frames({"symbols": "AAPL"})))

    assert store.closed.is_set()


def test_two_million_bars_take_no_more_memory_than_few() -> None:
    """The peak grows by less than 100 MB over that of a tenth of them, for an answer of more than 300 MB."""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    code = f"import sys; sys.path[:0] = {paths}\n{MEMORY}"
    done = subprocess.run([sys.executable, "-c", code, "arrow"], capture_output=True, text=True, check=True, timeout=60)
    size, grown = map(int, done.stdout.split())

    assert size > 300_000_000
    assert grown < 100_000_000


@pytest.mark.parametrize("form", list(READERS))
def test_a_flow_is_whole_at_its_end(form: str) -> None:
    """Frames one after another read back as one."""
    frame = pl.DataFrame({"a": [1.0, None], "b": ["x", "y"]})
    flow = Flow(form)
    body = flow.write(frame) + flow.write(frame) + flow.end()

    assert pl.concat([frame, frame]).equals(READERS[form](body))
