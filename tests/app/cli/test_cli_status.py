"""truetape status and truetape replay: what a data folder holds, and the same again from its archive."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from small_market import APPLE, PAYLOAD, filled_folder, serving
from truetape.adapters.data_folder import ARCHIVE, STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.app.cli import app
from truetape.domain.kinds import INSTANT
from truetape.domain.messages import RawCaptured
from truetape.ports.archive import Attempted

SECOND = 1_000_000_000
NOON = 1_705_320_000 * SECOND  # 2024-01-15 12:00 UTC


def captured(provider: str, *, ts_known: int) -> RawCaptured:
    return RawCaptured(
        provider=provider,
        kind="bars",
        key=PAYLOAD,
        ts_known=ts_known,
        round_id="rnd_1",
        instrument_id=APPLE,
        symbol="AAPL",
        timeframe="1d",
        start=date(2005, 2, 24),
        end=date(2005, 3, 3),
        simulated=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small market, with a journal of two answers of yahoo and one failure of finnhub."""
    path = asyncio.run(filled_folder(tmp_path_factory.mktemp("status") / "data"))
    archive = FileArchive(path / ARCHIVE)
    archive.record(captured("yahoo", ts_known=NOON + 7))
    archive.record(captured("yahoo", ts_known=NOON - 3600 * SECOND))
    archive.record(
        Attempted(
            provider="finnhub",
            kind="bars",
            round_id="rnd_1",
            instrument_id=APPLE,
            symbol="AAPL",
            ts_known=NOON,
            failure_class="throttled",
            words="API limit reached",
            status=429,
            attempt=1,
        )
    )
    archive.close()
    asyncio.run(reject(path))
    return path


async def reject(path: Path) -> None:
    """Keep that two answers of Tiingo about bars, in other rows, lacked the same field."""
    store = DuckdbStore(path / STORE)
    rows = pl.DataFrame(
        {
            "payload": ["a" * 64, "b" * 64],
            "provider": ["tiingo"] * 2,
            "kind": ["bars"] * 2,
            "reason": [f"The payload lacks `close` - at `$[{row}]` [sic]" for row in (0, 12)],
            "ts_known": pl.Series([NOON, NOON + 60 * SECOND]).cast(INSTANT),
            "simulated": [True] * 2,
        }
    )
    await store.commit({"rejected_payloads": rows})
    await store.close()


def test_status_as_json(folder: Path) -> None:
    """A program finds every count and range by value."""
    result = CliRunner().invoke(app, ["status", "--data", str(folder), "--json"])

    assert (0, "") == (result.exit_code, result.stderr)
    told = json.loads(result.stdout)
    instruments = {one.pop("symbol"): one for one in told.pop("instruments")}
    assert {
        "data": str(folder),
        "simulated": True,
        "owner": "",
        "address": "",
        "providers": {
            "finnhub": {"answers": 0, "failures": 1, "last": ""},
            "yahoo": {"answers": 2, "failures": 0, "last": "2024-01-15T12:00:00Z"},
        },
        "tiers": None,
        "segments": None,
        "backup": None,
        "damage": "",
        "rounds": 0,
        "quarantined": 1,
        "unreadable": [
            {
                "provider": "tiingo",
                "kind": "bars",
                "reason": "The payload lacks `close` - at `$[0]` [sic]",
                "times": 2,
                "since": "2024-01-15T12:00:00Z",
                "last": "2024-01-15T12:01:00Z",
            }
        ],
    } == told
    assert (6, "2005-02-24", "2005-03-03", 2) == tuple(
        instruments["AAPL"][name] for name in ("golden", "first", "last", "actions")
    )


def test_status_in_words(folder: Path) -> None:
    """A person reads whether the data are simulated, who answered, and which bars are there."""
    result = CliRunner().invoke(app, ["status", "--data", str(folder)])

    assert 0 == result.exit_code
    text = " ".join(result.stdout.split())
    for words in (
        "simulated data",
        "owner: none",
        "yahoo: 2 answers, last 2024-01-15T12:00:00Z; 0 failures",
        "finnhub: 0 answers, last never; 1 failures",
        "AAPL: 6 bars, 2005-02-24 to 2005-03-03; 2 actions",
        (
            "tiingo: 2 answers about bars not readable since 2024-01-15T12:00:00Z, last 2024-01-15T12:01:00Z: The "
            "payload lacks `close` - at `$[0]` [sic]"
        ),
        "0 rounds stored, 1 claims in quarantine",
    ):
        assert words in text


def test_status_of_a_folder_in_use(tmp_path: Path) -> None:
    """While a process works on the folder, status says which, and where it answers."""
    path = asyncio.run(filled_folder(tmp_path / "data"))
    with serving(path) as address:
        result = CliRunner().invoke(app, ["status", "--data", str(path), "--json"])

    told = json.loads(result.stdout)
    assert (0, address) == (result.exit_code, told["address"])
    assert told["owner"].startswith(f"process {os.getpid()} (")


@pytest.mark.parametrize("command", [["status"], ["replay", "--into", "elsewhere"]])
def test_folders_that_are_no_data_folders(tmp_path: Path, command: list[str]) -> None:
    """What is no data folder is named, and stays as it is."""
    result = CliRunner().invoke(app, [*command, "--data", str(tmp_path), "--json"])

    assert 2 == result.exit_code
    assert str(tmp_path) in json.loads(result.stdout)["error"]
    assert [] == list(tmp_path.iterdir())


def test_replay_never_writes_into_a_folder_with_something_in_it(folder: Path) -> None:
    """The target must be new or empty."""
    result = CliRunner().invoke(app, ["replay", "--data", str(folder), "--into", str(folder)])

    assert (2, "") == (result.exit_code, result.stdout)
    assert "--into was" in result.stderr
    assert "The folder is not empty; name a new or empty one." in result.stderr


def test_replay_as_json(folder: Path, tmp_path: Path) -> None:
    """The report counts what was told again; an answer that is no Yahoo chart is rejected again."""
    target = tmp_path / "again"
    command = [sys.executable, "-m", "truetape", "replay", "--data", str(folder), "--into", str(target), "--json"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("seconds") > 0
    assert {"captures": 2, "rounds": 0, "rejected": 1, "buried": 0} == told
    assert PAYLOAD[2:] in {one.name.partition(".")[0] for one in (target / "archive").rglob("*")}


def test_replay_in_words(folder: Path, tmp_path: Path) -> None:
    """A person reads what was told again; standard output stays empty, since the answer is the folder."""
    command = [sys.executable, "-m", "truetape", "replay", "--data", str(folder), "--into", str(tmp_path / "again")]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert (0, "") == (done.returncode, done.stdout)
    assert "2 answers of 0 rounds replayed into" in " ".join(done.stderr.split())
