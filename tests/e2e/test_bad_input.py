"""What goes wrong in front of a user: each command names the cause and the way out, and never shows a traceback."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from store_contents import contents

from small_platform import acquired
from truetape.adapters.data_folder import DataFolder
from truetape.app.sandbox import bokeh

TRUETAPE = [sys.executable, "-m", "truetape"]
NOBODY = 'base_url = "http://127.0.0.1:9"'
PATIENCE_S = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(acquired(tmp_path_factory.mktemp("bad") / "data"))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """The data folder, to be damaged."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def refused(*arguments: str | Path, kilobytes: int | None = None) -> str:
    """Run a command that must end with 2, and return what it said, on one line."""
    command = [*TRUETAPE, *map(str, arguments)]
    if kilobytes is not None:
        command = limited(command, kilobytes=kilobytes)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (2, "") == (done.returncode, done.stdout), done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def settings(folder: Path, *, port: int = 0) -> Path:
    path = folder / "truetape.toml"
    listing = '[[instruments]]\nsymbol = "AAA"\nmic = "XNAS"\n'
    path.write_text(f"port = {port}\nstart = 2012-01-03\nend = 2012-03-01\n{listing}[providers.yahoo]\n{NOBODY}\n")
    return path


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (["AAPL"], "UnknownSymbol: The symbol 'AAPL' is unknown. Known symbols: AAA, BBB."),
        (["AAA", "--start", "2012-02-02", "--end", "2012-02-01"], "start was '2012-02-02'. It is later than end"),
        (["AAA", "--end", "02/03/2012"], "end was '02/03/2012'. Write a date as YYYY-MM-DD, for example 2005-02-28."),
    ],
)
def test_questions(folder: Path, question: list[str], words: str) -> None:
    """An unknown symbol, dates the wrong way round and a malformed date are named with what to write."""
    assert words in refused("get", *question, "--data", folder)


def test_a_damaged_payload(copy: Path, tmp_path: Path) -> None:
    """Replay names the payload that is not what was put."""
    payload = next((copy / "archive" / "payloads").glob("*/*.zst"))
    payload.write_bytes(payload.read_bytes()[:-1] + b"!")

    told = refused("replay", "--data", copy, "--into", tmp_path / "again")

    assert f"CorruptArchive: The archive file {payload} is damaged: " in told
    assert "Restore it from a backup, or acquire it again." in told


def test_a_damaged_journal(copy: Path, tmp_path: Path) -> None:
    """Replay names the line that does not match its checksum."""
    journal = copy / "archive" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], lines[1].replace(b'"', b"'", 1), *lines[2:]]))

    told = refused("replay", "--data", copy, "--into", tmp_path / "again")

    assert f"The archive file {journal} is damaged: line " in told
    assert "does not match its checksum" in told


def test_a_busy_port(tmp_path: Path) -> None:
    """A port that is taken is named, and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused("up", "--config", settings(tmp_path, port=port))

    assert f"PortInUse: The address http://127.0.0.1:{port} is in use. Choose another with --port" in told


def test_a_second_process(tmp_path: Path) -> None:
    """A data folder has one owner, who is named."""
    held = DataFolder.open(tmp_path / "data", simulated=False, command="truetape up")
    told = refused("up", "--config", settings(tmp_path))
    held.close()

    assert f"FolderInUse: The data folder {tmp_path / 'data'} is in use by process {os.getpid()} (truetape up)" in told
    assert "Stop that process, or choose another folder with --data." in told


def test_live_into_simulated(folder: Path, tmp_path: Path) -> None:
    """Live data never go into a folder of simulated ones."""
    config = settings(tmp_path)
    config.write_text(f'data = "{folder}"\n{config.read_text()}')

    told = refused("up", "--config", config)

    assert "it holds simulated data and live data were to be written. Choose another folder with --data." in told


def test_without_settings(tmp_path: Path) -> None:
    """Without a settings file, the command that writes one is named."""
    missing = tmp_path / "none.toml"

    told = refused("up", "--config", missing)

    assert f"There is no such file; write one with: truetape init {missing}" in told


def until(done: Callable[[], bool]) -> None:
    """Return when `done()` holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def limited(command: list[str], *, kilobytes: int) -> list[str]:
    """Return `command` with every file that it writes kept within so many kilobytes, as a full disk would.

    A measurement of coverage is left out: its own file would not fit.
    """
    return ["bash", "-c", f'unset "${{!COVERAGE_@}}"; ulimit -f {kilobytes}; exec "$@"', "bash", *command]


def test_a_disk_that_is_full_from_the_start(folder: Path, tmp_path: Path) -> None:
    """Without room for the store nothing starts, and no half store is left."""
    told = refused("replay", "--data", folder, "--into", tmp_path / "again", kilobytes=100)

    assert f"StoreUnavailable: The store at {tmp_path / 'again' / 'truetape.duckdb'} could not be used: " in told
    assert "File too large" in told
    assert [] == list((tmp_path / "again").glob("*duckdb*"))


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """The demo says that it waits for room, stops when it is told to, and finishes whole when there is room again."""
    said, data = tmp_path / "said", tmp_path / "data"
    with (
        said.open("w") as file,
        subprocess.Popen(limited(demo(data), kilobytes=6000), stdout=file, stderr=subprocess.STDOUT) as running,
    ):
        until(lambda: "Make room" in said.read_text() or running.poll() is not None)
        running.send_signal(signal.SIGTERM)
        assert 143 == running.wait(PATIENCE_S)
    told = " ".join(said.read_text().split())
    assert "Make room on the disk; work waits, goes on by itself, and loses nothing." in told
    assert "Traceback" not in told + (data / "truetape.log").read_text()

    done = subprocess.run(demo(data), capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert 0 == done.returncode, done.stderr

    store = contents(data)
    golden = store["bars"].join(store["listings"].select("instrument_id", "symbol"), on="instrument_id")
    truth = pl.concat([series.bars for series in bokeh().series.values()])
    names = ["symbol", "ts_event", "open", "high", "low", "close", "volume"]
    assert truth.select(names).sort(names[:2]).equals(golden.select(names).sort(names[:2]))


def demo(data: Path) -> list[str]:
    return [*TRUETAPE, "demo", "--data", str(data), "--port", "0", "--no-faults", "--exit"]
