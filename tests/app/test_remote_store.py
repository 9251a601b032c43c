"""The tables of a folder that another process owns: the same rows as its store has, read over HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from small_market import filled_folder, serving
from truetape.adapters.data_folder import STORE, DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.cli import app
from truetape.app.reading import opened
from truetape.app.remote_store import RemoteStore
from truetape.domain.errors import BadInput, FolderInUse, StoreUnavailable, WrongFolder
from truetape.domain.schema import TABLES
from truetape.ports.store import Selection

SELECTIONS = (
    Selection(),
    Selection(columns=("ts_event", "close")),
    Selection(start=date(2005, 3, 1), limit=3),
    Selection(as_of=1, history=True),
    Selection(equal={"timeframe": ("1d", "1m")}, since_version=0),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(filled_folder(tmp_path_factory.mktemp("remote") / "data"))


async def test_every_table_reads_the_same_from_afar(folder: Path) -> None:
    """All tables, and bars by several selections: rows, order and types are those of the store."""
    store = DuckdbStore(folder / STORE, read_only=True)
    wanted = [(table, Selection()) for table in TABLES] + [("bars", one) for one in SELECTIONS]
    expected, version = [await store.read(*one) for one in wanted], store.version()
    await store.close()
    with serving(folder):
        async with opened(folder) as remote:
            found = [await remote.read(*one) for one in wanted]
            frames = [frame async for frame in remote.stream("bars", rows=2)]

    assert isinstance(remote, RemoteStore)
    for mine, theirs in zip(expected, found, strict=True):
        assert_frame_equal(mine, theirs)
    assert version == remote.version()
    assert {2} == {len(frame) for frame in frames[:-1]}
    assert expected[list(TABLES).index("bars")].height == sum(map(len, frames))


@pytest.mark.parametrize("words", [("trust",), ("quality", "--days", "30")])
def test_commands_say_the_same_while_a_platform_runs(folder: Path, words: tuple[str, ...]) -> None:
    """What reads a folder at rest asks its platform otherwise."""
    ask = CliRunner()
    arguments = [*words, "--data", str(folder), "--json"]
    expected = ask.invoke(app, arguments).stdout
    with serving(folder):
        found = ask.invoke(app, arguments)

    assert (0, expected) == (found.exit_code, found.stdout)


async def test_what_the_store_refuses_is_refused_from_afar(folder: Path) -> None:
    """Unknown tables and columns and odd selections, in the words of the store; nothing is written."""
    with serving(folder):
        async with opened(folder) as remote:
            with pytest.raises(BadInput, match="table was 'prices'"):
                await remote.read("prices")
            with pytest.raises(BadInput, match="clothes"):
                await remote.read("bars", Selection(columns=("clothes",)))
            with pytest.raises(BadInput, match="limit was '-1'"):
                await remote.read("bars", Selection(limit=-1))
            with pytest.raises(StoreUnavailable, match="only reads"):
                await remote.commit({})


async def test_a_process_without_an_api_is_named(tmp_path: Path) -> None:
    """Its folder cannot be read; neither can what is no data folder."""
    with pytest.raises(WrongFolder, match="it is no data folder"):
        async with opened(tmp_path / "none"):
            pass
    owned = DataFolder.open(tmp_path / "data", simulated=True, command="truetape replay")
    with pytest.raises(FolderInUse, match="truetape replay"):
        async with opened(owned.path):
            pass
    owned.close()


@pytest.fixture
def odd_server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives the answers that the test puts into the list, then none."""
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(answers.pop(0) if answers else b"")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", answers
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "no whole answer came"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "not a truetape server"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nhi", "it answered with status 500"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apache.arrow.stream\r\nContent-Length: 9\r\n\r\nARR",
            "no whole answer came",
        ),
    ],
)
async def test_what_answers_oddly_is_unavailable(
    odd_server: tuple[str, list[bytes]], answer: bytes, words: str
) -> None:
    """Silence, another program, an error without words, and half an answer."""
    url, answers = odd_server
    answers.append(answer)
    with pytest.raises(StoreUnavailable, match=words):
        await RemoteStore(url).read("bars")
