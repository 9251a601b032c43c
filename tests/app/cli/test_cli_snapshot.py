"""truetape snapshot and truetape receipt: names and answers that do not change, on the terminal."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from small_market import filled_folder, serving
from truetape.app.cli import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return asyncio.run(filled_folder(tmp_path / "data"))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(filled_folder(tmp_path_factory.mktemp("untouched") / "data"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_snapshot_is_named_listed_and_shown(folder: Path) -> None:
    """In words for people, as JSON for programs; a note may look like markup."""
    made = run("snapshot", "create", "eod", "--note", "as [b]sold", "--actor", "ann", "--data", str(folder))
    listed = run("snapshot", "list", "--data", str(folder))
    rows = json.loads(run("snapshot", "list", "--json", "--data", str(folder)).stdout)
    shown = run("snapshot", "show", "eod", "--data", str(folder))
    as_json = json.loads(run("snapshot", "show", "eod", "--json", "--data", str(folder)).stdout)

    assert (0, 0, 0) == (made.exit_code, listed.exit_code, shown.exit_code)
    assert made.stdout == shown.stdout
    assert "Read at it with --snapshot eod" in shown.stdout
    assert "as [b]sold" in listed.stdout
    assert "1 snapshots." in listed.stderr
    assert [("eod", "ann", 2)] == [(row["name"], row["actor"], row["store_version"]) for row in rows]
    assert ("eod", 2) == (as_json["name"], as_json["store_version"])


def test_there_may_be_none(untouched: Path) -> None:
    """An empty list is said in a word."""
    result = run("snapshot", "list", "--data", str(untouched))

    assert (0, "", "0 snapshots.\n") == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["snapshot", "create", "EOD"], "name was 'EOD'. Write 1 to 64 small letters"),
        (["snapshot", "create", "eod", "--as-of", "soon"], "as_of was 'soon'."),
        (["snapshot", "show", "eod"], "No snapshot has this name. There is none yet."),
        (["get", "AAPL", "--snapshot", "eod"], "No snapshot has this name."),
        (["explain", "AAPL", "2005-03-01", "--snapshot", "eod"], "No snapshot has this name."),
        (["receipt", "abc"], "It is no receipt, or not all of it."),
    ],
)
def test_what_cannot_be_done_is_said(untouched: Path, arguments: list[str], words: str) -> None:
    """With exit code 2, in one sentence; with --json in an object."""
    result = run(*arguments, "--data", str(untouched))
    as_json = run(*arguments, "--json", "--data", str(untouched))

    assert (2, "") == (result.exit_code, result.stdout)
    assert words in result.stderr
    assert words in json.loads(as_json.stdout)["error"]


def test_a_running_api_names_and_answers_again(folder: Path, tmp_path: Path) -> None:
    """By the folder or by its address; the bytes of a receipt come from the server, and from the folder afterwards."""
    path = tmp_path / "answer.csv"
    with serving(folder) as url:
        by_folder = run("snapshot", "create", "eod", "--as-of", "2024-01-10", "--data", str(folder), "--json")
        by_url = run("snapshot", "create", "now", "--url", url, "--json")
        with urllib.request.urlopen(f"{url}/v1/bars?symbols=AAPL&snapshot=eod&format=csv") as answer:
            body, told = answer.read(), json.loads(answer.headers["truetape-receipt"])
        printed = run("receipt", told["id"], "--url", url)
        closes = {
            name: json.loads(run("get", "AAPL", "--snapshot", name, "--json", "--url", url).stdout)[3]["close"]
            for name in ("eod", "now")
        }
        with urllib.request.urlopen(f"{url}/v1/bars/stream?symbols=AAPL&format=csv") as stream:
            streamed, kept = stream.read(), json.loads(stream.headers["truetape-receipt"])["id"]
    assert streamed == run("receipt", kept, "--data", str(folder)).stdout_bytes
    into_file = run("receipt", told["id"], "-o", str(path), "--data", str(folder))

    assert (0, 0) == (by_folder.exit_code, by_url.exit_code), by_folder.stdout + by_url.stdout
    assert "2024-01-10T00:00:00Z" == json.loads(by_folder.stdout)["as_of"]
    assert {"eod": 46.0, "now": 46.5} == closes
    assert body == printed.stdout_bytes == path.read_bytes()
    assert f"{len(body):,} bytes written" in into_file.stderr.replace("\n", "")
